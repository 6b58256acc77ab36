/** UDP: framing, replies of several datagrams, and datagrams that must not harm anybody. */
import { strict as assert } from 'node:assert';
import { readStat } from '../client/statistics.ts';
import { UdpClient, udpFrame } from '../client/udp.ts';
import type { Suite } from './suite.ts';

const FRAME_HEAD_BYTES = 8;
const DATAGRAM_BYTES_MAX = 1400;
/** Request ids up to this one are never used by `UdpClient` itself. */
const UNANSWERED_ID_MAX = 0xfff;

function udpTest(suite: Suite, name: string, body: (udp: UdpClient) => Promise<void>): void {
  suite.test(name, async () => {
    const port = suite.server().udpPort;
    assert.ok(port, 'the server listens on UDP');
    await using udp = await UdpClient.connect(port);
    await body(udp);
  });
}

function replyTests(suite: Suite): void {
  udpTest(suite, 'requests and replies in one datagram', async (udp) => {
    const key = suite.key();
    const exchange = async (text: string): Promise<string> => (await udp.exchange(text)).text;
    assert.match(await exchange('version\r\n'), /^VERSION \S+\r\n$/);
    assert.equal(await exchange(`set ${key} 3 0 2\r\nhi\r\n`), 'STORED\r\n');
    assert.equal(await exchange(`get ${key}\r\n`), `VALUE ${key} 3 2\r\nhi\r\nEND\r\n`);
    assert.equal(await exchange(`get ${key}x\r\n`), 'END\r\n');
    assert.equal(await exchange(`mg ${key} v\r\n`), 'VA 2\r\nhi\r\n');
    assert.equal(await exchange(`incr ${key}x 1\r\n`), 'NOT_FOUND\r\n');
    assert.equal(await exchange(`delete ${key}\r\n`), 'DELETED\r\n');
    assert.equal(await exchange('bogus\r\n'), 'ERROR\r\n');
  });

  udpTest(suite, 'noreply over UDP is silent', async (udp) => {
    const key = suite.key();
    const id = udp.takeId();
    await udp.sendDatagram(udpFrame(id, 0, 1, `set ${key} 0 0 1 noreply\r\na\r\n`));
    assert.equal((await udp.exchange(`get ${key}\r\n`)).text, `VALUE ${key} 0 1\r\na\r\nEND\r\n`);
    assert.equal(await udp.reply(id, 0), undefined);
  });

  udpTest(suite, 'a long value comes in several datagrams of at most 1400 bytes, in order', async (udp) => {
    const key = suite.key();
    await using client = await suite.connect();
    const value = Array.from({ length: 9_000 }, (_, index) => String.fromCharCode(33 + (index % 90))).join(
      '',
    );
    await client.expect(`set ${key} 0 0 ${value.length}\r\n${value}\r\n`, 'STORED\r\n');
    const reply = await udp.exchange(`get ${key}\r\n`);
    const expected = `VALUE ${key} 0 ${value.length}\r\n${value}\r\nEND\r\n`;
    assert.equal(reply.text, expected);
    assert.ok(reply.datagramBytesMax <= DATAGRAM_BYTES_MAX);
    assert.equal(reply.datagrams, Math.ceil(expected.length / (DATAGRAM_BYTES_MAX - FRAME_HEAD_BYTES)));
  });

  // memcached 1.6 numbers the datagrams of every value anew, so that a client cannot put such a reply together.
  suite.larderOnly('a multiget whose reply spans datagrams', async () => {
    await using udp = await UdpClient.connect(suite.server().udpPort ?? 0);
    const keys = Array.from({ length: 40 }, () => suite.key('u'));
    await using client = await suite.connect();
    await client.expect(
      keys.map((key) => `set ${key} 0 0 100 noreply\r\n${key.padEnd(100, '.')}\r\n`).join(''),
      '',
    );
    const expected = keys.map((key) => `VALUE ${key} 0 100\r\n${key.padEnd(100, '.')}\r\n`).join('');
    assert.equal((await udp.exchange(`get ${keys.join(' ')}\r\n`)).text, `${expected}END\r\n`);
  });

  udpTest(suite, 'many requests under way keep their ids apart', async (udp) => {
    const keys = Array.from({ length: 50 }, () => suite.key('u'));
    for (const key of keys)
      assert.equal((await udp.exchange(`set ${key} 0 0 ${key.length}\r\n${key}\r\n`)).text, 'STORED\r\n');
    const ids = keys.map(() => udp.takeId());
    for (const [index, key] of keys.entries())
      await udp.sendDatagram(udpFrame(ids[index] ?? 0, 0, 1, `get ${key}\r\n`));
    for (const [index, key] of keys.entries()) {
      const reply = await udp.reply(ids[index] ?? 0);
      assert.equal(reply?.text, `VALUE ${key} 0 ${key.length}\r\n${key}\r\nEND\r\n`);
    }
  });
}

