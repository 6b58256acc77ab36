import { strict as assert } from 'node:assert';
import { createSocket, type Socket } from 'node:dgram';
import { test } from 'node:test';
import { Cache } from '../cache.ts';
import { eachServer, type ServerGroup } from '../testing/each-server.ts';

/** What the relay does with the datagrams of one reply: which ones it passes on, in which order. */
type Fate = (datagrams: readonly Buffer[]) => readonly Buffer[];

interface Relay extends AsyncDisposable {
  readonly port: number;
  fate: Fate;
  /** Requests that came through. */
  requests: number;
}

/** Stands between client and server and loses or reorders replies. One client, replies of known totals. */
async function relay(serverPort: number): Promise<Relay> {
  const front = createSocket('udp4');
  const back = createSocket('udp4');
  await new Promise<void>((resolve) => front.bind(0, '127.0.0.1', resolve));
  await new Promise<void>((resolve) => back.bind(0, '127.0.0.1', resolve));
  let client = 0;
  const replies = new Map<number, Buffer[]>();
  const own: Relay = {
    port: front.address().port,
    fate: (datagrams) => datagrams,
    requests: 0,
    [Symbol.asyncDispose]: async () => {
      const close = (socket: Socket): Promise<void> =>
        new Promise((resolve) => socket.close(() => resolve()));
      await Promise.all([close(front), close(back)]);
    },
  };
  front.on('message', (datagram, { port }) => {
    client = port;
    own.requests += 1;
    back.send(datagram, serverPort, '127.0.0.1');
  });
  back.on('message', (datagram) => {
    const id = datagram.readUInt16BE(0);
    const datagrams = replies.get(id) ?? [];
    datagrams.push(datagram);
    replies.set(id, datagrams);
    if (datagrams.length < datagram.readUInt16BE(4)) return;
    replies.delete(id);
    for (const each of own.fate(datagrams)) front.send(each, client, '127.0.0.1');
  });
  return own;
}

const connect = (group: ServerGroup, port: number, timeoutMs = 60): Promise<Cache> =>
  group.connect({
    keyPrefix: 'udp:',
    udp: { port, timeout: timeoutMs },
    failedGetMemory: 0,
    window: { initial: 64, min: 4 },
  });

