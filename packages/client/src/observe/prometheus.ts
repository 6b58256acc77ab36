/**
 * Metrics for prom-client: everything that the cache counts, the flow-control window, and the durations of calls.
 *
 * ```
 *   observeWithPrometheus(cache, { register });
 * ```
 */
import type { SpoolContents } from '@larder/routing';
import { Counter, register as defaultRegister, Gauge, Histogram, type Registry } from 'prom-client';
import type { Cache, SpoolState } from '../cache.ts';
import type { CacheStatistics } from '../statistics.ts';
import { observeCalls } from './around.ts';

export interface PrometheusOptions {
  /** prom-client's default registry if not given. */
  readonly register?: Registry;
  /** In front of all names. `larder_client_` by default. */
  readonly prefix?: string;
  /** Tells several caches of one process apart. `default` if not given. */
  readonly name?: string;
  /** Durations of calls, which cost a timer each. True by default. */
  readonly durations?: boolean;
}

type Counted = keyof ReturnType<CacheStatistics['snapshot']>;

const HELP: Readonly<Record<Counted, string>> = {
  hits: 'Keys asked for that were there',
  misses: 'Keys asked for that were not there, failed ones included',
  failedGets: 'Keys whose get failed',
  decodeFailures: 'Stored values that could not be read',
  multigets: 'Multigets sent',
  stores: 'Values stored',
  storeFailures: 'Stores that failed',
  storesSkipped: 'Stores left out after a failed get',
  deletes: 'Keys deleted',
  deleteFailures: 'Deletes that failed',
  factoryRuns: 'Factories run by getOrSet',
  factoryFailures: 'Factories that failed',
  coalesced: 'Calls that joined another one of the process',
  leasesWon: 'Leases won',
  leasesLost: 'Fills that a delete or another fill had overtaken',
  leaseWaits: 'Pauses because another process fills',
  leasePatienceOver: 'Callers that went without the cache because a fill took too long',
  staleServed: 'Stale values given to callers that accept them',
  negativeHits: 'Hits that say that there is no value',
  refreshes: 'Refreshes in the background',
  udpGets: 'UDP requests sent',
  udpLost: 'UDP requests with a datagram lost, late or out of order',
};

type SpoolCounted = Exclude<keyof SpoolState['statistics'], 'bytes'>;

const SPOOL_HELP: Readonly<Record<SpoolCounted, string>> = {
  written: 'Deletes written to the spool because their server could not be told',
  refused: 'Deletes that could not be written to the spool and failed',
  droppedForLimit: 'Deletes refused because the spool was full',
  read: 'Deletes read back from the spool',
  delivered: 'Spooled deletes that their server has answered',
  damaged: 'Damaged stretches found in the spool',
  torn: 'Files of the spool torn at their end by a crash',
};

const BUCKETS_SECONDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
];

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** prom-client knows a name once per registry: caches of one process share the metrics and differ in a label. */
const observed: WeakMap<Registry, Map<string, Map<string, Cache>>> = new WeakMap();

function registerCounters(register: Registry, prefix: string, caches: ReadonlyMap<string, Cache>): void {
  for (const counted of Object.keys(HELP) as Counted[]) {
    new Counter({
      name: `${prefix}${snakeCase(counted)}_total`,
      help: HELP[counted],
      labelNames: ['cache'],
      registers: [register],
      collect() {
        this.reset();
        for (const [cache, each] of caches) this.inc({ cache }, each.statistics[counted]);
      },
    });
  }
  const windowGauge = (name: 'size' | 'outstanding' | 'waiting', help: string): void => {
    new Gauge({
      name: `${prefix}window_${name}`,
      help,
      labelNames: ['cache'],
      registers: [register],
      collect() {
        this.reset();
        for (const [cache, each] of caches) this.set({ cache }, each.window.state[name]);
      },
    });
  };
  windowGauge('size', 'Keys that may be outstanding');
  windowGauge('outstanding', 'Keys that are outstanding');
  windowGauge('waiting', 'Requests that wait for room in the window');
}

/** Of caches with a spool; what waits is of all processes that share the folder. */
function registerSpool(register: Registry, prefix: string, caches: ReadonlyMap<string, Cache>): void {
  for (const counted of Object.keys(SPOOL_HELP) as SpoolCounted[]) {
    new Counter({
      name: `${prefix}spool_${snakeCase(counted)}_total`,
      help: SPOOL_HELP[counted],
      labelNames: ['cache'],
      registers: [register],
      collect() {
        this.reset();
        for (const [cache, { spool }] of caches) {
          if (spool !== undefined) this.inc({ cache }, spool.statistics[counted]);
        }
      },
    });
  }
  const spoolGauge = (name: string, help: string, read: (contents: SpoolContents) => number): void => {
    new Gauge({
      name: `${prefix}spool_${name}`,
      help,
      labelNames: ['cache'],
      registers: [register],
      collect() {
        this.reset();
        for (const [cache, { spool }] of caches) {
          if (spool !== undefined) this.set({ cache }, read(spool.contents()));
        }
      },
    });
  };
  spoolGauge('entries', 'Deletes that wait in the spool', ({ entries }) => entries);
  spoolGauge('bytes', 'Bytes in the spool', ({ bytes }) => bytes);
  spoolGauge('oldest_seconds', 'For how long the oldest delete in the spool has waited', ({ oldestAtMs }) =>
    oldestAtMs === undefined ? 0 : Math.max(0, Date.now() - oldestAtMs) / 1000,
  );
}

/** Exports a cache's metrics; what is returned ends that. */
export function observeWithPrometheus(cache: Cache, options: PrometheusOptions = {}): () => void {
  const register = options.register ?? defaultRegister;
  const prefix = options.prefix ?? 'larder_client_';
  const name = options.name ?? 'default';
  const byPrefix = observed.get(register) ?? new Map<string, Map<string, Cache>>();
  observed.set(register, byPrefix);
  let caches = byPrefix.get(prefix);
  if (caches === undefined) {
    caches = new Map();
    byPrefix.set(prefix, caches);
    registerCounters(register, prefix, caches);
    registerSpool(register, prefix, caches);
  }
  caches.set(name, cache);
  const stop = options.durations === false ? undefined : observeDurations(cache, register, prefix, name);
  return () => {
    stop?.();
    caches.delete(name);
  };
}

function observeDurations(cache: Cache, register: Registry, prefix: string, name: string): () => void {
  const metric = `${prefix}operation_duration_seconds`;
  const known = register.getSingleMetric(metric) as Histogram<'cache' | 'operation' | 'error'> | undefined;
  const histogram =
    known ??
    new Histogram({
      name: metric,
      help: 'Durations of calls, waiting for leases and factories included',
      labelNames: ['cache', 'operation', 'error'],
      buckets: BUCKETS_SECONDS,
      registers: [register],
    });
  return observeCalls(cache, async ({ operation }, run) => {
    const startedMs = performance.now();
    let error = 'false';
    try {
      return await run();
    } catch (thrown) {
      error = 'true';
      throw thrown;
    } finally {
      histogram.observe({ cache: name, operation, error }, (performance.now() - startedMs) / 1000);
    }
  });
}
