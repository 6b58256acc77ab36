/**
 * The bad days: each is played with real processes and comes to a few numbers. The tests hold them against bounds,
 * the report writes them down.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Cache, type RouteConfig } from '@larder/client';
import { RawClient } from '../client/raw.ts';
import { until } from '../client/until.ts';
import { Callers, percentile, share } from './callers.ts';
import { addressesOf, Cluster, gutterConfig, plainConfig } from './cluster.ts';
import { Database } from './database.ts';
import { LossyRelay } from './lossy-relay.ts';
import { SlowRelay } from './slow-relay.ts';

const SEED = 20_130_404;
const KEYS = 400;
const CALLERS = 24;
const PAUSE_MS = 2;
const DATABASE_MS = 5;
/** The hot keys: so many callers for each of them, written so often. */
const HOT_KEYS = 3;
const HOT_CALLERS = 60;
const HOT_ROUNDS = 12;

function openCache(cluster: Cluster): Promise<Cache> {
  return Cache.connect({ servers: cluster.router.address, timeout: '1s', ttl: '60s', failedGetMemory: 0 });
}

/** Stores every key and sees to it that both the router and the client know every server. */
async function warm(cache: Cache, database: Database, prefix: string, keys: number): Promise<void> {
  await cache.setMany(
    Array.from({ length: keys }, (_, index): [string, string] => [
      `${prefix}${index}`,
      database.valueOf(`${prefix}${index}`),
    ]),
  );
}

export interface LeaseNumbers {
  /** Most database queries a second for a few keys that are read and changed all the time. */
  readonly peakWithout: number;
  readonly peakWith: number;
  readonly queriesWithout: number;
  readonly queriesWith: number;
}

/** nsdi13 3.2.1: hot keys that are written often, with and without leases. */
export async function hotKeys(): Promise<LeaseNumbers> {
  await using cluster = await Cluster.start(1, plainConfig);
  const run = async (withLeases: boolean): Promise<Database> => {
    const database = new Database(40);
    const prefix = withLeases ? 'leased:' : 'plain:';
    // Each stands for a process of its own: calls of one process for one key would be joined anyway.
    const caches = await Promise.all(Array.from({ length: HOT_CALLERS }, () => openCache(cluster)));
    let isOver = false;
    const readers = caches.map(async (cache, index) => {
      const key = `${prefix}${index % HOT_KEYS}`;
      while (!isOver) {
        if (withLeases) await cache.getOrSet(key, () => database.read(key), { ttl: '60s' });
        else if ((await cache.get<string>(key)) === undefined) await cache.set(key, await database.read(key));
        await delay(1);
      }
    });
    for (let round = 0; round < HOT_ROUNDS; round++) {
      await delay(100);
      for (let key = 0; key < HOT_KEYS; key++) {
        database.write(`${prefix}${key}`);
        await caches[0]!.delete(`${prefix}${key}`);
      }
    }
    isOver = true;
    await Promise.all(readers);
    await Promise.all(caches.map((each) => each.close()));
    return database;
  };
  const without = await run(false);
  const withLeases = await run(true);
  return {
    peakWithout: without.peakPerSecond,
    peakWith: withLeases.peakPerSecond,
    queriesWithout: without.queries,
    queriesWith: withLeases.queries,
  };
}

export interface DeathNumbers {
  /** Calls that failed as their callers saw it, from the death to the return, and of how many. */
  readonly failures: number;
  readonly calls: number;
  /** The longest call in that time. */
  readonly slowestMs: number;
  /** Share of hits in the second half of that time. */
  readonly hitShare: number;
  /** Database queries a second in that time, and before. */
  readonly databaseRate: number;
  readonly databaseRateBefore: number;
  /** From the server's return until it is asked again. */
  readonly recoveryMs: number;
  readonly wrong: number;
}

/** `kill -9` of one of two servers under load, and its return. */
export async function serverDeath(withGutter: boolean): Promise<DeathNumbers> {
  await using cluster = await Cluster.start(2, withGutter ? gutterConfig : plainConfig);
  const [victim] = cluster.caches;
  return await downTime(cluster, {
    fall: () => victim!.kill(),
    rise: () => victim!.start(),
    outageMs: 2500,
  });
}

