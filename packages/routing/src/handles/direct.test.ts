/** Handles that only choose allocate nothing while they do: asked through `direct`, as the router asks. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { Destination } from '../destination/destination.ts';
import { createKeyHash, type HashJson } from '../hashes/registry.ts';
import { Operation, Request } from '../request.ts';
import type { RouteHandle } from '../route-handle.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { HashRoute } from './hash-route.ts';
import { MigrateRoute } from './migrate-route.ts';
import { OperationSelectorRoute } from './operation-selector-route.ts';
import { PoolRoute } from './pool-route.ts';
import { PrefixSelectorRoute } from './prefix-selector-route.ts';
import { RandomRoute } from './random-route.ts';
import { ReplicaByClientRoute } from './replica-by-client-route.ts';
import { FakeCache } from './testing/fake-cache.ts';

const CALLS = 100_000;
/** What measuring itself may cost, far below one small object per call. */
const BYTES_PER_CALL_MAX = 2;
const caches: readonly Destination[] = Array.from(
  { length: 8 },
  (_, index) => new FakeCache(`${index}`, new FakeClock()),
);
const keys: readonly Buffer[] = Array.from({ length: 64 }, (_, index) =>
  Buffer.from(`user:${index * 31}:name`),
);

function pool(json: HashJson): RouteHandle {
  const names = caches.map((cache) => cache.label);
  const hash = createKeyHash(json, { count: caches.length, names, weights: undefined }, (message) => {
    throw new Error(message);
  });
  return new PoolRoute('A', caches, hash);
}

const ch3 = pool('Ch3');
const ROUTES: Readonly<Record<string, RouteHandle>> = {
  Pool: ch3,
  'Pool by Ketama': pool('Ketama'),
  'Pool by WeightedCh3': pool({ hash_func: 'WeightedCh3', weights: [1, 0.5, 0.5, 0.2, 1, 1, 1, 1] }),
  'Pool by Rendezvous': pool('Rendezvous'),
  'Pool with a salt': pool({ salt: 'x' }),
  Hash: new HashRoute(
    'hash',
    [ch3, ch3],
    createKeyHash('Crc32', { count: 2, names: undefined, weights: undefined }, () => assert.fail()),
  ),
  PrefixSelector: new PrefixSelectorRoute(
    new Map([
      ['user:', ch3],
      ['item:', pool('Jump')],
    ]),
    ch3,
  ),
  OperationSelector: new OperationSelectorRoute(new Map([[Operation.set, ch3]]), ch3),
  ReplicaByClient: new ReplicaByClientRoute(caches, 'this-host'),
  Random: new RandomRoute(caches, () => 0.5),
  Migrate: new MigrateRoute(ch3, pool('Jump'), 0, 10, new FakeClock()),
};

for (const [name, route] of Object.entries(ROUTES)) {
  test(`${name} allocates nothing`, () => {
    const request = Request.of(Operation.get, 'key');
    request.clientId = '10.1.2.3';
    let found = 0;
    const run = (calls: number): void => {
      for (let call = 0; call < calls; call++) {
        const key = keys[call & 63]!;
        request.setKey(key, 0, key.length);
        if (route.direct?.(request) !== undefined) found++;
      }
    };
    run(CALLS);
    // A garbage collection in between hides what was allocated before it, a compilation adds to it: the middle of three.
    const perCall = Array.from({ length: 3 }, () => {
      const before = process.memoryUsage().heapUsed;
      run(CALLS);
      return (process.memoryUsage().heapUsed - before) / CALLS;
    }).sort((one, other) => one - other)[1]!;
    assert.ok(perCall < BYTES_PER_CALL_MAX, `${perCall} bytes per call`);
    assert.equal(found, CALLS * 4);
  });
}
