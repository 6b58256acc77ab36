/**
 * Handles in front of real servers: the gutter and the spool through a killed server, a cold Larder beside a warm
 * one, replicas, pools with everything a pool route can carry.
 */
import { strict as assert } from 'node:assert';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Reply, Result } from '../reply.ts';
import { Operation, Request } from '../request.ts';
import { Routing } from '../routing.ts';
import {
  freePort,
  memcachedMissing,
  startLarder,
  startMemcached,
  type TestServer,
  until,
} from '../testing/servers.ts';
import { findSpool } from './spooled-destination.ts';

const skip = memcachedMissing() ?? false;
let folder = '';
let cold: TestServer;
let warm: TestServer;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'larder-handles-'));
  [cold, warm] = await Promise.all([startLarder(), startLarder()]);
});
after(async () => {
  await Promise.all([cold.kill(), warm.kill()]);
  rmSync(folder, { recursive: true, force: true });
});

function ask(
  routing: Routing,
  operation: Operation,
  key: string,
  change: Partial<Request> = {},
): Promise<Reply> {
  return routing.route(Object.assign(Request.of(operation, key), change));
}

const text = (value: string): Partial<Request> => ({ value: Buffer.from(value) });

test('a killed server: gutter serves, deletes reach the gutter and, later, the server', {
  skip,
}, async () => {
  const port = await freePort();
  const server = await startMemcached({ port });
  await using gutter = await startMemcached();
  const spoolFolder = join(folder, 'spool');
  await using routing = await Routing.open({
    config: {
      pools: {
        main: { servers: [`127.0.0.1:${port}`], server_timeout: 200 },
        gutter: { servers: [gutter.address] },
      },
      route: {
        type: 'FailoverWithExptimeRoute',
        normal: 'PoolRoute|main',
        failover: 'PoolRoute|gutter',
        failover_exptime: 30,
      },
    },
    services: { spoolFolder },
  });
  assert.equal((await ask(routing, Operation.set, 'k', text('main'))).result, Result.stored);
  assert.equal((await ask(routing, Operation.get, 'k')).value.toString(), 'main');
  await server.kill();
  assert.equal(
    (await ask(routing, Operation.get, 'k')).result,
    Result.miss,
    'the gutter does not know it yet',
  );
  assert.equal((await ask(routing, Operation.set, 'k', text('gutter'))).result, Result.stored);
  assert.equal((await ask(routing, Operation.get, 'k')).value.toString(), 'gutter');
  const left = await ask(routing, Operation.metaGet, 'k', { metaFlags: Buffer.from('t') });
  assert.match(left.metaFlags.toString(), /^t(29|30)$/);
  const keys = Array.from({ length: 50 }, (_, index) => `gone:${index}`);
  const deletes = await Promise.all(['k', ...keys].map((key) => ask(routing, Operation.delete, key)));
  assert.ok(deletes.every((reply) => !reply.isError));
  assert.equal((await ask(routing, Operation.get, 'k')).result, Result.miss, 'gone from the gutter');
  const [spooled] = readdirSync(spoolFolder);
  assert.equal(readdirSync(join(spoolFolder, spooled ?? '')).length, 1);
  await using again = await startMemcached({ port });
  assert.equal(again.port, port);
  await until('the deletes are delivered', async () => {
    const stats = await ask(routing, Operation.stats, '');
    return /delete_misses 51\b/.test(stats.message) ? true : undefined;
  });
  assert.deepEqual(readdirSync(join(spoolFolder, spooled ?? '')), []);
});

test('a cold Larder is filled from a warm one, and a delete wins the race by its hold-off', async () => {
  const pools = { cold: { servers: [cold.address] }, warm: { servers: [warm.address] } };
  await using direct = await Routing.open({ config: { pools, route: 'PoolRoute|warm' } });
  await using routing = await Routing.open({
    config: {
      pools,
      route: { type: 'WarmUpRoute', cold: 'PoolRoute|cold', warm: 'PoolRoute|warm', enable_metaget: true },
    },
  });
  await ask(direct, Operation.set, 'w', { ...text('old'), flags: 12, exptime: 500 });
  const filled = await ask(routing, Operation.get, 'w');
  assert.deepEqual([filled.value.toString(), filled.flags], ['old', 12]);
  const inCold = await ask(routing, Operation.metaGet, 'w', { metaFlags: Buffer.from('v f t') });
  assert.match(inCold.metaFlags.toString(), /^f12 t(499|500)$/);
  // The delete reaches cold; warm has not heard of it. The next get must not bring the old value back.
  assert.equal((await ask(routing, Operation.delete, 'w')).result, Result.deleted);
  assert.equal((await ask(routing, Operation.get, 'w')).result, Result.miss);
  const lease = await ask(routing, Operation.leaseGet, 'w');
  assert.equal(lease.result, Result.miss, 'nor does a lease');
  assert.notEqual(lease.token, 0n);
  const stored = await ask(routing, Operation.leaseSet, 'w', { ...text('new'), token: lease.token });
  assert.equal(stored.result, Result.stored);
  assert.equal((await ask(routing, Operation.get, 'w')).value.toString(), 'new');
});