/** One of two servers accepts connections and never answers. */
export async function silentServer(withGutter: boolean): Promise<DeathNumbers> {
  await using cluster = await Cluster.start(2, withGutter ? gutterConfig : plainConfig);
  const [victim] = cluster.caches;
  return await downTime(cluster, {
    fall: async () => victim!.freeze(),
    rise: async () => victim!.thaw(),
    outageMs: 2500,
  });
}

export interface EmbeddedNumbers {
  readonly calls: number;
  readonly failures: number;
  /** Values that readers asked the database for while the server was gone, and changes in that time. */
  readonly queries: number;
  readonly changes: number;
  readonly keys: number;
  /** Keys whose cached value was not the database's when all was over. */
  readonly outdated: number;
}

/**
 * `kill -9` of one of two servers and its return, for a service that embeds the routing, reads by getOrSet with stale
 * values, and changes keys all the time.
 */
export async function embeddedDeath(): Promise<EmbeddedNumbers> {
  await using cluster = await Cluster.start(2, gutterConfig);
  const [victim] = cluster.caches;
  const database = new Database(DATABASE_MS);
  await using cache = await Cache.connect({
    config: gutterConfig(cluster) as RouteConfig,
    timeout: '200ms',
  });
  const settings = {
    cache,
    database,
    callers: CALLERS,
    keys: KEYS,
    prefix: 'e:',
    pauseMs: PAUSE_MS,
    seed: SEED,
  };
  await using callers = new Callers({ ...settings, staleTtl: '1s' });
  let changes = 0;
  let isOver = false;
  const writer = (async () => {
    for (; !isOver; changes++) {
      const key = `e:${(changes * 7) % KEYS}`;
      await cache.update(key, () => database.write(key));
      await delay(20);
    }
  })();
  await delay(700);
  const before = { queries: database.queries, changes, atMs: callers.ageMs };
  await victim!.kill();
  await delay(2500);
  const during = { queries: database.queries - before.queries, changes: changes - before.changes };
  const risenAtMs = callers.ageMs;
  await victim!.start();
  await delay(1500);
  isOver = true;
  await writer;
  await callers.stop();
  let outdated = 0;
  for (let index = 0; index < KEYS; index++) {
    const value = await cache.get<string>(`e:${index}`);
    if (value !== undefined && value !== database.valueOf(`e:${index}`)) outdated++;
  }
  const calls = callers.between(before.atMs, risenAtMs);
  const failures = calls.filter(({ isFailure }) => isFailure).length;
  return { calls: calls.length, failures, ...during, keys: KEYS, outdated };
}

/** Half of a pool of four gone at once. */
export async function halfThePool(withGutter: boolean): Promise<DeathNumbers> {
  await using cluster = await Cluster.start(4, withGutter ? gutterConfig : plainConfig);
  const victims = cluster.caches.slice(0, 2);
  return await downTime(cluster, {
    fall: async () => {
      await Promise.all(victims.map((machine) => machine.kill()));
    },
    rise: async () => {
      await Promise.all(victims.map((machine) => machine.start()));
    },
    outageMs: 2500,
  });
}

interface Outage {
  readonly fall: () => Promise<void>;
  readonly rise: () => Promise<void>;
  readonly outageMs: number;
}

async function downTime(cluster: Cluster, outage: Outage): Promise<DeathNumbers> {
  const database = new Database(DATABASE_MS);
  await using cache = await openCache(cluster);
  await warm(cache, database, 'd:', KEYS);
  const settings = {
    cache,
    database,
    callers: CALLERS,
    keys: KEYS,
    prefix: 'd:',
    pauseMs: PAUSE_MS,
    seed: SEED,
  };
  await using callers = new Callers(settings);
  await delay(700);
  const downAtMs = callers.ageMs;
  const databaseDownAtMs = database.ageMs;
  await outage.fall();
  await delay(outage.outageMs);
  const upAtMs = callers.ageMs;
  const databaseUpAtMs = database.ageMs;
  await outage.rise();
  const risenAtMs = performance.now();
  await until(
    'every server is asked again',
    async () => (await serversUp(cluster)) === cluster.caches.length,
    8000,
  );
  const recoveryMs = performance.now() - risenAtMs;
  await delay(300);
  await callers.stop();
  const during = callers.between(downAtMs, upAtMs);
  const later = callers.between((downAtMs + upAtMs) / 2, upAtMs);
  return {
    failures: during.filter(({ isFailure }) => isFailure).length,
    calls: during.length,
    slowestMs: percentile(during, 100),
    hitShare: share(later, ({ isHit }) => isHit),
    databaseRate: database.rate(databaseDownAtMs, databaseUpAtMs),
    databaseRateBefore: database.rate(0, databaseDownAtMs),
    recoveryMs,
    wrong: callers.wrong,
  };
}

