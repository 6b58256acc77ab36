/** Pools in which a name stands for several addresses: whose keys move when they change, and what weights and tags mean. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Operation, Request } from '../request.ts';
import { Routing, type RoutingOptions } from '../routing.ts';
import { until } from '../testing/servers.ts';
import type { HashJson } from './registry.ts';

const FIRST = '10.0.0.1:11211';
const LAST = '10.0.0.2:11211';
const SERVERS = [FIRST, 'cache.example:11300', LAST];
const THREE = ['10.1.0.1', '10.1.0.2', '10.1.0.3'];
const KEYS = Array.from({ length: 4000 }, (_, index) => `user:${index}:name`);
const CLIENTS = 20;

interface Names {
  addresses: readonly string[];
}

function open(hash: HashJson, names: Names, more: Partial<RoutingOptions> = {}): Promise<Routing> {
  return Routing.open({
    config: { pools: { A: { servers: SERVERS } }, route: { type: 'PoolRoute', pool: 'A', hash } },
    dnsRefreshMs: 10,
    resolveName: async () => ({ addresses: names.addresses, ttlMs: undefined }),
    ...more,
  });
}

function serversOf(routing: Routing): readonly string[] {
  return KEYS.map((key) => routing.direct(Request.of(Operation.get, key))?.label ?? 'none');
}

/** The share of the keys of each server. */
function shares(routing: Routing): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const label of serversOf(routing)) found.set(label, (found.get(label) ?? 0) + 1 / KEYS.length);
  return found;
}

function near(found: number | undefined, expected: number, of: string): void {
  const share = found ?? 0;
  assert.ok(Math.abs(share - expected) < 0.15 * expected, `${of}: ${share} of the keys, of ${expected}`);
}

const named = (address: string): string => `${address}:11300`;

const BY_PLACE: readonly HashJson[] = [
  'Ch3',
  'Crc32',
  'Jump',
  'ConstShard',
  { hash_func: 'Ch3', salt: 'x' },
  { hash_func: 'WeightedCh3', weights: [1, 1, 1] },
];
const BY_NAME: readonly HashJson[] = [
  'Rendezvous',
  { hash_func: 'Rendezvous', tags: ['a', 'b', 'c'] },
  { hash_func: 'WeightedRendezvous', weights: [1, 1, 1] },
  'Ketama',
];

for (const hash of [...BY_PLACE, ...BY_NAME]) {
  test(`an address that joins in the middle of a pool moves only what it takes: ${JSON.stringify(hash)}`, async () => {
    const names: Names = { addresses: [THREE[0]!, THREE[2]!] };
    await using routing = await open(hash, names);
    const before = serversOf(routing);
    names.addresses = THREE;
    await until('the new address', () =>
      [...routing.destinations()].some(({ label }) => label === named(THREE[1]!)) ? true : undefined,
    );
    const after = serversOf(routing);
    const moved = after.filter((label, index) => label !== before[index]);
    assert.ok(moved.length > 0 && moved.length < KEYS.length / 3, `${moved.length} keys moved`);
    assert.deepEqual([...new Set(moved)], [named(THREE[1]!)]);
  });
}

for (const hash of BY_PLACE) {
  test(`a name has one place, and its addresses share it alike: ${JSON.stringify(hash)}`, async () => {
    await using routing = await open(hash, { addresses: THREE });
    const found = shares(routing);
    for (const server of [FIRST, LAST]) near(found.get(server), 1 / 3, server);
    for (const address of THREE) near(found.get(named(address)), 1 / 9, address);
    // Where the others stand is what it would be with one address.
    await using single = await open(hash, { addresses: THREE.slice(1, 2) });
    const labels = serversOf(routing);
    const alone = serversOf(single);
    for (const [index, label] of labels.entries()) {
      if (!label.startsWith('10.1.')) assert.equal(label, alone[index]);
    }
  });
}

test('tags and weights are those of the servers as configured, however many addresses one has', async () => {
  const forms: readonly HashJson[] = [
    { hash_func: 'WeightedRendezvous', weights: [1, 0.5, 1] },
    { hash_func: 'WeightedRendezvous', weights: { [FIRST]: 1, 'cache.example:11300': 0.5, [LAST]: 1 } },
    { hash_func: 'WeightedRendezvous', tags: ['a', 'b', 'c'], weights: { a: 1, b: 0.5, c: 1 } },
    { hash_func: 'Ketama', weights: [20, 10, 20] },
  ];
  for (const hash of forms) {
    await using routing = await open(hash, { addresses: THREE });
    const found = shares(routing);
    for (const server of [FIRST, LAST]) near(found.get(server), 2 / 7, `${JSON.stringify(hash)} ${server}`);
    for (const address of THREE) near(found.get(named(address)), 1 / 7, `${JSON.stringify(hash)} ${address}`);
  }
  await using byPlace = await open({ hash_func: 'WeightedCh3', weights: [1, 0.1, 1] }, { addresses: THREE });
  near(shares(byPlace).get(LAST), 1 / 2.1, 'WeightedCh3');
  await assert.rejects(open({ hash_func: 'Rendezvous', tags: ['a', 'b'] }, { addresses: THREE }), {
    message: /2 tags and 3 servers/,
  });
});

test('weights of the pool and lists of its destinations count servers, too', async () => {
  const pools = { A: { servers: SERVERS, weights: [1, 0.01, 0.01] } };
  const hash = { hash_func: 'WeightedCh3' };
  const latest = { weights: [1, 0.01, 0.01], failover_count: 1 };
  for (const route of [
    { type: 'PoolRoute', pool: 'A', hash },
    { type: 'HashRoute', children: 'Pool|A', ...hash },
    { type: 'HashRoute', children: 'Pool|A', hash_func: 'Latest', ...latest },
    { type: 'LatestRoute', children: { type: 'Pool', name: 'A' }, ...latest },
    { type: 'PoolRoute', pool: 'A', hash: { hash_func: 'Latest', ...latest } },
  ]) {
    let sum = 0;
    // Latest draws once for each client.
    for (let client = 0; client < CLIENTS; client++) {
      const services = { clientId: `host-${client}` };
      await using routing = await open('Ch3', { addresses: THREE }, { config: { pools, route }, services });
      sum += shares(routing).get(FIRST) ?? 0;
    }
    assert.ok(sum / CLIENTS > 0.85, `${sum / CLIENTS} to the heaviest: ${JSON.stringify(route)}`);
  }
});

test("a shadow's index_range counts servers as they are configured", async () => {
  const route = {
    type: 'PoolRoute',
    pool: 'A',
    shadows: [{ target: 'DevNullRoute', index_range: [2, 2] }],
  };
  const config = { pools: { A: { servers: SERVERS } }, route };
  await using routing = await open('Ch3', { addresses: THREE }, { config });
  const choices = routing.root.children[0]!.children;
  assert.deepEqual(
    choices.map(({ name }) => name.startsWith('shadow')),
    [false, false, false, false, true],
  );
});

test('a pool without servers answers as an empty cache, and the operator is told', async () => {
  for (const route of ['AllSyncRoute|Pool|A', 'PoolRoute|A', 'LatestRoute|Pool|A', 'HashRoute|Pool|A']) {
    const notices: string[] = [];
    await using routing = await Routing.open({
      config: { pools: { A: { servers: [] } }, route },
      services: { notice: (text) => notices.push(text) },
    });
    const reply = await routing.route(Request.of(Operation.get, 'foo'));
    assert.deepEqual([reply.isError, reply.value.length], [false, 0], route);
    assert.deepEqual(notices, ['pools.A has no servers: it answers as an empty cache']);
  }
});
