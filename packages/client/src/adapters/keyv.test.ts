import { strict as assert } from 'node:assert';
import { after, before, describe, test } from 'node:test';
import keyvTestSuite, { keyvIteratorTests } from '@keyv/test-suite';
import { createCache } from 'cache-manager';
import { Cacheable } from 'cacheable';
import Keyv from 'keyv';
import { Keyv as Keyv6 } from 'keyv-6';
import type { Cache } from '../cache.ts';
import { eachServer } from '../testing/each-server.ts';
import { vitestLike } from '../testing/expectations.ts';
import { KeyvLarder } from './keyv.ts';

eachServer((group) => {
  let cache: Cache;
  before(async () => {
    cache = await group.connect();
  });
  after(() => cache.close());
  const store = (): KeyvLarder => new KeyvLarder(cache);

  describe("keyv's own test suite", () => {
    keyvTestSuite(vitestLike as never, Keyv, store);
  });

  describe("keyv's own tests of iterators", () => {
    keyvIteratorTests(vitestLike as never, Keyv, store);
  });

  test('keyv 6: moments, many keys, namespaces, iterator', async () => {
    const one = new Keyv6({ store: store(), namespace: 'six' });
    const other = new Keyv6({ store: store(), namespace: 'seven' });
    assert.equal(await one.set('k', { a: 1 }, 60_000), true);
    await other.set('k', 'other');
    assert.deepEqual(await one.get('k'), { a: 1 });
    await one.setMany([
      { key: 'x', value: 1, ttl: 60_000 },
      { key: 'y', value: 2 },
    ]);
    assert.deepEqual(await one.getMany(['x', 'nothing', 'y']), [1, undefined, 2]);
    assert.deepEqual(await one.hasMany(['x', 'nothing']), [true, false]);
    assert.deepEqual(await one.deleteMany(['x', 'nothing']), [true, false]);
    const seen = new Map<unknown, unknown>();
    for await (const [key, value] of one.iterator()) seen.set(key, value);
    assert.deepEqual(
      seen,
      new Map<unknown, unknown>([
        ['k', { a: 1 }],
        ['y', 2],
      ]),
    );
    await one.clear();
    assert.deepEqual([await one.get('k'), await other.get('k')], [undefined, 'other']);
  });

  test('keyv 6: the server itself lets values expire', async () => {
    const adapter = store();
    const keyv = new Keyv6({ store: adapter, namespace: 'expiry' });
    await keyv.set('k', 'x', 60_000);
    let key = '';
    for await (const each of cache.keys()) if (each.endsWith(':k')) key = each;
    assert.notEqual(key, '');
    // A moment in the past is over at once.
    assert.equal(await adapter.set('gone', 'x', Date.now() - 5), true);
    assert.equal(await adapter.get('gone'), undefined);
  });

  test('cache-manager through keyv: wrap runs its function once', async () => {
    const manager = createCache({ stores: [new Keyv({ store: store(), namespace: 'manager' })] });
    await manager.set('k', { a: 1 }, 60_000);
    assert.deepEqual(await manager.get('k'), { a: 1 });
    let runs = 0;
    const load = (): Promise<string> => {
      runs += 1;
      return Promise.resolve('loaded');
    };
    assert.equal(await manager.wrap('w', load, 60_000), 'loaded');
    assert.equal(await manager.wrap('w', load, 60_000), 'loaded');
    assert.equal(runs, 1);
    await manager.mset([
      { key: 'a', value: 1 },
      { key: 'b', value: 2 },
    ]);
    assert.deepEqual(await manager.mget(['a', 'nothing', 'b']), [1, undefined, 2]);
    assert.equal(await manager.del('k'), true);
    await manager.clear();
    assert.equal(await manager.get('a'), undefined);
  });

  test('cacheable through keyv: as its second level', async () => {
    const level = (): Keyv => new Keyv({ store: store(), namespace: 'cacheable' });
    const one = new Cacheable({ secondary: level(), nonBlocking: false });
    const other = new Cacheable({ secondary: level(), nonBlocking: false });
    await one.set('k', { a: 1 }, '1h');
    assert.deepEqual(await other.get('k'), { a: 1 });
    assert.deepEqual(await other.getMany(['k', 'nothing']), [{ a: 1 }, undefined]);
    await one.delete('k');
    assert.equal(await new Cacheable({ secondary: level() }).get('k'), undefined);
  });
});
