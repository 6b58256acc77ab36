import { strict as assert } from 'node:assert';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { Operation, Request } from '@larder/routing';
import { Cache } from './cache.ts';
import type { Trouble } from './events.ts';
import { eachServer } from './testing/each-server.ts';

eachServer((group) => {
  test('values of all kinds come back, missing ones are undefined', async () => {
    await using cache = await group.connect({ keyPrefix: 'values:' });
    const values = { text: 'x', empty: '', number: 4.5, list: [1, { a: null }], when: new Date(7), big: 5n };
    for (const [key, value] of Object.entries(values)) assert.equal(await cache.set(key, value), true);
    for (const [key, value] of Object.entries(values)) assert.deepStrictEqual(await cache.get(key), value);
    assert.deepEqual(await cache.get<Buffer>('nothing'), undefined);
    assert.ok(await cache.set('bytes', new Uint8Array([0, 13, 10, 255])));
    assert.deepEqual([...((await cache.get<Buffer>('bytes')) ?? [])], [0, 13, 10, 255]);
  });

  test('getMany gives a Map of what is there; keys asked for twice are there once', async () => {
    await using cache = await group.connect({ keyPrefix: 'many:' });
    await cache.setMany<unknown>([
      ['a', 1],
      ['b', 'two'],
    ]);
    const found = await cache.getMany(['b', 'nothing', 'a', 'b']);
    assert.deepEqual(
      [...found],
      [
        ['b', 'two'],
        ['a', 1],
      ],
    );
    assert.equal((await cache.getMany([])).size, 0);
  });

  test('gets of one turn are one multiget, however they are issued', async () => {
    await using cache = await group.connect({ keyPrefix: 'turn:' });
    await cache.set('a', 1);
    const before = cache.statistics.multigets;
    const later = async (): Promise<unknown> => {
      await null;
      await null;
      return cache.get('a');
    };
    await Promise.all([cache.get('a'), cache.getMany(['a', 'b', 'c']), later(), cache.get('d')]);
    assert.equal(cache.statistics.multigets, before + 1);
    await Promise.all(Array.from({ length: 250 }, (_, index) => cache.get(`k${index}`)));
    assert.equal(cache.statistics.multigets, before + 4, 'at most 100 keys a line');
  });

  test('add, replace, append, prepend, touch and delete say what they did', async () => {
    await using cache = await group.connect({ keyPrefix: 'stores:' });
    assert.equal(await cache.replace('k', 'x'), false);
    assert.equal(await cache.append('k', 'x'), false);
    assert.equal(await cache.touch('k', '1m'), false);
    assert.equal(await cache.add('k', 'b'), true);
    assert.equal(await cache.add('k', 'x'), false);
    assert.equal(await cache.append('k', 'c'), true);
    assert.equal(await cache.prepend('k', Buffer.from('a')), true);
    assert.equal(await cache.get('k'), 'abc');
    assert.equal(await cache.replace('k', 'new'), true);
    assert.equal(await cache.touch('k', '1m'), true);
    assert.equal(await cache.getAndTouch('k', '1m'), 'new');
    assert.equal(await cache.delete('k'), true);
    assert.equal(await cache.delete('k'), false);
    await cache.setMany([
      ['a', 1],
      ['b', 2],
    ]);
    assert.equal(await cache.deleteMany(['a', 'b', 'c', 'a']), 2);
  });

  test('cas stores only what nobody has changed', async () => {
    await using cache = await group.connect({ keyPrefix: 'cas:' });
    assert.equal(await cache.gets('k'), undefined);
    assert.equal(await cache.cas('k', 1, 5n), 'missing');
    await cache.set('k', { version: 1 });
    const found = await cache.gets<{ version: number }>('k');
    assert.deepEqual(found?.value, { version: 1 });
    assert.equal(await cache.cas('k', { version: 2 }, found?.cas ?? 0n), 'stored');
    assert.equal(await cache.cas('k', { version: 3 }, found?.cas ?? 0n), 'exists');
    assert.deepEqual(await cache.get('k'), { version: 2 });
  });

  test('incr and decr count, begin with an initial value, and refuse what is no number', async () => {
    await using cache = await group.connect({ keyPrefix: 'count:' });
    assert.equal(await cache.incr('n'), undefined);
    assert.equal(await cache.incr('n', 1, { initial: 10, ttl: '1m' }), 10);
    assert.equal(await cache.incr('n', 5n), 15);
    assert.equal(await cache.decr('n', 100), 0);
    assert.equal(await cache.get('n'), 0);
    await cache.set('text', 'x');
    await assert.rejects(cache.incr('text'), { code: 'NOT_NUMBER', key: 'text' });
    await assert.rejects(cache.incr('n', -1), { code: 'INVALID_VALUE' });
    const counts = Array.from({ length: 20 }, () => cache.incr('race', 1, { initial: 1 }));
    assert.deepEqual(
      (await Promise.all(counts)).sort((one, other) => (one ?? 0) - (other ?? 0)),
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
  });

  test('values expire, and a ttl of 0 expires at once', async () => {
    await using cache = await group.connect({ keyPrefix: 'ttl:', ttl: '1h' });
    await cache.set('gone', 'x', { ttl: 0 });
    assert.equal(await cache.get('gone'), undefined);
    await cache.set('stays', 'x', { ttl: '400d' });
    assert.equal(await cache.get('stays'), 'x');
  });

  test('keys of any length and form', async () => {
    await using cache = await group.connect({ keyPrefix: 'keys:' });
    const keys = ['a b', 'x'.repeat(1000), 'ключ', 'line\r\nbreak', '/a/b/c', 'x'.repeat(245)];
    for (const [index, key] of keys.entries()) assert.equal(await cache.set(key, index), true, key);
    const found = await cache.getMany<number>(keys);
    assert.deepEqual(
      keys.map((key) => found.get(key)),
      [0, 1, 2, 3, 4, 5],
    );
  });

  test('large values are split, and a missing part makes a miss', async () => {
    await using cache = await group.connect({ keyPrefix: 'large:' });
    const value = { rows: Array.from({ length: 70_000 }, (_, index) => `row number ${index} of the report`) };
    assert.equal(await cache.set('report', value), true);
    assert.deepStrictEqual(await cache.get('report'), value);
    assert.deepStrictEqual((await cache.gets('report'))?.value, value);
    let parts = 0;
    for await (const key of cache.keys('report~')) {
      parts += 1;
      if (key.endsWith('.1')) await cache.delete(key);
    }
    assert.equal(parts, 3);
    assert.equal(await cache.get('report'), undefined);
    assert.equal(cache.statistics.decodeFailures, 1);
    assert.equal(await cache.set('report', value), true, 'it is replaced at once');
    assert.deepStrictEqual(await cache.get('report'), value);
  });

  test('a split value whose length or checksum is not that of its manifest is a miss', async () => {
    await using cache = await group.connect({ keyPrefix: 'damaged:', chunkBytes: 4096 });
    const raw = (operation: Operation): Request => Request.of(operation, 'damaged:report');
    const changes = [
      (manifest: string) => manifest.replace(' 10000 ', ' 10001 '),
      (manifest: string) => manifest.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')),
      (manifest: string) => manifest,
    ];
    for (const [index, change] of changes.entries()) {
      await cache.set('report', Buffer.alloc(10_000, 'v'));
      const { value, flags } = await cache.routes.route(raw(Operation.get));
      const changed = Object.assign(raw(Operation.set), { value: Buffer.from(change(String(value))), flags });
      await cache.routes.route(changed);
      const read = cache.get<Buffer>('report', { throwOnTrouble: true });
      if (index < 2) await assert.rejects(read, { code: 'DECODE' });
      else assert.equal((await read)?.length, 10_000);
    }
    await cache.set('report', Buffer.alloc(10_000, 'v'));
    for await (const key of cache.keys('report~'))
      if (key.endsWith('.1')) await cache.set(key, 'another part');
    await assert.rejects(cache.get('report', { throwOnTrouble: true }), { code: 'DECODE' });
  });

  test('what cannot be read is replaced by who fetches and sets it', async () => {
    await using cache = await group.connect({ keyPrefix: 'unreadable:' });
    const schema = {
      encode: (text: string) => Buffer.from(text),
      decode: (bytes: Uint8Array) => String(bytes),
    };
    const reads = [() => cache.get('k', { schema }), () => cache.gets('k', { schema: schema as never })];
    for (const read of reads) {
      await cache.set('k', { of: 'an older version' });
      assert.equal(await read(), undefined);
      assert.equal(await cache.set('k', 'new', { schema }), true);
      assert.equal(await cache.get('k', { schema }), 'new');
    }
    assert.equal(cache.statistics.decodeFailures, 2);
    assert.equal(cache.statistics.storesSkipped, 0);
  });

  test('a large value filled with a lease is whole', async () => {
    await using cache = await group.connect({ keyPrefix: 'large:', chunkBytes: 4096 });
    const made = await cache.getOrSet('made', () => 'v'.repeat(20_000));
    assert.equal(made.length, 20_000);
    assert.equal(await cache.getOrSet('made', () => 'other'), made);
    assert.equal(await cache.get('made'), made);
  });

  test('update deletes the keys after the work, also when the work fails', async () => {
    await using cache = await group.connect({ keyPrefix: 'update:' });
    await cache.setMany([
      ['a', 1],
      ['b', 1],
      ['c', 1],
    ]);
    const seen: unknown[] = [];
    const result = await cache.update(['a'], async () => {
      seen.push(await cache.get('a'));
      return 7;
    });
    assert.deepEqual([result, ...seen, await cache.get('a')], [7, 1, undefined]);
    await cache.update(
      (id: string) => id,
      () => 'b',
    );
    assert.equal(await cache.get('b'), undefined);
    const failing = cache.update('c', () => Promise.reject(new Error('rolled back')));
    await assert.rejects(failing, /rolled back/);
    assert.equal(await cache.get('c'), undefined);
  });

  test('an aborted call rejects with ABORTED, and the others of its turn do not', async () => {
    await using cache = await group.connect({ keyPrefix: 'abort:' });
    await cache.set('k', 1);
    const controller = new AbortController();
    const aborted = cache.get('k', { signal: controller.signal });
    const other = cache.get('k');
    controller.abort();
    await assert.rejects(aborted, { code: 'ABORTED' });
    assert.equal(await other, 1);
    await assert.rejects(cache.set('k', 2, { signal: AbortSignal.abort() }), { code: 'ABORTED' });
  });

  test('values that other clients wrote are read', async () => {
    await using cache = await group.connect();
    // As the npm package memcached writes them: JSON 2, bytes 4, numbers 8.
    const socket = (await import('node:net')).connect(group.server.port, '127.0.0.1');
    socket.write('set theirs 2 0 7\r\n{"a":1}\r\nset number 8 0 2\r\n17\r\nset text 0 0 2\r\nhi\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    socket.destroy();
    assert.deepEqual(
      [await cache.get('theirs'), await cache.get('number'), await cache.get('text')],
      [{ a: 1 }, 17, 'hi'],
    );
  });
});

/** A server that takes connections and never answers. */
async function silentServer(): Promise<{ address: string; [Symbol.asyncDispose](): Promise<void> }> {
  const server = createServer((socket) => socket.on('error', () => {}).resume());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    address: `127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

async function refusedAddress(): Promise<string> {
  await using server = await silentServer();
  return server.address;
}

test('trouble never breaks the caller: misses and false, counted and told', async () => {
  await using cache = new Cache({ servers: await refusedAddress() });
  const told: Trouble[] = [];
  cache.on('trouble', (trouble) => told.push(trouble));
  assert.equal(await cache.get('a'), undefined);
  assert.equal((await cache.getMany(['a', 'b'])).size, 0);
  assert.equal(await cache.delete('a'), false);
  assert.equal(await cache.incr('a'), undefined);
  assert.equal(await cache.gets('a'), undefined);
  assert.equal(await cache.set('z', 1), false);
  assert.equal(await cache.getOrSet('g', () => 'made'), 'made');
  const { misses, failedGets, storeFailures, deleteFailures } = cache.statistics;
  assert.deepEqual(
    { misses, failedGets, storeFailures, deleteFailures },
    {
      misses: 5,
      failedGets: 5,
      storeFailures: 1,
      deleteFailures: 1,
    },
  );
  assert.deepEqual([...new Set(told.map(({ operation }) => operation))].sort(), [
    'delete',
    'get',
    'getOrSet',
    'gets',
    'incr',
    'set',
  ]);
  assert.ok(told.every(({ error }) => error.isTrouble));
});

test('trouble is thrown to who asks for it, by cache or by call', async () => {
  const servers = await refusedAddress();
  await using strict = new Cache({ servers, throwOnTrouble: true });
  await assert.rejects(strict.get('a'), (error: { code: string }) =>
    ['CONNECTION', 'UNAVAILABLE'].includes(error.code),
  );
  await assert.rejects(strict.set('b', 1), { name: 'CacheError' });
  await assert.rejects(
    strict.getOrSet('c', () => 1),
    { name: 'CacheError' },
  );
  assert.equal(await strict.get('d', { throwOnTrouble: false }), undefined);
  await using lenient = new Cache({ servers });
  await assert.rejects(lenient.delete('a', { throwOnTrouble: true }), { name: 'CacheError' });
});

test('a server that never answers costs one time-out, is a miss, and makes the window smaller', async () => {
  await using server = await silentServer();
  await using cache = await Cache.connect({
    servers: server.address,
    timeout: 60,
    window: { initial: 8, min: 2 },
  });
  const startedMs = performance.now();
  assert.equal(await cache.get('a', { throwOnTrouble: false }), undefined);
  assert.ok(performance.now() - startedMs < 1000);
  assert.equal(cache.window.state.size, 4);
  assert.equal(cache.window.state.losses, 1);
});

test('after a failed get the key is not set for a while; other keys are', async () => {
  await using server = await silentServer();
  await using cache = await Cache.connect({ servers: server.address, timeout: 40, failedGetMemory: 60_000 });
  assert.equal(await cache.get('a'), undefined);
  assert.equal(await cache.set('a', 'from the database'), false);
  assert.equal(cache.statistics.storesSkipped, 1);
  assert.equal(cache.statistics.storeFailures, 0);
  assert.equal(await cache.set('b', 1), false);
  assert.equal(cache.statistics.storeFailures, 1);
});

test('wrong use is always thrown', async () => {
  await using cache = new Cache({ servers: await refusedAddress() });
  await assert.rejects(cache.get(''), { code: 'INVALID_KEY' });
  await assert.rejects(cache.set('k', undefined), { code: 'INVALID_VALUE' });
  await assert.rejects(cache.set('k', 1, { ttl: '5 years' as never }), { code: 'INVALID_DURATION' });
  await assert.rejects(cache.getOrSet('k', undefined as never), { code: 'INVALID_VALUE' });
  await assert.rejects(
    cache.getOrSet('k', () => 1, { ttl: 0 }),
    { code: 'INVALID_CONFIG' },
  );
  assert.throws(() => new Cache({ servers: [] }), { code: 'INVALID_CONFIG' });
  assert.throws(() => new Cache({ servers: 'a:1', config: {} }), /servers and config exclude each other/);
  assert.throws(() => new Cache({ chunkBytes: 3 }), { code: 'INVALID_CONFIG' });
  assert.throws(() => new Cache({ ttl: 'soon' as never }), { code: 'INVALID_DURATION' });
});

test('a bad configuration is told by everything, with its place', async () => {
  await assert.rejects(Cache.connect({ servers: 'host:99999' }), { code: 'INVALID_CONFIG' });
  const config = { pools: { A: { servers: ['127.0.0.1:1'] } }, route: { type: 'NoSuchRoute' } };
  await assert.rejects(Cache.connect({ config }), { code: 'INVALID_CONFIG', message: /NoSuchRoute/ });
  await using cache = new Cache({ config });
  await assert.rejects(cache.get('a'), { code: 'INVALID_CONFIG' });
  await assert.rejects(cache.set('a', 1), { code: 'INVALID_CONFIG' });
  await assert.rejects(
    cache.getOrSet('a', () => 1),
    { code: 'INVALID_CONFIG' },
  );
});

test('a configuration that cannot be read now is trouble, not the end', async () => {
  await using cache = new Cache({ config: { file: '/nowhere/router.json' } });
  await assert.rejects(cache.ready(), { code: 'DISCOVERY', message: /nowhere/ });
  assert.equal(await cache.get('a'), undefined);
  assert.equal(await cache.getOrSet('a', () => 'made'), 'made');
});

test('after close everything rejects with CLOSED, and closing twice is no harm', async () => {
  const cache = new Cache({ servers: await refusedAddress() });
  let isClosed = false;
  cache.once('close', () => {
    isClosed = true;
  });
  await cache.close();
  await cache.close();
  assert.ok(isClosed);
  await assert.rejects(cache.get('a'), { code: 'CLOSED' });
  await assert.rejects(cache.set('a', 1), { code: 'CLOSED' });
  await assert.rejects(
    cache.getOrSet('a', () => 1),
    { code: 'CLOSED' },
  );
});
