/**
 * Bad input: the protocol's own error or a closed connection, other connections unharmed, and no memory kept.
 * Every test has a witness: a connection that was there before and must be served throughout.
 */
import { strict as assert } from 'node:assert';
import { RawClient } from '../client/raw.ts';
import { readStat, readStats } from '../client/statistics.ts';
import { until } from '../client/until.ts';
import type { Suite } from './suite.ts';

const BAD_FORMAT = 'CLIENT_ERROR bad command line format\r\n';
const BAD_CHUNK = 'CLIENT_ERROR bad data chunk\r\n';
const TOO_LARGE = 'SERVER_ERROR object too large for cache\r\n';
const MEBIBYTE = 1 << 20;

/** Runs `body` beside a witness; afterwards the witness is served, and the connections are gone again. */
function harmless(suite: Suite, name: string, body: (witness: RawClient) => Promise<void>): void {
  suite.test(name, async (witness) => {
    const key = suite.key('witness');
    await witness.expect(`set ${key} 9 0 5\r\nhello\r\n`, 'STORED\r\n');
    const connections = await readStat(witness, 'curr_connections');
    await body(witness);
    await witness.expect(`get ${key}\r\n`, `VALUE ${key} 9 5\r\nhello\r\nEND\r\n`);
    await until(
      'the connections of the test are gone',
      async () => (await readStat(witness, 'curr_connections')) <= connections,
    );
  });
}

/** A small seeded generator (xorshift32), so that a failure can be repeated. */
function randomBytes(seed: number, count: number): Buffer {
  let state = seed | 0 || 1;
  const bytes = Buffer.alloc(count);
  for (let index = 0; index < count; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[index] = state & 0xff;
  }
  return bytes;
}

function keyTests(suite: Suite): void {
  harmless(suite, 'keys of 251 bytes are refused by every command', async (client) => {
    const key = 'k'.repeat(251);
    for (const line of [
      `get ${key}`,
      `gets a ${key}`,
      `gat 0 ${key}`,
      `touch ${key} 1`,
      `delete ${key}`,
      `incr ${key} 1`,
    ]) {
      await client.expect(`${line}\r\n`, BAD_FORMAT);
    }
    await client.match(`set ${key} 0 0 1\r\na\r\n`, /^CLIENT_ERROR .*\r\n(ERROR\r\n)?$/);
    await client.match(`cas ${key} 0 0 1 1\r\na\r\n`, /^CLIENT_ERROR .*\r\n(ERROR\r\n)?$/);
  });

  harmless(
    suite,
    'control characters in keys are refused or kept, never taken for something else',
    async (client) => {
      for (const code of [1, 8, 9, 11, 12, 27, 31, 127]) {
        const key = `c${String.fromCharCode(code)}${suite.key()}`;
        const reply = await client.exchange(`set ${key} 0 0 1\r\na\r\n`);
        if (reply === 'STORED\r\n') await client.expect(`get ${key}\r\n`, `VALUE ${key} 0 1\r\na\r\nEND\r\n`);
        else assert.match(reply, /^(CLIENT_ERROR .*|ERROR)\r\n(ERROR\r\n)?$/);
      }
      await client.match('get a\0b\r\n', /^(END|CLIENT_ERROR .*|ERROR)\r\n$/);
      await client.match('\0\0\0\r\n', /^ERROR\r\n$/);
    },
  );
}

