/** Gets over UDP from a server that loses, reorders and repeats datagrams as the test says. */
import assert from 'node:assert/strict';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { RESULT_NAMES, type Reply } from '../reply.ts';
import { Operation, Request } from '../request.ts';
import { FakeClock, settle } from '../testing/fake-clock.ts';
import { FakeLinks } from '../testing/fake-links.ts';
import { until } from '../testing/servers.ts';
import { parseAddress } from './address.ts';
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

test('plain memcached gets one key a datagram, and its empty datagrams are dropped', async () => {
  await using udp = await bench(
    (line, id) => [
      datagram(id, 0, 0, ''),
      datagram(id, 0, 1, line === 'get b\r\n' ? 'VALUE b 0 1\r\nx\r\nEND\r\n' : 'END\r\n'),
    ],
    Dialect.memcached,
  );
  assert.deepEqual(await names(['a', 'b', 'c'].map((key) => udp.ask(key))), ['miss', 'hit', 'miss']);
  assert.deepEqual(udp.seen.sort(), ['get a\r\n', 'get b\r\n', 'get c\r\n']);
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

test('too large for UDP, empty values, and everything but gets: over TCP', async () => {
  await using udp = await bench((line, id) => [
    datagram(
      id,
      0,
      1,
      line.includes('empty') ? 'VALUE empty 0 0\r\n\r\nEND\r\n' : 'SERVER_ERROR reply too large for UDP\r\n',
    ),
  ]);
  const empty = udp.ask('empty');
  await until('it goes over TCP', () => (udp.links.opened.length === 1 ? true : undefined));
  const link = udp.links.last;
  assert.equal(link.sent(), 'get empty\r\n');
  link.reply('VALUE empty 0 0\r\n\r\nEND\r\n');
  assert.deepEqual(await names([empty]), ['hit']);
  const large = udp.ask('large');
  await until('it goes over TCP', () => (link.sent() === 'get large\r\n' ? true : undefined));
  link.reply('END\r\n');
  assert.deepEqual(await names([large]), ['miss']);
  const set = udp.destination.route(Request.of(Operation.set, 'k'));
  assert.equal(link.sent(), 'set k 0 0 0\r\n\r\n');
  link.reply('STORED\r\n');
  assert.deepEqual(await names([set]), ['stored']);
});