/** Servers of the main pool that the router asks; the gutter is not among them. */
async function serversUp(cluster: Cluster): Promise<number> {
  const text = await askRouter(cluster, 'stats servers\r\n');
  return addressesOf(cluster).filter((address) => text.includes(`STAT ${address} state:up`)).length;
}

async function askRouter(cluster: Cluster, request: string): Promise<string> {
  await using client = await RawClient.connect({ host: '127.0.0.1', port: cluster.router.port });
  return await client.exchange(request);
}

export interface SpoolNumbers {
  readonly deletes: number;
  /** Keys that the server still had after everything. */
  readonly left: number;
  /** From the server's return until the last of them was gone. */
  readonly deliveredMs: number;
}

/** Deletes for a server that does not answer are spooled; then the router is killed; then both come back. */
export async function routerDeathWithSpool(): Promise<SpoolNumbers> {
  const deletes = 300;
  const config = (cluster: Cluster): unknown => ({
    pools: { main: { servers: addressesOf(cluster) } },
    route: { type: 'AsynclogRoute', target: 'PoolRoute|main' },
  });
  let cluster: Cluster | undefined;
  const folder = mkdtempSync(join(tmpdir(), 'larder-spool-'));
  try {
    cluster = await Cluster.start(1, config, ['--spool', folder]);
    const [server] = cluster.caches;
    const database = new Database(0);
    {
      await using cache = await openCache(cluster);
      await warm(cache, database, 's:', deletes);
      server!.freeze();
      await Promise.all(Array.from({ length: deletes }, (_, index) => cache.delete(`s:${index}`)));
    }
    await cluster.router.kill();
    await cluster.router.start();
    server!.thaw();
    const backMs = performance.now();
    await using client = await RawClient.connect({ host: '127.0.0.1', port: server!.port });
    const keys = Array.from({ length: deletes }, (_, index) => `s:${index}`).join(' ');
    const left = async (): Promise<number> =>
      ((await client.exchange(`get ${keys}\r\n`)).match(/^VALUE /gm) ?? []).length;
    await until('every spooled delete is delivered', async () => (await left()) === 0, 10_000).catch(
      () => undefined,
    );
    return { deletes, left: await left(), deliveredMs: performance.now() - backMs };
  } finally {
    await cluster?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  }
}

export interface ReloadNumbers {
  readonly reloads: number;
  readonly calls: number;
  readonly failures: number;
  readonly wrong: number;
  /** The bad configuration in between was refused and told. */
  readonly isRefusalTold: boolean;
}

/** The configuration is exchanged again and again under load, once for one that makes no sense. */
export async function reloads(): Promise<ReloadNumbers> {
  await using cluster = await Cluster.start(2, plainConfig);
  const database = new Database(DATABASE_MS);
  await using cache = await openCache(cluster);
  await warm(cache, database, 'r:', KEYS);
  const settings = {
    cache,
    database,
    callers: CALLERS,
    keys: KEYS,
    prefix: 'r:',
    pauseMs: PAUSE_MS,
    seed: SEED,
  };
  await using callers = new Callers(settings);
  const loads = async (): Promise<number> =>
    Number(/STAT config_loads (\d+)/.exec(await askRouter(cluster, 'stats\r\n'))?.[1] ?? 0);
  const all = addressesOf(cluster);
  const rounds = 8;
  for (let round = 1; round <= rounds; round++) {
    const before = await loads();
    if (round === rounds / 2) cluster.configure('{ "route": "PoolRoute|nowhere" }');
    cluster.configure(plainConfig(cluster, round % 2 === 1 ? all.slice(0, 1) : all));
    await until('another configuration is in use', async () => (await loads()) > before);
  }
  cluster.configure('{ "route": "PoolRoute|nowhere" }');
  const isRefusalTold = await until('the refusal is told', () =>
    /is refused, the old one stays/.test(cluster.router.log()),
  )
    .then(() => true)
    .catch(() => false);
  await delay(200);
  await callers.stop();
  return {
    reloads: rounds,
    calls: callers.calls.length,
    failures: callers.calls.filter(({ isFailure }) => isFailure).length,
    wrong: callers.wrong,
    isRefusalTold,
  };
}

