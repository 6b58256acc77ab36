/** What mcrouter's users have in their configurations and what has no meaning here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Routing } from '../routing.ts';

test('a configuration in mcrouter\u2019s words is taken, what has no meaning is told once, with its place and the reason', async () => {
  const notices: string[] = [];
  const config = {
    pools: {
      A: {
        servers: ['10.0.0.1:1', '10.0.0.2:1'],
        region: 'west',
        qos: { class: 1, path: 2 },
        tko_tracker: { num_tko_threshold_upper: 2, num_tko_threshold_lower: 1 },
        failure_domains: [1, 2],
      },
      B: { inherit: 'A', servers: ['10.0.0.3:1'] },
    },
    route: {
      type: 'FailoverRoute',
      name: 'main',
      enable_lease_pairing: true,
      children: [
        {
          type: 'PoolRoute',
          pool: 'A',
          asynclog_name: 'a',
          weights_rv: 'a-weights',
          max_outstanding: 100,
          slow_warmup: { failoverTarget: 'PoolRoute|B', settings: { min_requests: 10 } },
          shadows: [
            { target: 'PoolRoute|B', index_range: [0, 1], index_range_rv: 'x', key_fraction_range_rv: 'y' },
          ],
        },
        'PoolRoute|B',
      ],
    },
  };
  await using routing = await Routing.open({
    config,
    services: { notice: (text) => notices.push(text) },
  });
  assert.equal([...routing.destinations()].length, 3);
  const child = 'route.children[0]';
  assert.deepEqual(
    notices.map((text) => text.split(' has no meaning here and is ignored: ')[0]).sort(),
    [
      'pools.A.failure_domains',
      'pools.A.qos',
      'pools.A.region',
      'pools.A.tko_tracker',
      `${child}.asynclog_name`,
      `${child}.shadows[0].index_range_rv`,
      `${child}.shadows[0].key_fraction_range_rv`,
      `${child}.weights_rv`,
      'route.enable_lease_pairing',
    ].sort(),
  );
  assert.ok(notices.some((text) => text.endsWith('ignored: packets are not marked')));
  const before = notices.length;
  await using again = await Routing.open({ config: JSON.stringify(config) });
  await again.reload();
  assert.equal(notices.length, before);
});

for (const [where, config, says] of [
  [
    'a pool',
    { pools: { A: { servers: ['a:1'], qoss: 1 } }, route: 'NullRoute' },
    /^pools\.A: does not know "qoss"/,
  ],
  ['a route', { route: { type: 'NullRoute', asynclog_name: 'a' } }, /^route: does not know "asynclog_name"/],
  [
    'what changes where requests go',
    { pools: { A: { servers: ['a:1'] } }, route: { type: 'PoolRoute', pool: 'A', shard_splits: {} } },
    /^route: does not know "shard_splits"/,
  ],
  [
    'a shadow',
    {
      route: {
        type: 'ShadowRoute',
        target: 'NullRoute',
        shadows: [{ target: 'NullRoute', key_range: [0, 1] }],
      },
    },
    /^route\.shadows\[0\]: does not know "key_range"/,
  ],
] as const) {
  test(`${where}: a name that nobody knows is refused`, async () => {
    await assert.rejects(Routing.open({ config }), { code: 'CONFIG', message: says });
  });
}
