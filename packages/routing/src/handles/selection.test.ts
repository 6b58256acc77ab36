/** Handles that only choose: whom, and that `direct` says the same as `route` does. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { Ch3Hash } from '../hashes/ch3.ts';
import { Result } from '../reply.ts';
import { Operation, Request } from '../request.ts';
import { Routing } from '../routing.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { PrefixSelectorRoute } from './prefix-selector-route.ts';
import { FakeCache } from './testing/fake-cache.ts';
import { Harness } from './testing/harness.ts';

const FOUR: readonly string[] = ['Fake|0', 'Fake|1', 'Fake|2', 'Fake|3'];

/** The one fake that the request went to; `direct` has to name the same one. */
async function chosen(harness: Harness, key: string, operation: Operation = Operation.get): Promise<string> {
  const request = harness.request(operation, key);
  const direct = harness.routing.direct(request);
  const reply = await harness.routing.route(request);
  assert.equal(direct, reply.destination);
  return reply.destination?.label ?? '';
}

test('Hash chooses by Ch3 over the part of the key before |#|', async () => {
  await using harness = await Harness.open({ type: 'HashRoute', children: FOUR });
  const hash = new Ch3Hash(4);
  for (let index = 0; index < 50; index++) {
    const key = Buffer.from(`user:${index}`);
    const expected = String(hash.select(key, 0, key.length));
    assert.equal(await chosen(harness, `user:${index}`), expected);
    assert.equal(await chosen(harness, `user:${index}|#|anything`), expected);
  }
});

test('Hash takes a function, a salt, weights and tags beside its children', async () => {
  const keys = Array.from({ length: 60 }, (_, index) => `k${index}`);
  const spreads = new Set<string>();
  for (const options of [
    {},
    { salt: 'x' },
    { hash_func: 'Crc32' },
    { hash_func: 'WeightedCh3', weights: [1, 1, 1, 0] },
    { hash_func: 'Rendezvous', tags: ['a', 'b', 'c', 'd'] },
    { hash_func: 'Ketama', tags: ['a', 'b', 'c', 'd'] },
  ]) {
    await using harness = await Harness.open({ type: 'HashRoute', children: FOUR, ...options });
    const spread: string[] = [];
    for (const key of keys) spread.push(await chosen(harness, key));
    spreads.add(spread.join(''));
    if (options.hash_func === 'WeightedCh3') assert.ok(!spread.includes('3'));
  }
  assert.equal(spreads.size, 6);
});

test('Random asks chance, for every request again', async () => {
  await using harness = await Harness.open({ type: 'RandomRoute', children: FOUR });
  harness.chances = [0, 0.26, 0.5, 0.999];
  const asked: string[] = [];
  for (let turn = 0; turn < 4; turn++) {
    asked.push((await harness.ask(Operation.get, 'k')).destination?.label ?? '');
  }
  assert.deepEqual(asked, ['0', '1', '2', '3']);
  assert.equal(harness.routing.direct(harness.request(Operation.get, 'k')), harness.cache('0'));
});

test('what a token fills goes to the random child that gave it', async () => {
  await using harness = await Harness.open({ type: 'RandomRoute', children: FOUR });
  for (let turn = 0; turn < 4; turn++) {
    const { issuer, destination } = await harness.ask(Operation.get, 'k');
    const fill = Object.assign(harness.request(Operation.metaSet, 'k'), { issuer });
    assert.equal((await harness.routing.route(fill)).destination, destination);
  }
});

test('a replica by client is the same for all keys of a client, and all are used', async () => {
  await using harness = await Harness.open({ type: 'ReplicaByClientRoute', children: FOUR });
  const counts = new Map<string, number>();
  for (let client = 0; client < 400; client++) {
    const clientId = `10.0.${client >> 8}.${client & 255}`;
    const replicas = new Set<string>();
    for (const key of ['a', 'b', 'c']) {
      const request = harness.request(Operation.get, key, { clientId });
      const reply = await harness.routing.route(request);
      assert.equal(harness.routing.direct(request), reply.destination);
      replicas.add(reply.destination?.label ?? '');
    }
    assert.equal(replicas.size, 1);
    for (const replica of replicas) counts.set(replica, (counts.get(replica) ?? 0) + 1);
  }
  assert.equal(counts.size, 4);
  for (const count of counts.values()) assert.ok(count > 60 && count < 140, `${count} of 400 clients`);
});

