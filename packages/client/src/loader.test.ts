import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import DataLoader from 'dataloader';
import type { LoaderOptions } from './loader.ts';
import { eachServer } from './testing/each-server.ts';

/** What both kinds of loaders have in common. */
interface AnyLoader {
  load(key: number): Promise<string>;
  loadMany(keys: readonly number[]): Promise<(string | Error)[]>;
  clear(key: number): unknown;
  clearAll(): unknown;
  prime(key: number, value: string | Error): unknown;
}

/** What dataloader's users do, with what comes of it and which batches were loaded. */
async function script(
  make: (load: (keys: readonly number[]) => Promise<(string | Error)[]>) => AnyLoader,
): Promise<unknown[]> {
  const log: unknown[] = [];
  const loader = make((keys) => {
    log.push(['batch', ...keys]);
    return Promise.resolve(keys.map((key) => (key < 0 ? new Error(`no ${key}`) : `value ${key}`)));
  });
  log.push(await Promise.all([loader.load(1), loader.load(2), loader.load(1)]));
  log.push(await loader.loadMany([2, 3, -1]));
  log.push(await loader.load(-1).catch((error: Error) => error.message));
  loader.prime(9, 'primed');
  loader.prime(1, 'not taken: it is known');
  log.push(await loader.loadMany([9, 1]));
  loader.prime(8, new Error('primed error'));
  log.push(await loader.load(8).catch((error: Error) => error.message));
  loader.clearAll();
  log.push(await loader.load(9));
  assert.throws(() => loader.load(undefined as never), TypeError);
  return log;
}

eachServer((group) => {
  test('the same answers and batches as dataloader', async () => {
    await using cache = await group.connect({ keyPrefix: 'script:' });
    const expected = await script((load) => new DataLoader(load));
    const actual = await script((load) => cache.loader<number, string>(load, { key: (key) => `n:${key}` }));
    assert.deepEqual(actual, expected);
  });

  test('what one loader has loaded the next one finds in the cache', async () => {
    await using cache = await group.connect({ keyPrefix: 'shared:' });
    const batches: number[][] = [];
    const make = (): ReturnType<typeof cache.loader<number, { id: number }>> =>
      cache.loader<number, { id: number }>(
        (keys) => {
          batches.push([...keys]);
          return Promise.resolve(keys.map((id) => ({ id })));
        },
        { key: (id) => `row:${id}`, ttl: '1m' },
      );
    assert.deepEqual(await make().loadMany([1, 2, 3]), [{ id: 1 }, { id: 2 }, { id: 3 }]);
    assert.deepEqual(await make().loadMany([2, 4, 3]), [{ id: 2 }, { id: 4 }, { id: 3 }]);
    const loader = make();
    assert.deepEqual(await loader.load(2), { id: 2 });
    await loader.invalidate(2);
    assert.deepEqual(await loader.load(2), { id: 2 });
    assert.deepEqual(batches, [[1, 2, 3], [4], [2]]);
  });

  test('options of dataloader: sizes of batches, schedule, memo', async () => {
    await using cache = await group.connect({ keyPrefix: 'options:' });
    const batches: number[][] = [];
    const run = async (
      options: Partial<LoaderOptions<number, number, unknown>>,
      base: number,
    ): Promise<void> => {
      const load = (keys: readonly number[]): Promise<number[]> => {
        batches.push([...keys]);
        return Promise.resolve([...keys]);
      };
      const loader = cache.loader<number, number, unknown>(load, { key: (key) => `k:${key}`, ...options });
      await loader.loadMany([base, base + 1, base + 2]);
    };
    await run({ maxBatchSize: 2 }, 0);
    await run({ batch: false }, 10);
    let scheduled = 0;
    await run(
      {
        batchScheduleFn: (callback) => {
          scheduled += 1;
          setImmediate(callback);
        },
      },
      20,
    );
    assert.equal(scheduled, 1);
    assert.deepEqual(batches, [[0, 1], [2], [10], [11], [12], [20, 21, 22]]);
    const loader = cache.loader<{ id: number }, number, number>(
      (keys) => Promise.resolve(keys.map(({ id }) => id)),
      { key: ({ id }) => `o:${id}`, cacheKeyFn: ({ id }) => id, name: 'objects' },
    );
    assert.equal(loader.load({ id: 1 }), loader.load({ id: 1 }), 'the same promise');
    assert.equal(loader.name, 'objects');
    await loader.load({ id: 1 });
  });

  test('a batch of the wrong length fails every load of it', async () => {
    await using cache = await group.connect({ keyPrefix: 'wrong:' });
    const loader = cache.loader<number, number>(() => Promise.resolve([1]), { key: String });
    const [one, other] = await loader.loadMany([1, 2]);
    assert.ok(one instanceof TypeError && other instanceof TypeError);
  });
});