eachServer((group) => {
  test('gets go over UDP, stores and deletes do not', async () => {
    await using between = await relay(group.server.udpPort);
    await using cache = await connect(group, between.port);
    await cache.set('a', { a: 1 });
    await cache.set('long', 'x'.repeat(5000));
    assert.equal(between.requests, 0);
    assert.deepEqual(
      await cache.getMany(['a', 'nothing', 'long']),
      new Map<string, unknown>([
        ['a', { a: 1 }],
        ['long', 'x'.repeat(5000)],
      ]),
    );
    assert.equal(between.requests, 1);
    assert.equal(cache.statistics.udpGets, 1);
    assert.equal(await cache.delete('a'), true);
    assert.equal(await cache.get('a'), undefined);
    assert.equal(cache.statistics.udpLost, 0);
  });

  test('a lost reply is a miss and shrinks the window; nothing is sent again', async () => {
    await using between = await relay(group.server.udpPort);
    await using cache = await connect(group, between.port);
    await cache.set('a', 1);
    between.fate = () => [];
    const size = cache.window.state.size;
    assert.equal(await cache.get('a'), undefined);
    assert.deepEqual([cache.statistics.udpLost, cache.statistics.failedGets, between.requests], [1, 1, 1]);
    assert.equal(cache.window.state.size, size / 2);
    between.fate = (datagrams) => datagrams;
    assert.equal(await cache.get('a'), 1);
  });

  test('a datagram lost in the middle, and one out of order, are misses at once, not after the time-out', async () => {
    await using between = await relay(group.server.udpPort);
    // Longer than a test may take.
    await using cache = await connect(group, between.port, 600_000);
    await cache.set('long', 'y'.repeat(5000));
    between.fate = ([first, _second, ...rest]) => [first!, ...rest];
    assert.equal(await cache.get('long'), undefined);
    between.fate = ([first, second, ...rest]) => [second!, first!, ...rest];
    assert.equal(await cache.get('long'), undefined);
    between.fate = (datagrams) => datagrams;
    assert.equal(await cache.get('long'), 'y'.repeat(5000));
    assert.equal(cache.statistics.udpLost, 2);
  });

  test('the same reply twice, and one that comes too late, do no harm', async () => {
    await using between = await relay(group.server.udpPort);
    await using cache = await connect(group, between.port);
    await cache.set('a', 'A');
    await cache.set('b', 'B');
    between.fate = (datagrams) => [...datagrams, ...datagrams];
    for (let round = 0; round < 10; round++) {
      // memcached's datagrams of several values cannot be told from the same one twice: one at a time there.
      const first = cache.get('a');
      if (group.kind === 'memcached') await first;
      assert.deepEqual(await Promise.all([first, cache.get('b')]), ['A', 'B']);
    }
    assert.equal(cache.statistics.udpLost, 0);
  });

  test('whatever is lost, repeated or reordered: a get gives its value or nothing, never another', async () => {
    await using between = await relay(group.server.udpPort);
    await using cache = await connect(group, between.port, 30);
    const keys = Array.from({ length: 12 }, (_, index) => `mixed${index}`);
    // memcached's datagrams of long values cannot be told apart: they would come over TCP.
    const long = group.kind === 'memcached' ? 3 : 400;
    const expected = new Map(keys.map((key, index) => [key, key.repeat(index % 3 === 0 ? long : 2)]));
    await cache.setMany([...expected].slice(0, 10));
    let seed = 7;
    const chance = (): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed / 2 ** 31;
    };
    const badFate: Fate = (datagrams) => {
      const passed = datagrams.flatMap((each) =>
        chance() < 0.1 ? [] : chance() < 0.1 ? [each, each] : [each],
      );
      return chance() < 0.1 ? passed.reverse() : passed;
    };
    let hits = 0;
    for (let round = 0; round < 60; round++) {
      // Not so many losses in a row that gets go over TCP.
      between.fate = round % 2 === 0 ? badFate : (datagrams) => datagrams;
      const found = await cache.getMany<string>(keys);
      for (const [key, value] of found) assert.ok(value === expected.get(key), `round ${round}`);
      hits += found.size;
      if (round % 2 === 1) assert.equal(found.size, 10, `round ${round}: nothing is lost`);
    }
    const { udpLost, udpGets } = cache.statistics;
    assert.ok(udpLost > 0 && udpGets === 60, `${udpLost} of ${udpGets} lost`);
    assert.ok(hits < 600);
  });

  test('after several losses in a row the server is asked over TCP', async () => {
    await using between = await relay(group.server.udpPort);
    await using cache = await connect(group, between.port);
    await cache.set('a', 1);
    between.fate = () => [];
    for (let loss = 0; loss < 3; loss++) assert.equal(await cache.get('a'), undefined);
    assert.equal(await cache.get('a'), 1);
    assert.equal(between.requests, 3);
  });

  test('more keys than a datagram holds are several requests', async () => {
    await using cache = await connect(group, group.server.udpPort);
    const keys = Array.from({ length: 60 }, (_, index) => `${'k'.repeat(80)}${index}`);
    await cache.setMany(keys.map((key, index) => [key, index] as const));
    const found = await cache.getMany(keys);
    assert.equal(found.size, 60);
    assert.ok(cache.statistics.udpGets >= 4);
  });

  test('a reply that is too large for datagrams comes over TCP', async () => {
    await using cache = await connect(group, group.server.udpPort);
    await cache.set('huge', 'z'.repeat(200_000));
    const value = await cache.get<string>('huge');
    // memcached has no limit and sends it all; Larder says that it is too large.
    assert.equal(value?.length, 200_000);
  });
});

test('a name that does not resolve makes misses, over UDP too', async () => {
  await using cache = await Cache.connect({ servers: 'no-such-host.invalid:11211', udp: true });
  const codes: string[] = [];
  cache.on('trouble', ({ error }) => codes.push(error.code));
  assert.equal(await cache.get('k'), undefined);
  assert.equal((await cache.getMany(['a', 'b'])).size, 0);
  assert.ok(
    codes.length > 0 && codes.every((code) => code === 'CONNECTION' || code === 'UNAVAILABLE'),
    `${codes}`,
  );
});
