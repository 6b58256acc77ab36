/** What mcrouter's users have in their configurations and what has no meaning here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Operation, Request } from '../request.ts';
import type { RouteHandle } from '../route-handle.ts';
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
  [
    'a route',
    { route: { type: 'OperationSelectorRoute', default_polcy: 'NullRoute' } },
    /^route: does not know "default_polcy", is "default_policy" meant\?/,
  ],
  [
    'a pool of a group',
    { clusters: { x: { pools: { A: { servers: ['a:1'], Server_Timeout: 1 } } } }, route: 'NullRoute' },
    /^clusters\.x\.pools\.A: does not know "Server_Timeout", is "server_timeout" meant\?/,
  ],
  ['the frame', { rotes: [], route: 'NullRoute' }, /^the configuration: does not know "rotes", is "route/],
  [
    'a prefix to attach where none is the default',
    {
      pools: { A: { servers: ['a:1'], keep_routing_prefix: true, attach_default_routing_prefix: true } },
      route: 'PoolRoute|A',
    },
    /^pools: attach_default_routing_prefix needs "routes"/,
  ],
  [
    'a prefix to attach for some',
    {
      pools: {
        A: { servers: ['a:1'], keep_routing_prefix: true, attach_default_routing_prefix: true },
        B: { servers: ['b:1'], keep_routing_prefix: true },
      },
      routes: { '/a/a/': { type: 'FailoverRoute', children: ['PoolRoute|A', 'PoolRoute|B'] } },
    },
    /^pools: expected attach_default_routing_prefix of all pools/,
  ],
  [
    'something else is wrong beside a name that means nothing',
    { pools: { A: { servers: 'a:1', anything: 1 } }, route: 'NullRoute' },
    /^pools\.A\.servers: expected array/,
  ],
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
  test(`${where}: refused with its name`, async () => {
    await assert.rejects(Routing.open({ config }), { code: 'CONFIG', message: says });
  });
}

test('names that mean nothing to anybody are told and left out, wherever they stand', async () => {
  const notices: string[] = [];
  await using routing = await Routing.open({
    config: {
      author: 'me',
      pools: { A: { servers: ['10.0.0.1:1'], datacenter: 'west' } },
      clusters: { x: { pools: { B: { servers: ['10.0.0.2:1'], rack: 7, 'shelf life': 1 } } } },
      route: {
        type: 'OperationSelectorRoute',
        operation_policies: { delete: 'PoolRoute|B' },
        default: 'PoolRoute|A',
        default_policy: { type: 'PoolRoute', pool: { name: 'C', servers: ['10.0.0.3:1'], floor: 2 } },
      },
    },
    services: { notice: (text) => notices.push(text) },
  });
  assert.equal([...routing.destinations()].length, 2);
  const told = ' has no meaning here and is ignored: nothing has this name';
  assert.deepEqual(
    notices.sort(),
    [
      `author${told}`,
      `clusters.x.pools.B.rack${told}`,
      `clusters.x.pools.B["shelf life"]${told}`,
      `pools.A.datacenter${told}`,
      `route.default${told}`,
      `route.default_policy.pool.floor${told}`,
    ].sort(),
  );
  assert.equal(routing.direct(Request.of(Operation.get, 'k'))?.label, '10.0.0.3:1');
});

test('a shadow of a part that does not exist is no shadow, and names may stand in brackets', async () => {
  const notices: string[] = [];
  await using routing = await Routing.open({
    config: {
      pools: { A: { servers: ['[localhost]:11132', '[127.0.0.1]:11133', '[::1]:11134'] } },
      route: {
        type: 'PoolRoute',
        pool: 'A',
        shadows: [{ target: 'DevNullRoute', key_fraction_range: [-1, 15] }],
      },
    },
    resolveName: async (host) => ({ addresses: host === 'localhost' ? ['127.0.0.9'] : [], ttlMs: undefined }),
    services: { notice: (text) => notices.push(text) },
  });
  const labels = [...routing.destinations()].map(({ label }) => label);
  assert.deepEqual(labels, ['127.0.0.9:11132', '127.0.0.1:11133', '[::1]:11134']);
  assert.deepEqual(notices, [
    'route.shadows[0] has no meaning here and is ignored: -1 is no part of the keys, which are 0 to 1',
  ]);
  const names = (route: RouteHandle): string[] => [route.name, ...route.children.flatMap(names)];
  assert.ok(!names(routing.root).some((name) => name.includes('shadow') || name.includes('dev')));
});
