/** Gets over UDP from a server that loses, reorders and repeats datagrams as the test says. */
import assert from 'node:assert/strict';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { ReplyShape } from '@larder/protocol';
import { RESULT_NAMES, type Reply } from '../reply.ts';
import { Operation, Request } from '../request.ts';
import { FakeClock, settle } from '../testing/fake-clock.ts';
import { FakeLinks } from '../testing/fake-links.ts';
import { until } from '../testing/servers.ts';
import { parseAddress } from './address.ts';
import type { ForwardSink } from './destination.ts';
import { DESTINATION_DEFAULTS, Dialect } from './destination-options.ts';
import { Destinations } from './destinations.ts';
import type { ServerDestination } from './server-destination.ts';

const HEADER_BYTES = 8;

/** One datagram as it should arrive. */
function datagram(id: number, sequence: number, total: number, text: string): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + text.length);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt16BE(sequence, 2);
  bytes.writeUInt16BE(total, 4);
  bytes.write(text, HEADER_BYTES, 'latin1');
  return bytes;
}

interface Bench extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly links: FakeLinks;
  readonly destination: ServerDestination;
  /** Requests as they arrived: their lines. */
  readonly seen: string[];
  ask(key: string): Promise<Reply>;
}

/** `answer` makes the datagrams that come back for a request. */
async function bench(
  answer: (line: string, id: number) => readonly Buffer[],
  dialect: Dialect = Dialect.larder,
): Promise<Bench> {
  const seen: string[] = [];
  const server: Socket = createSocket('udp4');
  server.on('message', (bytes: Buffer, from: RemoteInfo) => {
    assert.deepEqual([bytes.readUInt16BE(2), bytes.readUInt16BE(4), bytes.readUInt16BE(6)], [0, 1, 0]);
    const line = bytes.toString('latin1', HEADER_BYTES);
    seen.push(line);
    for (const each of answer(line, bytes.readUInt16BE(0))) server.send(each, from.port, from.address);
  });
  await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
  const clock = new FakeClock();
  const links = new FakeLinks();
  const destination = new Destinations({ clock, random: () => 0.999999, links }).get(
    parseAddress('127.0.0.1:1').address,
    { ...DESTINATION_DEFAULTS, dialect, udpPort: (server.address() as AddressInfo).port, timeoutMs: 100 },
  );
  return {
    clock,
    links,
    destination,
    seen,
    ask: (key) => destination.route(Request.of(Operation.get, key)),
    [Symbol.asyncDispose]: async () => {
      destination.close();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function names(replies: readonly Promise<Reply>[]): Promise<(string | undefined)[]> {
  return (await Promise.all(replies)).map((reply) => RESULT_NAMES[reply.result]);
}

test('a reply of several datagrams is put together; ids wrap around', async () => {
  await using udp = await bench((line, id) => {
    if (line === 'get a b c\r\n') {
      return [
        datagram(id, 0, 2, 'VALUE a 5 5\r\nEN'),
        datagram(id, 1, 2, 'D\r\n\r\nVALUE c 0 1\r\nx\r\nEND\r\n'),
      ];
    }
    return [datagram(id, 0, 1, 'END\r\n')];
  });
  const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((key) => udp.ask(key)));
  assert.deepEqual([a?.value.toString(), a?.flags], ['END\r\n', 5]);
  assert.deepEqual(
    [b, c].map((reply) => RESULT_NAMES[reply!.result]),
    ['miss', 'hit'],
  );
  for (let index = 0; index < 3; index++) assert.deepEqual(await names([udp.ask('k')]), ['miss']);
  assert.equal(udp.links.opened.length, 0);
  assert.equal(udp.destination.statistics.outstanding, 0);
});

/** What memcached 1.6 sends for a value: a message of its own, numbered from 0. */
function messages(id: number, ...all: readonly (readonly string[])[]): Buffer[] {
  return all.flatMap((parts) => parts.map((text, sequence) => datagram(id, sequence, parts.length, text)));
}

for (const dialect of [Dialect.memcached, Dialect.auto]) {
  test(`${dialect}: memcached has a message for each value, and an empty one for first keys that are missing`, async () => {
    await using udp = await bench((line, id) => {
      if (line === 'get long\r\n') return messages(id, ['VALUE long 0 8\r\nlo', 'ng END\r\nE', 'ND\r\n']);
      const b = ['VALUE b 7 5\r\nEND\r\n\r\n'];
      return [datagram(id, 0, 0, ''), ...messages(id, b, ['VALUE d 0 1\r\nx\r\n'], ['END\r\n'])];
    }, dialect);
    const replies = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((key) => udp.ask(key)));
    assert.deepEqual(
      [...replies, await udp.ask('long')].map(
        (reply) => `${RESULT_NAMES[reply.result]} ${reply.value} ${reply.flags}`,
      ),
      ['miss  0', 'hit END\r\n 7', 'miss  0', 'hit x 0', 'miss  0', 'hit long END 0'],
    );
    assert.deepEqual(udp.seen, ['get a b c d e\r\n', 'get long\r\n']);
    assert.equal(udp.links.opened.length, 0);
  });
}

test('memcached: a value of several datagrams among others is asked for over TCP', async () => {
  let rounds = 0;
  await using udp = await bench((line, id) => {
    if (line === 'get c\r\n') return messages(id, ['END\r\n']);
    rounds++;
    // The second part of a and the first one of b are lost: what is left looks like a value.
    return [datagram(id, 0, 2, 'VALUE a 0 8\r\naaaa'), datagram(id, 1, 2, 'bbbb\r\nEND\r\n')];
  }, Dialect.memcached);
  for (const values of ['aaaaaaaa', 'AAAAAAAA']) {
    const gets = ['a', 'b'].map((key) => udp.ask(key));
    await until('it goes over TCP', () => (udp.links.opened.length === 1 ? true : undefined));
    const link = udp.links.last;
    await until('the line is sent', () => (link.sent() === 'get a b\r\n' ? true : undefined));
    link.reply(`VALUE a 0 8\r\n${values}\r\nVALUE b 0 1\r\nb\r\nEND\r\n`);
    assert.deepEqual(
      (await Promise.all(gets)).map(({ value }) => value.toString()),
      [values, 'b'],
    );
  }
  assert.equal(rounds, 1, 'for a while several keys are not even tried');
  assert.deepEqual(await names([udp.ask('c')]), ['miss']);
  assert.equal(udp.links.last.sent(), '', 'one key goes over UDP');
});

test('a reply of nearly as many datagrams as the limit allows', async () => {
  const total = 1000;
  await using udp = await bench((_line, id) =>
    Array.from({ length: total }, (_, index) => {
      const tail = index === total - 1 ? '\r\nEND\r\n' : '';
      return datagram(id, index, total, index === 0 ? `VALUE k 0 ${total - 1}\r\n` : `x${tail}`);
    }),
  );
  assert.equal((await udp.ask('k')).value.toString(), 'x'.repeat(total - 1));
});

test('what is forwarded goes by datagrams too, and the reply comes as bytes', async () => {
  await using udp = await bench((line, id) => {
    if (line === 'get large\r\n') return [datagram(id, 0, 1, 'SERVER_ERROR reply too large for UDP\r\n')];
    return [datagram(id, 0, 2, 'VALUE a 0 1\r\n'), datagram(id, 1, 2, 'x\r\nEND\r\n')];
  });
  const told: string[] = [];
  const sink: ForwardSink = {
    onBytes: (tag, bytes, start, end) => told.push(`${tag} ${bytes.toString('latin1', start, end)}`),
    onFailure: (tag, result) => told.push(`${tag} ${RESULT_NAMES[result]}`),
  };
  const forward = (line: string, tag: number): void => {
    const bytes = Buffer.from(`??${line}??`);
    assert.equal(
      udp.destination.forward(bytes, 2, bytes.length - 2, ReplyShape.values, sink, tag),
      undefined,
    );
    bytes.fill(0);
  };
  const answers = (count: number): Promise<true> =>
    until('an answer', () => (told.length === count ? true : undefined));
  forward('get a b\r\n', 1);
  await answers(1);
  assert.deepEqual(told, ['1 VALUE a 0 1\r\nx\r\nEND\r\n']);
  assert.equal(udp.links.opened.length, 0);
  forward('get large\r\n', 2);
  await until('it goes over TCP', () => (udp.links.opened.length === 1 ? true : undefined));
  udp.links.last.reply('END\r\n');
  await answers(2);
  assert.equal(told[1], '2 END\r\n');
  // What changes something has to arrive, and what is too long for a datagram does not.
  forward('gat 5 k\r\n', 3);
  forward(`get ${'k'.repeat(200)}${` ${'k'.repeat(200)}`.repeat(9)}\r\n`, 4);
  udp.links.last.reply('END\r\nEND\r\n');
  await answers(4);
  assert.equal(udp.seen.length, 2);
  assert.equal(udp.destination.statistics.outstanding, 0);
});

test('a port that is closed: everything goes over TCP', async () => {
  const closed = createSocket('udp4');
  await new Promise<void>((resolve) => closed.bind(0, '127.0.0.1', resolve));
  const { port } = closed.address();
  await new Promise<void>((resolve) => closed.close(resolve));
  const links = new FakeLinks();
  const options = { ...DESTINATION_DEFAULTS, dialect: Dialect.larder, udpPort: port };
  const destination = new Destinations({ clock: new FakeClock(), random: () => 0, links }).get(
    parseAddress('127.0.0.1:1').address,
    options,
  );
  const reply = destination.route(Request.of(Operation.get, 'k'));
  await until('it goes over TCP', () => (links.opened.length === 1 ? true : undefined));
  assert.equal(links.last.sent(), 'get k\r\n');
  links.last.reply('END\r\n');
  assert.deepEqual(await names([reply]), ['miss']);
  assert.equal(destination.statistics.datagramsLost, 0);
  destination.close();
});

test('a lost datagram fails its gets as timed out; what comes late is not taken for another reply', async () => {
  const late: Buffer[] = [];
  await using udp = await bench((line, id) => {
    if (line === 'get late\r\n') {
      late.push(datagram(id, 0, 1, 'VALUE late 0 1\r\nx\r\nEND\r\n'));
      return [];
    }
    return [...late.splice(0), datagram(id, 0, 1, 'END\r\n')];
  });
  const lost = udp.ask('late');
  await until('it was sent', () => (udp.seen.length === 1 ? true : undefined));
  await settle();
  udp.clock.advance(200);
  assert.deepEqual(await names([lost]), ['timeout']);
  assert.deepEqual(await names([udp.ask('other')]), ['miss']);
  assert.equal(udp.destination.state, 'new', 'a loss says nothing about the server');
});

for (const [what, make] of [
  [
    'out of order',
    (id: number) => [datagram(id, 1, 2, 'x\r\nEND\r\n'), datagram(id, 0, 2, 'VALUE k 0 1\r\n')],
  ],
  [
    'repeated',
    (id: number) => [datagram(id, 0, 2, 'VALUE k 0 1\r\n'), datagram(id, 0, 2, 'VALUE k 0 1\r\n')],
  ],
  [
    'of two totals',
    (id: number) => [datagram(id, 0, 2, 'VALUE k 0 1\r\n'), datagram(id, 1, 3, 'x\r\nEND\r\n')],
  ],
  ['too many', (id: number) => [datagram(id, 0, 65535, 'VALUE k 0 1\r\n')]],
  ['no reply', (id: number) => [datagram(id, 0, 1, 'HELLO\r\n')]],
  ['a value without END', (id: number) => [datagram(id, 0, 1, 'VALUE k 0 9\r\nx\r\n')]],
  ['another key', (id: number) => [datagram(id, 0, 1, 'VALUE q 0 1\r\nx\r\nEND\r\n')]],
] as const) {
  test(`datagrams that are ${what} are a failure, not a value`, async () => {
    await using udp = await bench((_line, id) => make(id));
    assert.deepEqual(await names([udp.ask('k')]), ['aborted']);
  });
}

test('after losses in a row gets go over TCP for a while, then over UDP again', async () => {
  let isLossy = true;
  await using udp = await bench((_line, id) => (isLossy ? [] : [datagram(id, 0, 1, 'END\r\n')]));
  for (let loss = 1; loss <= DESTINATION_DEFAULTS.failuresUntilTko; loss++) {
    const lost = udp.ask('k');
    await until('it was sent', () => (udp.seen.length === loss ? true : undefined));
    udp.clock.advance(200);
    assert.deepEqual(await names([lost]), ['timeout']);
  }
  const byStream = udp.ask('k');
  assert.equal(udp.links.last.sent(), 'get k\r\n');
  udp.links.last.reply('END\r\n');
  assert.deepEqual(await names([byStream]), ['miss']);
  isLossy = false;
  udp.clock.advance(10_000);
  assert.deepEqual(await names([udp.ask('k')]), ['miss']);
  assert.equal(udp.seen.length, 4);
});

test('too large for UDP, what may be the stub of a lease, and everything but gets: over TCP', async () => {
  await using udp = await bench(
    (line, id) => [
      datagram(
        id,
        0,
        1,
        line.includes('empty')
          ? 'VALUE empty 0 0\r\n\r\nEND\r\n'
          : 'SERVER_ERROR reply too large for UDP\r\n',
      ),
    ],
    Dialect.memcached,
  );
  for (const [flags, result] of [
    ['', 'hit'],
    [' W', 'miss'],
  ]) {
    const empty = udp.ask('empty');
    await until('it goes over TCP', () => (udp.links.opened.length === 1 ? true : undefined));
    const link = udp.links.last;
    await until('it is asked about', () => (link.sent() === 'get empty\r\n' ? true : undefined));
    link.reply('VALUE empty 0 0\r\n\r\nEND\r\n');
    assert.equal(link.sent(), 'mg empty v f c\r\n');
    link.reply(`VA 0 f0 c1${flags}\r\n\r\n`);
    assert.deepEqual(await names([empty]), [result]);
  }
  const link = udp.links.last;
  const large = udp.ask('large');
  await until('it goes over TCP', () => (link.sent() === 'get large\r\n' ? true : undefined));
  link.reply('END\r\n');
  assert.deepEqual(await names([large]), ['miss']);
  const set = udp.destination.route(Request.of(Operation.set, 'k'));
  assert.equal(link.sent(), 'set k 0 0 0\r\n\r\n');
  link.reply('STORED\r\n');
  assert.deepEqual(await names([set]), ['stored']);
});

test('an empty value of Larder is one: nothing is asked again', async () => {
  await using udp = await bench((_line, id) => [datagram(id, 0, 1, 'VALUE k 0 0\r\n\r\nEND\r\n')]);
  const reply = await udp.ask('k');
  assert.deepEqual([RESULT_NAMES[reply.result], reply.hasValue, reply.valueBytes], ['hit', true, 0]);
  assert.equal(udp.links.opened.length, 0);
});