function lineTests(suite: Suite): void {
  harmless(suite, 'an endless line without a line end closes the connection', async () => {
    await using client = await suite.connect();
    for (let count = 0; count < 64 && !client.closed; count++) {
      await client.writeAll('x'.repeat(64 * 1024)).catch(() => undefined);
    }
    assert.match(await client.untilClosed(), /^((CLIENT_ERROR|ERROR|SERVER_ERROR).*\r\n)?$/);
  });

  harmless(suite, 'a long unknown command with a line end is an ERROR or closes', async () => {
    await using client = await suite.connect();
    client.write(`${'x'.repeat(1_500)}\r\nversion\r\n`);
    assert.match(await client.readLine(), /^ERROR/);
    assert.match(await client.readLine(), /^VERSION /);
  });

  harmless(suite, 'a multiget of 5000 keys is served', async (client) => {
    const key = suite.key();
    await client.expect(`set ${key} 0 0 1\r\na\r\n`, 'STORED\r\n');
    const line = `get ${`${key} `.repeat(5_000)}\r\n`;
    await client.expect(line, `${`VALUE ${key} 0 1\r\na\r\n`.repeat(5_000)}END\r\n`);
  });

  harmless(suite, 'too many spaces and empty lines', async (client) => {
    await client.expect(`${' '.repeat(1_000)}\r\n`, 'ERROR\r\n');
    await client.expect('\r\n'.repeat(100), 'ERROR\r\n'.repeat(100));
    await client.expect(`get${' '.repeat(500)}a${' '.repeat(500)}\r\n`, 'END\r\n');
  });

  harmless(suite, 'an HTTP request is answered by closing or by errors', async () => {
    await using client = await suite.connect();
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    if (suite.kind.larder) {
      client.endInput();
      assert.match(await client.untilClosed(), /^(ERROR\r\n){0,3}$/);
    } else {
      assert.equal(await client.untilClosed(), '');
    }
  });
}

function lengthTests(suite: Suite): void {
  harmless(suite, 'negative lengths, and lengths beyond every limit', async (client) => {
    for (const length of [
      '-1',
      '-2147483648',
      '2147483647',
      '18446744073709551617',
      '99999999999999999999',
    ]) {
      // A length that the server understood announces data: a closed connection is right as well.
      await using own = await suite.connect();
      own.write(`set a 0 0 ${length}\r\n`);
      assert.match(
        await own.readLine(),
        /^(CLIENT_ERROR bad command line format|CLIENT_ERROR bad data chunk|SERVER_ERROR .*)$/,
      );
    }
    await client.expect('set a 0 0 -1\r\nset a 0 0 1\r\na\r\n', `${BAD_FORMAT}STORED\r\n`);
    await client.expect('ms a -1\r\nappend a 0 0 -5\r\n', `${BAD_FORMAT}${BAD_FORMAT}`);
  });

  harmless(suite, 'a data block without its CRLF is refused, and nothing is stored', async (client) => {
    const key = suite.key();
    await client.expect(`set ${key} 0 0 1\r\nold\r\n`, `${BAD_CHUNK}ERROR\r\n`.replace('ERROR', 'ERROR'));
    await client.expect(`get ${key}\r\n`, 'END\r\n');
    await client.match(`set ${key} 0 0 3\r\nabcdefgh\r\n`, /^CLIENT_ERROR bad data chunk\r\n(ERROR\r\n)?$/);
    await client.expect(`get ${key}\r\n`, 'END\r\n');
    await client.match(
      `set ${key} 0 0 3 noreply\r\nabcdefgh\r\n`,
      /^(CLIENT_ERROR bad data chunk\r\n)?(ERROR\r\n)?$/,
    );
    await client.match(`ms ${key} 3\r\nabcdefgh\r\n`, /^CLIENT_ERROR bad data chunk\r\n(ERROR\r\n)?$/);
    await client.expect(`get ${key}\r\n`, 'END\r\n');
  });

  harmless(
    suite,
    'a value over the limit is skipped, the connection stays usable, and the old value is gone',
    async (client) => {
      const key = suite.key();
      const value = 'x'.repeat(2 * MEBIBYTE);
      await client.expect(`set ${key} 0 0 1\r\na\r\n`, 'STORED\r\n');
      await client.expect(
        `set ${key} 0 0 ${value.length}\r\n${value}\r\nget ${key}\r\n`,
        `${TOO_LARGE}END\r\n`,
      );
      await client.expect(`set ${key} 0 0 ${value.length} noreply\r\n${value}\r\nget ${key}\r\n`, 'END\r\n');
      await client.expect(`ms ${key} ${value.length} q\r\n${value}\r\nmg ${key}\r\n`, `${TOO_LARGE}EN\r\n`);
    },
  );
}

