/** What is told of where requests would go, held against where they go. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Harness } from './handles/testing/harness.ts';
import type { RouteJson } from './registry.ts';
import { Result } from './reply.ts';
import { OPERATION_NAMES, Operation, Request } from './request.ts';
import { Routing } from './routing.ts';
import { settle } from './testing/fake-clock.ts';
import { reachable, traverse } from './traverse.ts';

const NAMES: readonly string[] = ['a', 'b', 'c', 'd'];
const FAKES: readonly string[] = NAMES.map((name) => `Fake|${name}`);
const HASHED: RouteJson = { type: 'HashRoute', children: FAKES };

/** Routes, and whether each request reaches all that is told even when nothing fails. */
const ROUTES: readonly (readonly [string, RouteJson, boolean])[] = [
  ['a hash', HASHED, true],
  ['all', { type: 'AllSyncRoute', children: FAKES }, true],
  ['a failover over hashes', { type: 'FailoverRoute', children: [HASHED, 'Fake|a'] }, false],
  ['a miss failover', { type: 'MissFailoverRoute', children: FAKES }, false],
  ['chance', { type: 'RandomRoute', children: FAKES }, false],
  [
    'operations',
    {
      type: 'OperationSelectorRoute',
      default_policy: HASHED,
      operation_policies: { set: 'AllSyncRoute|Fake|b' },
    },
    true,
  ],
  [
    'prefixes with a failover behind',
    {
      type: 'PrefixSelectorRoute',
      policies: { 'user:': { type: 'FailoverRoute', children: [HASHED, 'Fake|d'] } },
      wildcard: 'Fake|a',
    },
    false,
  ],
  [
    'rules',
    { type: 'RuleSelectorRoute', rules: [{ prefix: 'user:', route: 'Fake|c' }], default: HASHED },
    true,
  ],
  ['another key', { type: 'ModifyKeyRoute', target: HASHED, ensure_key_prefix: 'x:' }, true],
  ['a split key', { type: 'KeySplitRoute', destination: HASHED, replicas: 3, all_sync: true }, true],
  ['replicas', { type: 'ReplicaByClientRoute', children: FAKES }, true],
  ['two levels', { type: 'L1L2CacheRoute', l1: 'Fake|a', l2: HASHED, upgradingL1Exptime: 10 }, false],
  ['a warm-up', { type: 'WarmUpRoute', cold: HASHED, warm: 'Fake|d' }, false],
  ['a slow warm-up', { type: 'SlowWarmUpRoute', target: HASHED, failoverTarget: 'Fake|d' }, false],
  [
    'shadows',
    {
      type: 'ShadowRoute',
      target: HASHED,
      shadows: [
        { target: 'Fake|d', key_fraction_range: [0, 0.5] },
        { target: 'Fake|c', keys_to_shadow: ['user:1'] },
      ],
    },
    true,
  ],
  ['a migration', { type: 'MigrateRoute', from: HASHED, to: 'Fake|d', start_time: 990, interval: 100 }, true],
];

const OPERATIONS: readonly Operation[] = [Operation.get, Operation.set, Operation.delete, Operation.incr];

for (const [name, route, isExact] of ROUTES) {
  test(`${name}: no request reaches what is not told`, async () => {
    await using harness = await Harness.open(route);
    for (const isFailing of [false, true]) {
      for (const each of NAMES) harness.cache(each).failure = isFailing ? Result.timeout : undefined;
      for (const operation of OPERATIONS) {
        for (const key of ['user:1', 'user:2', 'item:3', 'x:4']) {
          const told = [...reachable(harness.routing, Request.of(operation, key))].map(({ label }) => label);
          await harness.ask(operation, key, { value: 'v' });
          await settle();
          const asked = NAMES.filter((each) => harness.cache(each).take().length > 0);
          const what = `${OPERATION_NAMES[operation]} ${key}: told ${told}, asked ${asked}`;
          assert.ok(asked.length > 0 && asked.every((each) => told.includes(each)), what);
          if (isExact && !isFailing) assert.deepEqual(asked, told.sort(), what);
        }
      }
    }
  });
}

test('a failover over pools names one server of each, also for deletes that are spooled', async () => {
  const spoolFolder = mkdtempSync(join(tmpdir(), 'larder-traverse-'));
  try {
    await using routing = await Routing.open({
      config: {
        pools: {
          A: { servers: ['10.0.0.1:1', '10.0.0.2:1', '10.0.0.3:1'] },
          B: { servers: ['10.0.1.1:1', '10.0.1.2:1'] },
        },
        routes: [
          {
            aliases: ['/west/one/'],
            route: { type: 'FailoverWithExptimeRoute', normal: 'PoolRoute|A', failover: 'PoolRoute|B' },
          },
          { aliases: ['/west/two/'], route: 'PoolRoute|B' },
        ],
      },
      services: { spoolFolder },
    });
    const told = (operation: Operation, key: string): string[] =>
      [...reachable(routing, Request.of(operation, key))].map(({ label }) => label);
    const plain = told(Operation.get, 'user:1');
    assert.equal(plain.length, 2);
    assert.match(plain.join(), /^10\.0\.0\.\d:1,10\.0\.1\.\d:1$/);
    assert.deepEqual(told(Operation.delete, 'user:1'), plain);
    assert.deepEqual(
      told(Operation.get, '/west/one/user:1'),
      plain,
      'without its prefix the key chooses the same',
    );
    assert.deepEqual(told(Operation.get, '/west/two/user:1'), plain.slice(1));
    assert.deepEqual(told(Operation.get, '/west/*/user:1'), plain, 'gets ask the first');
    assert.deepEqual(told(Operation.get, '/east/one/user:1'), []);
    const passed = traverse(routing, Request.of(Operation.delete, '/west/two/user:1'));
    assert.deepEqual(
      passed.map(({ handle, depth, request }) => `${depth} ${handle.name.split('|')[0]} ${request.keyText}`),
      [
        '0 routing /west/two/user:1',
        '1 root /west/two/user:1',
        '2 pool user:1',
        '3 host user:1',
        '4 host user:1',
      ],
    );
  } finally {
    rmSync(spoolFolder, { recursive: true });
  }
});