test('a lease from a cold Larder is used to fill it', async () => {
  const pools = { cold: { servers: [cold.address] }, warm: { servers: [warm.address] } };
  await using direct = await Routing.open({ config: { pools, route: 'PoolRoute|warm' } });
  await using coldOnly = await Routing.open({ config: { pools, route: 'PoolRoute|cold' } });
  await using routing = await Routing.open({
    config: { pools, route: { type: 'WarmUpRoute', cold: 'PoolRoute|cold', warm: 'PoolRoute|warm' } },
  });
  await ask(direct, Operation.set, 'l', text('value'));
  assert.equal((await ask(routing, Operation.leaseGet, 'l')).value.toString(), 'value');
  assert.equal((await ask(coldOnly, Operation.get, 'l')).value.toString(), 'value');
});

for (const server of ['larder', 'memcached'] as const) {
  test(`a meta lease in front of a cold ${server} is filled from warm`, { skip }, async () => {
    await using memcached = await startMemcached();
    const { address } = server === 'larder' ? cold : memcached;
    const pools = { cold: { servers: [address] }, warm: { servers: [warm.address] } };
    await using direct = await Routing.open({ config: { pools, route: 'PoolRoute|warm' } });
    await using coldOnly = await Routing.open({ config: { pools, route: 'PoolRoute|cold' } });
    const route = { type: 'WarmUpRoute', cold: 'PoolRoute|cold', warm: 'PoolRoute|warm' };
    await using routing = await Routing.open({ config: { pools, route } });
    const key = `meta:${server}`;
    const lease = { metaFlags: Buffer.from('v f c t N30') };
    await ask(direct, Operation.set, key, { ...text('value'), flags: 5 });
    const found = await ask(routing, Operation.metaGet, key, lease);
    assert.equal(found.value.toString(), 'value');
    assert.match(found.metaFlags.toString(), /^f5 c\d+ t-1$/);
    assert.equal((await ask(coldOnly, Operation.get, key)).value.toString(), 'value');
    // The delete reaches cold; Larder then refuses what warm still has, and the lease goes to who asked.
    await ask(routing, Operation.metaDelete, key, { metaFlags: Buffer.from('O9 k') });
    if (server === 'memcached') return;
    const missed = await ask(routing, Operation.metaGet, key, lease);
    assert.match(missed.metaFlags.toString(), /\bW\b/);
    const cas = /\bc(\d+)/.exec(missed.metaFlags.toString())?.[1];
    const fill = { ...text('new'), metaFlags: Buffer.from(`C${cas}`) };
    assert.equal((await ask(routing, Operation.metaSet, key, fill)).result, Result.stored);
    assert.equal((await ask(routing, Operation.metaGet, key, lease)).value.toString(), 'new');
  });
}

test('a big value over several servers, among them leases', { skip }, async () => {
  await using other = await startMemcached();
  await using routing = await Routing.open({
    config: {
      pools: { A: { servers: [cold.address, warm.address, other.address] } },
      route: { type: 'BigValueRoute', target: 'PoolRoute|A', threshold: 10_000 },
    },
  });
  const value = Buffer.alloc(3_000_000, 'larder ');
  assert.equal((await ask(routing, Operation.set, 'big', { value, flags: 7 })).result, Result.stored);
  const reply = await ask(routing, Operation.get, 'big');
  assert.equal(reply.flags, 7);
  assert.ok(reply.value.equals(value));
  assert.equal((await ask(routing, Operation.delete, 'big')).result, Result.deleted);
  for (let turn = 0; turn < 5; turn++) {
    const key = `lease:${turn}`;
    const lease = await ask(routing, Operation.leaseGet, key);
    assert.notEqual(lease.token, 0n);
    const stored = await ask(routing, Operation.leaseSet, key, { value, token: lease.token });
    assert.equal(stored.result, Result.stored);
    assert.ok((await ask(routing, Operation.leaseGet, key)).value.equals(value));
  }
});