function garbageTests(suite: Suite): void {
  harmless(
    suite,
    'binary requests that make no sense are answered with an error, or end the connection',
    async () => {
      const header = (opcode: number, key: number, extras: number, body: number): Buffer => {
        const bytes = Buffer.alloc(24);
        bytes.writeUInt8(0x80, 0);
        bytes.writeUInt8(opcode, 1);
        bytes.writeUInt16BE(key, 2);
        bytes.writeUInt8(extras, 4);
        bytes.writeUInt32BE(body, 8);
        return bytes;
      };
      const noop = header(0x0a, 0, 0, 0);
      // An unknown opcode; a get without a key; a key longer than any; a set without extras.
      const cases: [Buffer, number[]][] = [
        [header(0x77, 0, 0, 0), [0x81]],
        [header(0x00, 0, 0, 0), [0x04]],
        [Buffer.concat([header(0x00, 300, 0, 300), Buffer.alloc(300, 97)]), [0x04]],
        [Buffer.concat([header(0x01, 3, 0, 5), Buffer.from('abcde')]), [0x04]],
      ];
      for (const [bytes, statuses] of cases) {
        await using client = await suite.connect();
        client.write(Buffer.concat([bytes, noop]));
        const reply = await client.readBytes(24).catch(() => undefined);
        // A router knows no binary request at all.
        const allowed = suite.kind.isRouter === true ? [0x81] : statuses;
        if (reply !== undefined) assert.ok(allowed.includes(reply.readUInt16BE(6)), reply.toString('hex'));
      }
      // Parts that are longer than the body: nothing behind them can be understood.
      await using client = await suite.connect();
      client.write(Buffer.concat([header(0x00, 10, 0, 3), noop]));
      client.endInput();
      await client.untilClosed();
    },
  );

  harmless(suite, 'random bytes, with and without the binary magic', async () => {
    const seed = 20_260_801;
    // Every input once with an orderly end and three times with a reset: a reset may reach the server before,
    // within or after the turn in which it answers.
    for (const resets of [false, true, true, true]) {
      for (let round = 0; round < 40; round++) {
        const bytes = randomBytes(seed + round, 3_000);
        bytes[0] = round % 2 === 0 ? 0x80 : 0x41;
        await using client = await suite.connect();
        client.write(bytes);
        if (resets) {
          // Not awaited: the reset follows the bytes at once.
          client.socket.resetAndDestroy();
        } else {
          await client.writeAll('').catch(() => undefined);
        }
        await client.close();
      }
    }
  });

  harmless(suite, 'a TLS hello on a plain port', async () => {
    await using client = await suite.connect();
    client.write(Buffer.concat([Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]), randomBytes(7, 505)]));
    await client.close();
  });

  harmless(suite, 'half requests, then the connection closes', async (witness) => {
    const key = suite.key();
    const halves = [
      's',
      'get',
      `get ${key}`,
      `set ${key} 0 0 10\r\n`,
      `set ${key} 0 0 10\r\nabc`,
      `set ${key} 0 0 3\r\nabc`,
    ];
    halves.push(
      `set ${key} 0 0 3\r\nabc\r`,
      `ms ${key} 5 q\r\nab`,
      'mg',
      `set ${key} 0 0 500000\r\n${'x'.repeat(400_000)}`,
    );
    for (const half of halves) {
      for (const graceful of [true, false]) {
        await using client = await suite.connect();
        await client.writeAll(half);
        if (graceful) {
          client.endInput();
          assert.equal(await client.untilClosed(), '');
        }
      }
    }
    await witness.expect(`get ${key}\r\n`, 'END\r\n');
  });
}