function badDatagramTests(suite: Suite): void {
  udpTest(suite, 'garbage, short datagrams and bad frame heads are dropped', async (udp) => {
    const garbage = Buffer.from(Array.from({ length: 1_200 }, (_, index) => (index * 167 + 13) & 0xff));
    const datagrams = [
      Buffer.alloc(0),
      Buffer.alloc(3),
      Buffer.alloc(7),
      Buffer.alloc(8),
      udpFrame(7, 0, 0, 'version\r\n'),
    ];
    for (const datagram of datagrams) await udp.sendDatagram(datagram);
    await udp.sendDatagram(Buffer.concat([udpFrame(0xfff0, 0, 1, ''), garbage]));
    for (let count = 0; count < 50; count++)
      await udp.sendDatagram(udpFrame(0xfff1, 0, 1, `get ${'\x01\xff'.repeat(count)}`));
    assert.match((await udp.exchange('version\r\n')).text, /^VERSION /);
  });

  udpTest(
    suite,
    'requests of several datagrams are not put together, and nothing is kept of them',
    async (udp) => {
      const key = suite.key();
      await using client = await suite.connect();
      const residentBytes = suite.server().residentBytes();
      for (let count = 0; count < 20_000; count++) {
        // An error is a fair answer; ids of their own keep it apart from the other replies.
        await udp.sendDatagram(udpFrame(count & UNANSWERED_ID_MAX, 0, 2, `get ${key}`));
        if (count % 100 === 0) await udp.exchange('version\r\n');
      }
      assert.match((await udp.exchange('version\r\n')).text, /^VERSION /);
      const grownBytes = suite.server().residentBytes() - residentBytes;
      assert.ok(grownBytes < 16 << 20, `resident memory grew by ${grownBytes} bytes`);
      assert.ok((await readStat(client, 'curr_connections')) < 20);
    },
  );

  udpTest(
    suite,
    'a set whose data is not in the datagram stores nothing and disturbs nobody',
    async (udp) => {
      const key = suite.key();
      await udp.sendDatagram(udpFrame(udp.takeId(), 0, 1, `set ${key} 0 0 100\r\nshort`));
      await using client = await suite.connect();
      await client.expect(`get ${key}\r\n`, 'END\r\n');
      await using second = await UdpClient.connect(suite.server().udpPort ?? 0);
      // memcached may take the next datagram for the rest of the data, and then answers the one after it.
      await second.sendDatagram(udpFrame(second.takeId(), 0, 1, 'version\r\n'));
      await second.sendDatagram(udpFrame(second.takeId(), 0, 1, `${'x'.repeat(100)}\r\nversion\r\n`));
      assert.match((await second.exchange('version\r\n')).text, /^VERSION /);
    },
  );
}

function limitTests(suite: Suite): void {
  suite.larderOnly('a reply longer than the configured number of datagrams is refused', async () => {
    const server = await suite.start({ udp: true, larder: ['--udp-datagrams-max', '3'] });
    await using client = await suite.connect(server);
    await using udp = await UdpClient.connect(server.udpPort ?? 0);
    const value = 'x'.repeat(10_000);
    await client.expect(
      `set a 0 0 ${value.length}\r\n${value}\r\nset b 0 0 1\r\nb\r\n`,
      'STORED\r\nSTORED\r\n',
    );
    const reply = await udp.exchange('get a\r\n');
    assert.match(reply.text, /^SERVER_ERROR .*\r\n$/);
    assert.equal(reply.datagrams, 1);
    assert.equal((await udp.exchange('get b\r\n')).text, 'VALUE b 0 1\r\nb\r\nEND\r\n');
  });
}

export function udpSuite(suite: Suite): void {
  replyTests(suite);
  badDatagramTests(suite);
  limitTests(suite);
}