test('a pool route with shadows by index, rates and slow warm-up', { skip }, async () => {
  await using first = await startMemcached();
  await using second = await startMemcached();
  await using shadow = await startMemcached();
  await using routing = await Routing.open({
    config: {
      pools: { A: { servers: [first.address, second.address] }, S: { servers: [shadow.address] } },
      route: {
        type: 'PoolRoute',
        pool: 'A',
        hash: 'Crc32',
        shadows: [{ target: 'PoolRoute|S', index_range: [1, 1] }],
        rates: { deletes_rate: 1000 },
        slow_warmup: { failoverRoute: 'NullRoute' },
      },
    },
  });
  const keys = Array.from({ length: 60 }, (_, index) => `${index * 31}:k`);
  const replies = await Promise.all(keys.map((key) => ask(routing, Operation.set, key, text(key))));
  const ofSecond = keys.filter((_, index) => replies[index]?.destination?.label === second.address);
  assert.ok(ofSecond.length > 10 && ofSecond.length < 50);
  await using shadows = await Routing.open({
    config: { pools: { S: { servers: [shadow.address] } }, route: 'PoolRoute|S' },
  });
  await until('the shadow has them', async () => {
    const found = await Promise.all(ofSecond.map((key) => ask(shadows, Operation.get, key)));
    return found.every((reply) => reply.result === Result.hit) ? true : undefined;
  });
  const others = keys.filter((key) => !ofSecond.includes(key));
  const found = await Promise.all(others.map((key) => ask(shadows, Operation.get, key)));
  assert.ok(found.every((reply) => reply.result === Result.miss));
});

test('replicas of a pool: each client has its own, and a delete reaches all', { skip }, async () => {
  await using third = await startMemcached();
  const servers = [cold.address, warm.address, third.address];
  await using routing = await Routing.open({
    config: { pools: { R: { servers } }, route: 'ReplicaByClientRoute|Pool|R' },
  });
  for (let client = 0; client < 12; client++) {
    await ask(routing, Operation.set, 'hot', { ...text('v'), clientId: `web${client}` });
  }
  const answered = new Set<string>();
  for (let client = 0; client < 12; client++) {
    const reply = await ask(routing, Operation.get, 'hot', { clientId: `web${client}` });
    assert.equal(reply.value.toString(), 'v');
    answered.add(reply.destination?.label ?? '');
  }
  assert.equal(answered.size, 3);
  assert.equal((await ask(routing, Operation.delete, 'hot')).result, Result.deleted);
  for (let client = 0; client < 12; client++) {
    assert.equal(
      (await ask(routing, Operation.get, 'hot', { clientId: `web${client}` })).result,
      Result.miss,
    );
  }
});

test('a pool whose name resolves to nothing fails, so that a gutter can take over', { skip }, async () => {
  await using gutter = await startMemcached();
  await using routing = await Routing.open({
    config: {
      pools: { A: { servers: ['nowhere.invalid:11211'] }, G: { servers: [gutter.address] } },
      route: { type: 'FailoverWithExptimeRoute', normal: 'PoolRoute|A', failover: 'PoolRoute|G' },
    },
    resolveName: () => Promise.resolve({ addresses: [], ttlMs: 1000 }),
  });
  assert.equal((await ask(routing, Operation.set, 'k', text('v'))).result, Result.stored);
});

test('pools spool by default where there is a folder, shadows and asynclog: false never do', async () => {
  const spoolFolder = join(folder, 'by-default');
  const dead = `127.0.0.1:${await freePort()}`;
  const failed = async (route: Record<string, unknown>): Promise<number> => {
    await using routing = await Routing.open({
      config: { pools: { A: { servers: [dead] } }, route: { ...route } },
      services: { spoolFolder },
    });
    await ask(routing, Operation.delete, 'k');
    await until('the delete has failed', () =>
      [...routing.destinations()].some(({ statistics }) => statistics.failures > 0) ? true : undefined,
    );
    const own = join(spoolFolder, encodeURIComponent(dead));
    return existsSync(own) ? readdirSync(own).length : 0;
  };
  assert.equal(await failed({ type: 'PoolRoute', pool: 'A', asynclog: false }), 0);
  const shadows = [{ target: { type: 'PoolRoute', pool: 'A', asynclog: true } }];
  assert.equal(await failed({ type: 'ShadowRoute', target: 'NullRoute', shadows }), 0);
  assert.equal(await failed({ type: 'PoolRoute', pool: 'A' }), 1);
});

test('replicas: a delete that one of them misses is spooled for that one', { skip }, async () => {
  const spoolFolder = join(folder, 'replicas');
  const port = await freePort();
  await using alive = await startMemcached();
  await using routing = await Routing.open({
    config: {
      pools: { R: { servers: [alive.address, `127.0.0.1:${port}`] } },
      route: 'AllSyncRoute|Pool|R',
    },
    services: { spoolFolder },
  });
  const reply = await ask(routing, Operation.delete, 'k');
  assert.equal(reply.result, Result.miss);
  assert.equal(findSpool(routing)?.statistics.written, 1);
  assert.deepEqual(readdirSync(spoolFolder), [encodeURIComponent(`127.0.0.1:${port}`)]);
  await using back = await startMemcached({ port });
  await until('it is delivered', () =>
    readdirSync(join(spoolFolder, encodeURIComponent(back.address))).length === 0 ? true : undefined,
  );
});