test('a replica by client: stores go to the own replica, deletes and flushes to all', async () => {
  await using harness = await Harness.open({ type: 'ReplicaByClientRoute', children: FOUR });
  await harness.ask(Operation.set, 'k', { value: 'v', clientId: 'web1' });
  const having = FOUR.map((_, index) => harness.cache(String(index))).filter((cache) => cache.items.size > 0);
  assert.equal(having.length, 1);
  harness.cache('2').failure = Result.timeout;
  for (const operation of [Operation.delete, Operation.metaDelete, Operation.flushAll]) {
    const request = harness.request(operation, 'k', { clientId: 'web1' });
    assert.equal(harness.routing.direct(request), undefined);
    for (let index = 0; index < 4; index++) harness.cache(String(index)).take();
    assert.equal((await harness.routing.route(request)).result, Result.timeout, 'the worst reply');
    for (let index = 0; index < 4; index++) assert.equal(harness.cache(String(index)).take().length, 1);
  }
  assert.equal(having[0]?.items.size, 0);
});

test("OperationSelector chooses by operation, with mcrouter's names too", async () => {
  await using harness = await Harness.open({
    type: 'OperationSelectorRoute',
    default_policy: 'Fake|0',
    operation_policies: { get: 'Fake|1', 'lease-get': 'Fake|2', metaget: 'Fake|3', delete: 'Fake|2' },
  });
  assert.equal(await chosen(harness, 'k', Operation.get), '1');
  assert.equal(await chosen(harness, 'k', Operation.leaseGet), '2');
  assert.equal(await chosen(harness, 'k', Operation.metaGet), '3');
  assert.equal(await chosen(harness, 'k', Operation.delete), '2');
  assert.equal(await chosen(harness, 'k', Operation.set), '0');
  await using without = await Harness.open({
    type: 'OperationSelectorRoute',
    operation_policies: { get: 'Fake|1' },
  });
  assert.equal((await without.ask(Operation.set, 'k')).result, Result.notStored);
});

test('PrefixSelector takes the longest prefix', async () => {
  await using harness = await Harness.open({
    type: 'PrefixSelectorRoute',
    policies: { a: 'Fake|0', ab: 'Fake|1', 'abc:': 'Fake|2' },
    wildcard: 'Fake|3',
  });
  const expected: Readonly<Record<string, string>> = {
    a: '0',
    ax: '0',
    ab: '1',
    abc: '1',
    'abc:': '2',
    'abc:d': '2',
    abd: '1',
    b: '3',
    '': '3',
    é: '3',
  };
  for (const [key, name] of Object.entries(expected)) assert.equal(await chosen(harness, key), name, key);
  await using without = await Harness.open({ type: 'PrefixSelectorRoute', policies: { a: 'Fake|0' } });
  assert.equal((await without.ask(Operation.get, 'b')).result, Result.miss);
});

test('Migrate moves by the clock, and deletes on both sides in between', async () => {
  const start = new FakeClock().wallNow() / 1000 + 100;
  await using harness = await Harness.open({
    type: 'MigrateRoute',
    from: 'Fake|0',
    to: 'Fake|1',
    start_time: start,
    interval: 50,
  });
  const deletes = async (): Promise<string> => {
    harness.cache('0').take();
    harness.cache('1').take();
    const request = harness.request(Operation.delete, 'k');
    const reply = await harness.routing.route(request);
    const asked = ['0', '1'].filter((name) => harness.cache(name).take().length > 0).join('');
    if (asked.length === 1) assert.equal(harness.routing.direct(request), reply.destination);
    else assert.equal(harness.routing.direct(request), undefined);
    return asked;
  };
  assert.deepEqual([await chosen(harness, 'k'), await deletes()], ['0', '0']);
  harness.clock.advance(100_000);
  assert.deepEqual([await chosen(harness, 'k'), await deletes()], ['0', '01']);
  harness.clock.advance(50_000);
  assert.deepEqual([await chosen(harness, 'k'), await deletes()], ['1', '01']);
  harness.cache('0').failure = Result.timeout;
  assert.equal((await harness.ask(Operation.delete, 'k')).result, Result.timeout, 'the worse reply');
  harness.clock.advance(50_000);
  assert.deepEqual([await chosen(harness, 'k'), await deletes()], ['1', '1']);
});