export interface SlowNumbers {
  readonly slowMs: number;
  /** Median and 99th percentile of calls for keys of the other server. */
  readonly othersP50Ms: number;
  readonly othersP99Ms: number;
  readonly failures: number;
  readonly databaseQueries: number;
}

/** One of two servers takes its time: who asks for the other one's keys should not notice. */
export async function slowServer(): Promise<SlowNumbers> {
  const slowMs = 60;
  await using cluster = await Cluster.start(2, plainConfig);
  await using relay = await SlowRelay.start(cluster.caches[0]!.port, slowMs);
  const [, other] = addressesOf(cluster);
  const config = {
    pools: { slow: { servers: [`127.0.0.1:${relay.port}`] }, fast: { servers: [other] } },
    route: {
      type: 'PrefixSelectorRoute',
      policies: { 'slow:': 'PoolRoute|slow' },
      wildcard: 'PoolRoute|fast',
    },
  };
  cluster.configure(config);
  await until('the relay is asked', async () =>
    (await askRouter(cluster, 'get __mcrouter__.route(get,slow:1)\r\n')).includes(String(relay.port)),
  );
  const database = new Database(0);
  await using slowCache = await openCache(cluster);
  await using fastCache = await openCache(cluster);
  await warm(fastCache, database, 'fast:', KEYS);
  await warm(slowCache, database, 'slow:', 50);
  const common = { database, callers: 8, pauseMs: PAUSE_MS, seed: SEED };
  await using slow = new Callers({ ...common, cache: slowCache, keys: 50, prefix: 'slow:' });
  await using fast = new Callers({ ...common, cache: fastCache, keys: KEYS, prefix: 'fast:' });
  await delay(1500);
  await Promise.all([slow.stop(), fast.stop()]);
  const calls = fast.between(200, Number.POSITIVE_INFINITY);
  return {
    slowMs,
    othersP50Ms: percentile(calls, 50),
    othersP99Ms: percentile(calls, 99),
    failures: [...slow.calls, ...fast.calls].filter(({ isFailure }) => isFailure).length,
    databaseQueries: database.queries,
  };
}

export interface LossNumbers {
  readonly gets: number;
  readonly hits: number;
  /** Datagrams that the relay lost, repeated and reordered. */
  readonly lost: number;
  readonly repeated: number;
  readonly reordered: number;
  readonly wrong: number;
  readonly databaseQueries: number;
}

/** Gets by UDP through a relay that loses, repeats and reorders datagrams, both ways. */
export async function lossyNetwork(): Promise<LossNumbers> {
  await using cluster = await Cluster.start(1, plainConfig, ['-U', '-1']);
  const options = { seed: SEED, lost: 0.05, repeated: 0.05, reordered: 0.05 };
  await using relay = await LossyRelay.start(cluster.router.udpPort, options);
  const database = new Database(0);
  await using cache = await Cache.connect({
    servers: cluster.router.address,
    udp: { port: relay.port, timeout: '50ms' },
    failedGetMemory: 0,
  });
  await warm(cache, database, 'u:', KEYS);
  let hits = 0;
  let wrong = 0;
  for (let index = 0; index < KEYS; index++) {
    const key = `u:${index}`;
    const value = await cache.get<string>(key);
    if (value === undefined) await database.read(key);
    else if (value === database.valueOf(key)) hits++;
    else wrong++;
  }
  const { lost, repeated, reordered } = relay;
  return { gets: KEYS, hits, lost, repeated, reordered, wrong, databaseQueries: database.queries };
}
