/** Prefixes with stars: whom they reach, and whose answer counts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeCache } from '../handles/testing/fake-cache.ts';
import { Result } from '../reply.ts';
import { Operation, Request } from '../request.ts';
import { poolConfig, Routing } from '../routing.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { startLarder } from '../testing/servers.ts';
import { RootRoute } from './root-route.ts';

test('servers that see prefixes may see the default one on keys without any', async () => {
  await using server = await startLarder();
  const pool = { servers: [server.address], keep_routing_prefix: true };
  const routes = [
    { aliases: ['/a/a/'], route: 'PoolRoute|A' },
    { aliases: ['/b/b/'], route: 'PoolRoute|B' },
  ];
  const config = { pools: { A: { ...pool, attach_default_routing_prefix: true }, B: pool }, routes };
  await using routing = await Routing.open({ config });
  await using plain = await Routing.open({ config: poolConfig([server.address]) });
  const set = Object.assign(Request.of(Operation.set, 'k'), { value: Buffer.from('v') });
  assert.equal((await routing.route(set)).result, Result.stored);
  const found = async (through: Routing, key: string): Promise<string> =>
    (await through.route(Request.of(Operation.get, key))).value.toString();
  assert.equal(await found(routing, 'k'), 'v');
  assert.equal(await found(routing, '/a/a/k'), 'v');
  assert.equal(await found(plain, '/a/a/k'), 'v', 'that is what the server has');
  assert.equal(await found(plain, 'k'), '');
  assert.equal(await found(routing, '/b/b/k'), '');
  assert.equal(routing.direct(Request.of(Operation.get, 'k')), undefined, 'it is not sent as it is');
});

const clock = new FakeClock();
const caches = ['a', 'b', 'c'].map((name) => new FakeCache(name, clock));
const [a, b, c] = caches as [FakeCache, FakeCache, FakeCache];
const root = new RootRoute(a, [
  { prefix: '/west/a/', route: a },
  { prefix: '/west/b/', route: b },
  { prefix: '/east/c/', route: c },
]);
const asked = (): string => caches.map((cache) => (cache.take().length > 0 ? cache.label : '')).join('');

test('a delete for all is an error if it is one anywhere, whatever the others say', async () => {
  for (const failing of caches) {
    for (const cache of caches) {
      cache.put('k', 'v');
      cache.failure = cache === failing ? Result.timeout : undefined;
    }
    const reply = await root.route(Request.of(Operation.delete, '/*/*/k'));
    assert.equal(reply.result, Result.timeout, failing.label);
    assert.equal(asked(), 'abc');
    for (const cache of caches) if (cache !== failing) assert.equal(cache.value('k'), undefined);
  }
  for (const cache of caches) cache.failure = undefined;
});

test('without an error the first answer counts; a star stays within its part', async () => {
  a.items.clear();
  for (const cache of [b, c]) cache.put('k', 'v');
  assert.equal((await root.route(Request.of(Operation.delete, '/*/*/k'))).result, Result.miss);
  assert.equal(asked(), 'abc');
  a.put('k', 'v');
  assert.equal((await root.route(Request.of(Operation.delete, '/west/*/k'))).result, Result.deleted);
  assert.equal(asked(), 'ab');
  await root.route(Request.of(Operation.delete, '/*/c/k'));
  assert.equal(asked(), 'c');
  assert.equal((await root.route(Request.of(Operation.get, '/*/*/k'))).result, Result.miss);
  assert.equal(asked(), 'a', 'gets go to one');
});
