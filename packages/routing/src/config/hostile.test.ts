/** Configurations that mean no good: each is refused with its place, soon, and nothing is left of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RoutingError } from '../errors.ts';
import { Operation, Request } from '../request.ts';
import { Routing } from '../routing.ts';
import { traverse } from '../traverse.ts';

const nested = (open: string, depth: number, close: string): string =>
  `{"route":${open.repeat(depth)}1${close.repeat(depth)}}`;

const pools = (count: number, pool: (index: number) => object): object =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, pool(index)]));

const doubled = (levels: number): object => ({
  named_handles: Object.fromEntries([
    ...Array.from({ length: levels }, (_, index) => [
      `n${index}`,
      { type: 'AllSyncRoute', children: [`n${index + 1}`, `n${index + 1}`] },
    ]),
    [`n${levels}`, { type: 'DevNullRoute' }],
  ]),
  route: 'n0',
});

const cases: readonly (readonly [string, string | object, RegExp])[] = [
  [
    'lists in lists',
    nested('[', 100_000, ']'),
    /^line 1, column \d+: nested deeper than 128 \(CONFIG_DEPTH_MAX\)$/,
  ],
  ['objects in objects', nested('{"a":', 100_000, '}'), /CONFIG_DEPTH_MAX/],
  [
    'depth behind comments and texts that look like it',
    `/* [ */ // [\n{"a\\"[": "[[", "route":${'['.repeat(200)}`,
    /^line 2, column \d+: nested deeper/,
  ],
  [
    'a pool called __proto__',
    '{"pools":{"__proto__":{"servers":["a:1"]}},"route":"NullRoute"}',
    /^line 1, column 11: nothing can be named "__proto__"$/,
  ],
  ['an escaped one', String.raw`{ "\u005f_proto__" /* : */ : {"route":"NullRoute"} }`, /__proto__/],
  [
    'macros called __proto__',
    '{"macros":{"__proto__":{"type":"macroDef","result":1}},"route":"@__proto__"}',
    /__proto__/,
  ],
  [
    'a circle of names',
    { named_handles: { a: { type: 'AllSyncRoute', children: ['a'] } }, route: 'a' },
    /in a circle/,
  ],
  [
    'a circle of pools',
    { pools: { a: { inherit: 'b' }, b: { inherit: 'a' } }, route: 'NullRoute' },
    /in a circle/,
  ],
  [
    'a long line of heirs',
    {
      pools: pools(5000, (index) => (index === 0 ? { servers: ['a:1'] } : { inherit: `p${index - 1}` })),
      route: 'PoolRoute|p4999',
    },
    /POOL_INHERITANCE_MAX/,
  ],
  [
    'three hundred thousand pools',
    { pools: pools(300_000, () => ({})), route: 'NullRoute' },
    /^pools: there are 300000, at most 10000 \(POOLS_MAX\)$/,
  ],
  ['two to the fortieth ways', doubled(40), /^route: 1099511627776 ways .* \(ROUTE_PATHS_MAX\)$/],
  [
    'a name with a line end',
    { pools: { a: { servers: ['a:1'], user: 'a\r\nflush_all', password: 'b' } }, route: 'PoolRoute|a' },
    /^pools\.a\.user: expected a name without/,
  ],
  [
    'a host with a NUL',
    { pools: { a: { servers: ['a\0b:1'] } }, route: 'PoolRoute|a' },
    /^pools\.a\.servers\[0\]: /,
  ],
  ['a type of all objects', { route: { type: 'constructor' } }, /^route\.type: "constructor" is neither/],
  ['a pool of all objects', { route: 'PoolRoute|toString' }, /pool "toString" does not exist/],
];

for (const [name, config, says] of cases) {
  test(`${name}: refused`, async () => {
    const startedAt = performance.now();
    await assert.rejects(Routing.open({ config: config as string }), (error) => {
      assert.ok(error instanceof RoutingError);
      assert.equal(error.code, 'CONFIG');
      assert.match(error.message, says);
      return true;
    });
    assert.ok(performance.now() - startedAt < 10_000, 'soon');
    assert.equal(({} as { route?: unknown }).route, undefined);
  });
}

test('what "__proto__" is not the name of may hold it', async () => {
  await using routing = await Routing.open({
    config: {
      route: {
        type: 'PrefixSelectorRoute',
        policies: { '__proto__:': 'NullRoute' },
        wildcard: 'ErrorRoute|__proto__',
      },
    },
  });
  const reply = await routing.route(Request.of(Operation.get, '__proto__:1'));
  assert.equal(reply.isError, false);
});

test('many ways are told up to a limit', async () => {
  await using routing = await Routing.open({ config: doubled(20) as { readonly [name: string]: unknown } });
  assert.equal(traverse(routing, Request.of(Operation.get, 'k')).length, 100_000);
});
