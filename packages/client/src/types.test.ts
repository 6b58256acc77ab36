/** What the compiler knows of the calls; nothing is sent. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type DataLoader from 'dataloader';
import { Cache } from './cache.ts';
import type { Loader } from './loader.ts';
import type { ValueSchema } from './values/codec.ts';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Fails to compile when the types differ. */
function same<A, B>(_isSame: Same<A, B>): void {}

test('types of the calls', async () => {
  await using cache = new Cache({
    routes: { name: 'none', children: [], route: () => Promise.reject(new Error('none')) },
  });
  const schema: ValueSchema<{ id: number }, { readonly id: number; lazy: true }> = {
    encode: () => new Uint8Array(1),
    decode: () => ({ id: 1, lazy: true }),
  };
  const calls = {
    get: () => cache.get('k'),
    getTyped: () => cache.get<string>('k'),
    getView: () => cache.get('k', { schema }),
    many: () => cache.getMany<number>(['k']),
    manyViews: () => cache.getMany(['k'], { schema }),
    made: () => cache.getOrSet('k', () => ({ a: 1 })),
    madeLater: () => cache.getOrSet('k', () => Promise.resolve('x'), { ttl: '1m' }),
    madeOrNot: () => cache.getOrSet('k', () => undefined as number | undefined, { negativeTtl: '5s' }),
    madeView: () => cache.getOrSet('k', () => ({ id: 1 }), { schema }),
    updated: () => cache.update(['k'], () => Promise.resolve(7)),
    updatedBy: () =>
      cache.update(
        (row: { id: number }) => `k:${row.id}`,
        () => ({ id: 1 }),
      ),
    counted: () => cache.incr('k', 1n),
  };
  type Result<Name extends keyof typeof calls> = Awaited<ReturnType<(typeof calls)[Name]>>;
  same<Result<'get'>, unknown>(true);
  same<Result<'getTyped'>, string | undefined>(true);
  same<Result<'getView'>, { readonly id: number; lazy: true } | undefined>(true);
  same<Result<'many'>, Map<string, number>>(true);
  same<Result<'manyViews'>, Map<string, { readonly id: number; lazy: true }>>(true);
  same<Result<'made'>, { a: number }>(true);
  same<Result<'madeLater'>, string>(true);
  same<Result<'madeOrNot'>, number | undefined>(true);
  same<Result<'madeView'>, { readonly id: number; lazy: true } | undefined>(true);
  same<Result<'updated'>, number>(true);
  same<Result<'updatedBy'>, { id: number }>(true);
  same<Result<'counted'>, number | undefined>(true);
  // @ts-expect-error: a duration has a unit.
  const wrong: Parameters<typeof cache.touch> = ['k', '30 parsecs'];
  assert.equal(wrong.length, 2);
  // A loader can stand where a DataLoader is expected.
  const accepts = (_loader: Pick<DataLoader<number, string>, 'load' | 'loadMany' | 'name'>): void => {};
  accepts({} as Loader<number, string>);
});