function splitTests(suite: Suite): void {
  const script = (key: string): [string, string] => [
    `set ${key} 1 0 5\r\nhe\r\nl\r\nget ${key} ${key}\r\nms ${key} 2 k O1\r\nhi\r\nmg ${key} v f\r\nbogus\r\nincr ${key} 1\r\n` +
      `delete ${key} noreply\r\nmd ${key} k\r\nmn\r\n`,
    `STORED\r\n${`VALUE ${key} 1 5\r\nhe\r\nl\r\n`.repeat(2)}END\r\nHD k${key} O1\r\nVA 2 f0\r\nhi\r\nERROR\r\n` +
      `CLIENT_ERROR cannot increment or decrement non-numeric value\r\nNF k${key}\r\nMN\r\n`,
  ];

  harmless(suite, 'a conversation split in two at every byte', async () => {
    const [request, expected] = script(suite.key());
    const splits = Array.from({ length: request.length - 1 }, (_, index) => index + 1);
    const one = async (at: number): Promise<void> => {
      const [text, wanted] = [request.replaceAll('k:', `s${at}:`), expected.replaceAll('k:', `s${at}:`)];
      const cut = Math.min(at, text.length - 1);
      await using client = await suite.connect();
      await client.writeAll(text.slice(0, cut));
      // A second round trip on another connection gives the server time to read the first part.
      await using pace = await suite.connect();
      await pace.expect('', '');
      client.write(text.slice(cut));
      assert.equal(await client.readThrough('MN\r\n'), wanted, `split at ${cut}`);
    };
    for (let index = 0; index < splits.length; index += 16)
      await Promise.all(splits.slice(index, index + 16).map(one));
  });

  harmless(suite, 'a conversation of single bytes', async () => {
    const [request, expected] = script(suite.key());
    await using client = await suite.connect();
    for (const byte of request) await client.writeAll(byte);
    assert.equal(await client.readThrough('MN\r\n'), expected);
  });

  harmless(suite, '20000 pipelined requests in one write', async (client) => {
    const key = suite.key();
    const requests: string[] = [];
    const replies: string[] = [];
    for (let index = 0; index < 5_000; index++) {
      requests.push(
        `set ${key} ${index} 0 3\r\nabc\r\n`,
        `get ${key}\r\n`,
        `mg ${key} f\r\n`,
        `delete ${key}\r\n`,
      );
      replies.push(
        'STORED\r\n',
        `VALUE ${key} ${index} 3\r\nabc\r\nEND\r\n`,
        `HD f${index}\r\n`,
        'DELETED\r\n',
      );
    }
    await client.expect(requests.join(''), replies.join(''));
  });
}

function slowReaderTests(suite: Suite): void {
  suite.test('a client that never reads costs bounded memory and nobody else', async () => {
    const server = await suite.start({ threads: 1, memoryMegabytes: 64 });
    await using witness = await suite.connect(server);
    const value = 'x'.repeat(MEBIBYTE / 2);
    await witness.expect(
      `set big 0 0 ${value.length}\r\n${value}\r\nset a 0 0 1\r\na\r\n`,
      'STORED\r\nSTORED\r\n',
    );
    const residentBytes = server.residentBytes();
    await using greedy = await suite.connect(server);
    greedy.socket.pause();
    // 4000 times half a megabyte is 2 GB of answers that nobody takes.
    greedy.write('get big\r\n'.repeat(4_000));
    for (let count = 0; count < 200; count++)
      await witness.expect('get a\r\n', 'VALUE a 0 1\r\na\r\nEND\r\n');
    const grownBytes = server.residentBytes() - residentBytes;
    assert.ok(grownBytes < 96 * MEBIBYTE, `resident memory grew by ${grownBytes} bytes`);
    await greedy.close();
    await until(
      'its connection is gone',
      async () => (await readStat(witness, 'curr_connections')) <= suite.pick({ memcached: 2, larder: 1 }),
    );
  });

  suite.test('a slow reader gets every byte in the end', async (client) => {
    const key = suite.key();
    const value = 'v'.repeat(100_000);
    await client.expect(`set ${key} 0 0 ${value.length}\r\n${value}\r\n`, 'STORED\r\n');
    await using slow = await suite.connect();
    slow.socket.pause();
    slow.write(`${`get ${key}\r\n`.repeat(100)}mn\r\n`);
    for (let count = 0; count < 50; count++)
      await client.expect('version\r\n', await client.exchange('version\r\n'));
    slow.socket.resume();
    const expected = `${`VALUE ${key} 0 ${value.length}\r\n${value}\r\nEND\r\n`.repeat(100)}MN\r\n`;
    const received = await slow.readBytes(expected.length);
    assert.ok(received.equals(Buffer.from(expected, 'latin1')), 'every byte is right');
  });
}

