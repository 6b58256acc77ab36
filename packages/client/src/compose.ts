/** Puts a cache together from its options. */
import { type Clock, systemClock, UDP_LINE_BYTES_MAX } from '@larder/routing';
import { checkOptions } from './check-options.ts';
import { durationMs } from './duration.ts';
import type { CacheEmitter } from './events.ts';
import { FailedGets } from './failed-gets.ts';
import { FlowWindow, processWindow } from './flow/window.ts';
import { GetBatcher } from './gets/get-batcher.ts';
import { GetSettler } from './gets/get-settler.ts';
import { Filler } from './leases/filler.ts';
import { Flights } from './leases/flights.ts';
import { LeaseStore } from './leases/lease-store.ts';
import { CHUNK_BYTES_DEFAULT, FAILED_GET_MS_DEFAULT } from './limits.ts';
import type { CacheOptions } from './options.ts';
import { RouteSource } from './routes/route-source.ts';
import { Sender } from './send/sender.ts';
import { CacheStatistics } from './statistics.ts';
import { ChunkStore } from './values/chunks.ts';
import { ValueCodec } from './values/codec.ts';
import { ValueStore } from './values/value-store.ts';

export interface CacheParts {
  readonly routes: RouteSource;
  readonly window: FlowWindow;
  readonly sender: Sender;
  readonly batcher: GetBatcher;
  readonly values: ValueStore;
  readonly flights: Flights;
  readonly filler: Filler;
  readonly statistics: CacheStatistics;
  readonly failedGets: FailedGets;
  readonly clock: Clock;
}

function windowOf(option: CacheOptions['window']): FlowWindow {
  if (option === undefined) return processWindow;
  return option instanceof FlowWindow ? option : new FlowWindow(option);
}

export function composeCache(options: CacheOptions, events: CacheEmitter): CacheParts {
  checkOptions(options);
  const clock = options.clock ?? systemClock;
  const random = options.random ?? Math.random;
  // Without the option each pool's own time-outs count.
  const timeoutMs = options.timeout === undefined ? 0 : durationMs(options.timeout);
  const keepMs =
    options.failedGetMemory === undefined ? FAILED_GET_MS_DEFAULT : durationMs(options.failedGetMemory);
  const failedGets = new FailedGets(clock, keepMs);
  const window = windowOf(options.window);
  const routes = new RouteSource(options, { clock, random, timeoutMs, events });
  const statistics = new CacheStatistics(() => routes.datagrams);
  const root = routes.root;
  const sender = new Sender(root, window, timeoutMs);
  const codec = new ValueCodec(options);
  const values = new ValueStore(
    codec,
    new ChunkStore(sender, options.chunkBytes ?? CHUNK_BYTES_DEFAULT),
    clock.wallNow,
  );
  const settler = new GetSettler({
    codec,
    statistics,
    failedGets,
    events,
    joinChunks: (key, manifest, flags, schema) => values.join(key, manifest, flags, schema),
  });
  const lineBytesMax = routes.isUdp ? UDP_LINE_BYTES_MAX : Infinity;
  const batcher = new GetBatcher({ root, window, settler, statistics, timeoutMs, lineBytesMax });
  const store = new LeaseStore(sender);
  const filler = new Filler({ store, values, statistics, failedGets, events, clock, random });
  return {
    routes,
    window,
    sender,
    batcher,
    values,
    flights: new Flights(),
    filler,
    statistics,
    failedGets,
    clock,
  };
}