test('what only chooses among what does more is not direct', async () => {
  await using harness = await Harness.open({
    type: 'HashRoute',
    children: [{ type: 'LoggingRoute', target: 'Fake|0' }, 'NullRoute'],
  });
  for (let index = 0; index < 10; index++) {
    assert.equal(harness.routing.direct(harness.request(Operation.get, `k${index}`)), undefined);
  }
});

test('selection tells what it expected', async () => {
  const wrong: readonly (readonly [Record<string, unknown>, RegExp])[] = [
    [
      { type: 'OperationSelectorRoute', operation_policies: { fetch: 'NullRoute' } },
      /operation_policies.*fetch.*name of an operation/s,
    ],
    [{ type: 'OperationSelectorRoute' }, /expected default_policy or operation_policies/],
    [{ type: 'PrefixSelectorRoute' }, /expected policies or wildcard/],
    [
      { type: 'HashRoute', children: ['NullRoute', 'NullRoute'], hash_func: 'Nope' },
      /hash_func.*"Nope" does not exist/s,
    ],
    [{ type: 'HashRoute', children: ['NullRoute', 'NullRoute'], hash_func: 'Rendezvous' }, /expected "tags"/],
    [{ type: 'MigrateRoute', from: 'NullRoute', to: 'NullRoute' }, /start_time/],
  ];
  for (const [route, message] of wrong) await assert.rejects(Harness.open(route), message);
});

test('PrefixSelector is the longest of all prefixes, whatever they are', async () => {
  const piece = fc.string({ unit: fc.constantFrom('a', 'b', ':'), minLength: 1, maxLength: 4 });
  const cache = new FakeCache('wildcard', new FakeClock());
  fc.assert(
    fc.property(
      fc.uniqueArray(piece, { maxLength: 12 }),
      fc.string({ unit: fc.constantFrom('a', 'b', ':', 'é'), maxLength: 8 }),
      (prefixes, key) => {
        const policies = new Map(prefixes.map((prefix) => [prefix, new FakeCache(prefix, new FakeClock())]));
        const route = new PrefixSelectorRoute(policies, cache);
        const longest = prefixes
          .filter((prefix) => key.startsWith(prefix))
          .sort((one, other) => other.length - one.length)[0];
        const request = Request.of(Operation.get, `/r/c/${key}`);
        request.takePrefix(5);
        assert.equal(route.direct(request), longest === undefined ? cache : policies.get(longest));
      },
    ),
    { seed: 20261123, numRuns: 300 },
  );
});

test('a pool route takes hashes with options, weights of the pool, and Latest', async () => {
  const servers = ['127.0.0.1:1', '127.0.0.1:2', '127.0.0.1:3'];
  const open = (hash: unknown): Promise<Routing> =>
    Routing.open({
      config: {
        pools: { A: { servers, weights: [1, 1, 0] } },
        route: { type: 'PoolRoute', pool: 'A', hash },
      },
    });
  await using weighted = await open('WeightedCh3');
  const chosenBy = new Set<string>();
  for (let index = 0; index < 50; index++) {
    chosenBy.add(weighted.direct(Request.of(Operation.get, `k${index}`))?.label ?? '');
  }
  assert.deepEqual([...chosenBy].sort(), servers.slice(0, 2));
  await using latest = await open({ hash_func: 'Latest', failover_count: 2 });
  assert.equal(latest.direct(Request.of(Operation.get, 'k')), undefined, 'it fails over');
  await assert.rejects(open({ hash_func: 'Ketama', weights: [1, 1, 0] }), /route\.hash.*whole weights/s);
});
