/** Families of keys to pools of their own, by rules; regional pools of several clusters. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RoutingError } from '../errors.ts';
import { Operation, Request } from '../request.ts';
import { Routing } from '../routing.ts';

const pools = {
  cluster: { servers: ['10.0.0.1:11211'] },
  other: { servers: ['10.0.0.2:11211'] },
  regional: { servers: ['10.9.0.1:11211'] },
};
const CLUSTER = '10.0.0.1:11211';
const REGIONAL = '10.9.0.1:11211';

async function open(rules: readonly unknown[]): Promise<Routing> {
  return Routing.open({
    config: { pools, route: { type: 'RuleSelectorRoute', rules, default: 'PoolRoute|cluster' } },
  });
}

function where(routing: Routing, key: string, operation: Operation = Operation.get): string | undefined {
  // Inside other bytes, so that nothing outside the key decides.
  const source = Buffer.from(`photo:${key}:archive`);
  return routing.direct(new Request(operation, source, 6, source.length - 8))?.label;
}

test('each condition, alone and together', async () => {
  const route = 'PoolRoute|regional';
  await using routing = await open([
    { prefix: 'photo:', route },
    { suffix: ':archive', route },
    { contains: ':cold:', route },
    { pattern: '^user:[0-9]+:history$', route },
    { prefix: 'log:', operations: ['set', 'delete'], route },
  ]);
  const regional = ['photo:1', 'photo:', 'x:archive', 'a:cold:b', 'user:12:history'];
  for (const key of regional) assert.equal(where(routing, key), REGIONAL, key);
  const cluster = ['phot', 'archive', ':col', 'user:x:history', 'user:12:history2', 'log:1', ''];
  for (const key of cluster) assert.equal(where(routing, key), CLUSTER, key);
  assert.equal(where(routing, 'log:1', Operation.delete), REGIONAL);
});

test('a share of a family: always the same keys, growing, together with what belongs to them', async () => {
  const keys = Array.from({ length: 4000 }, (_, index) => `feed:${index}`);
  let before = new Set<string>();
  for (const percent of [0, 5, 50, 100]) {
    await using routing = await open([{ prefix: 'feed:', percent, route: 'PoolRoute|regional' }]);
    const moved = new Set(keys.filter((key) => where(routing, key) === REGIONAL));
    assert.ok(Math.abs(moved.size / keys.length - percent / 100) < 0.03, `${moved.size} of ${keys.length}`);
    for (const key of before) assert.ok(moved.has(key));
    for (const key of keys.slice(0, 100)) assert.equal(where(routing, `${key}|#|part`), where(routing, key));
    before = moved;
  }
});

test('several clusters share a regional pool, each with its own for the rest', async () => {
  const route = (pool: string): unknown => ({
    type: 'RuleSelectorRoute',
    rules: [{ prefix: 'rare:', route: 'regional' }],
    default: `PoolRoute|${pool}`,
  });
  await using routing = await Routing.open({
    config: {
      pools,
      named_handles: [{ type: 'PoolRoute', name: 'regional', pool: 'regional' }],
      routes: [
        { aliases: ['/west/one/'], route: route('cluster') },
        { aliases: ['/west/two/'], route: route('other') },
      ],
    },
  });
  const [one, two] = routing.root.children;
  const of = (handle: typeof one, key: string): string | undefined =>
    handle?.direct?.(Request.of(Operation.get, key))?.label;
  assert.equal(of(one, 'rare:1'), REGIONAL);
  assert.equal(of(two, 'rare:1'), REGIONAL);
  assert.notEqual(of(one, 'often:1'), of(two, 'often:1'));
});

for (const [rule, path, says] of [
  [{ route: 'NullRoute' }, 'route.rules[0]', /expected a condition/],
  [{ pattern: '(', route: 'NullRoute' }, 'route.rules[0].pattern', /Invalid regular expression/],
  [{ prefix: 'a', route: 'Nowhere' }, 'route.rules[0].route', /neither a route's type/],
  [{ prefix: 'a', percent: 101, route: 'NullRoute' }, 'route.rules[0].percent', /100/],
  [{ operations: ['fly'], route: 'NullRoute' }, 'route.rules[0].operations[0]', /"get"/],
] as const) {
  test(`refused: ${JSON.stringify(rule)}`, async () => {
    await assert.rejects(open([rule]), (error: RoutingError) => {
      assert.equal(error.path, path);
      assert.match(error.message, says);
      return true;
    });
  });
}
