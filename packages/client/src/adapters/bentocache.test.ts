import { strict as assert } from 'node:assert';
import { after, before, test } from 'node:test';
import { BentoCache, bentostore } from 'bentocache';
import { registerCacheDriverTestSuite } from 'bentocache/test_suite';
import type { Cache } from '../cache.ts';
import { eachServer } from '../testing/each-server.ts';
import { japaLike } from '../testing/expectations.ts';
import { larderDriver } from './bentocache.ts';

eachServer((group) => {
  let cache: Cache;
  before(async () => {
    cache = await group.connect();
  });
  after(() => cache.close());

  japaLike("bentocache's own test suite for drivers", (testLike, groupLike) => {
    registerCacheDriverTestSuite({
      test: testLike as never,
      group: groupLike as never,
      supportsMilliseconds: false,
      createDriver: (options) => {
        const prefix = options?.prefix === undefined ? {} : { prefix: options.prefix };
        return larderDriver({ cache }).factory(prefix);
      },
    });
  });

  test('bentocache with this driver: getOrSet, namespaces, many stores', async () => {
    const store = (): ReturnType<typeof bentostore> => bentostore().useL2Layer(larderDriver({ cache }));
    const one = new BentoCache({ default: 'main', stores: { main: store() } });
    const other = new BentoCache({ default: 'main', stores: { main: store() } });
    let runs = 0;
    const factory = (): { runs: number } => {
      runs += 1;
      return { runs };
    };
    assert.deepEqual(await one.getOrSet({ key: 'k', factory, ttl: '1h' }), { runs: 1 });
    assert.deepEqual(await other.getOrSet({ key: 'k', factory, ttl: '1h' }), { runs: 1 });
    await one.namespace('users').set({ key: '7', value: 'Ada' });
    assert.equal(await other.namespace('users').get({ key: '7' }), 'Ada');
    await one.namespace('users').clear();
    assert.equal(await other.namespace('users').get({ key: '7' }), undefined);
    assert.deepEqual(await other.get({ key: 'k' }), { runs: 1 });
    await Promise.all([one.disconnectAll(), other.disconnectAll()]);
  });
});