function floodTests(suite: Suite): void {
  suite.test(
    'connections over -c are refused with a message, and accepted again when others leave',
    async () => {
      const server = await suite.start({ connectionsMax: 50, threads: 1 });
      const clients: RawClient[] = [];
      let refused = 0;
      try {
        for (let count = 0; count < 150; count++) {
          const client = await suite.connect(server);
          clients.push(client);
          client.write('mn\r\n');
          const line = await client.readLine().catch(() => 'closed');
          if (line !== 'MN') {
            assert.match(line, /^(ERROR Too many open connections|closed)$/);
            refused += 1;
          }
        }
        assert.ok(refused >= 100 && refused < 150, `${refused} of 150 refused`);
      } finally {
        for (const client of clients) await client.close();
      }
      await until('connections are accepted again', async () => {
        await using client = await suite.connect(server);
        client.write('mn\r\n');
        return (await client.readLine().catch(() => 'closed')) === 'MN';
      });
      await using client = await suite.connect(server);
      assert.ok(Number((await readStats(client)).get('rejected_connections')) >= refused);
    },
  );

  suite.serverOnly(
    '-o no_maxconns_fast: connections over -c wait until others leave, and are served then',
    async () => {
      const server = await suite.start({
        connectionsMax: 40,
        threads: 1,
        letters: ['-o', 'no_maxconns_fast'],
      });
      // Connecting may have to wait as well: memcached takes its backlog away meanwhile.
      const wait = { timeoutMs: 30_000 };
      let served = 0;
      const one = async (): Promise<void> => {
        await using client = await RawClient.connect(server.address, wait);
        client.write('mn\r\n');
        assert.equal(await client.readLine(), 'MN');
        served += 1;
      };
      await Promise.all(Array.from({ length: 120 }, one));
      assert.equal(served, 120);
    },
  );

  suite.serverOnly('-o idle_timeout: idle connections are closed, busy ones are not', async () => {
    const server = await suite.start({ threads: 1, letters: ['-o', 'idle_timeout=1'] });
    await using busy = await suite.connect(server);
    await using idle = await suite.connect(server);
    await idle.expect('get a\r\n', 'END\r\n');
    await until('the idle connection is closed', async () => {
      await busy.expect('get a\r\n', 'END\r\n');
      return idle.closed;
    });
    assert.ok((await readStat(busy, 'idle_kicks')) >= 1);
  });

  suite.test('thousands of short connections, some with half requests, leave no memory behind', async () => {
    const server = await suite.start({ threads: 1 });
    await using witness = await suite.connect(server);
    const wave = async (): Promise<void> => {
      for (let round = 0; round < 20; round++) {
        const clients = await Promise.all(
          Array.from({ length: 50 }, () => RawClient.connect(server.address)),
        );
        for (const client of clients) client.write(`set h 0 0 1000\r\n${'x'.repeat(round * 40)}`);
        await Promise.all(clients.map((client) => client.close()));
      }
    };
    const settled = (): Promise<boolean> =>
      until(
        'connections are gone',
        async () => (await readStat(witness, 'curr_connections')) <= suite.pick({ memcached: 2, larder: 1 }),
      );
    await wave();
    await settled();
    const residentBytes = server.residentBytes();
    await wave();
    await wave();
    await settled();
    const grownBytes = server.residentBytes() - residentBytes;
    assert.ok(grownBytes < 16 * MEBIBYTE, `resident memory grew by ${grownBytes} bytes`);
    await witness.expect('get h\r\n', 'END\r\n');
  });
}

export function badInputSuite(suite: Suite): void {
  keyTests(suite);
  lineTests(suite);
  lengthTests(suite);
  garbageTests(suite);
  splitTests(suite);
  slowReaderTests(suite);
  floodTests(suite);
}
