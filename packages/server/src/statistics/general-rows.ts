/**
 * The rows of `stats`: memcached's names, order and meanings where memcached has them, then Larder's own
 * (transport, leases, zero-copy sends, maintenance), which are documented in docs/protocol. What Larder does
 * not have (response objects, NAPI ids, …) is 0, so that exporters find every name.
 */
import { BUCKETS_PER_ITEM } from '@larder/cache';
import { PAGE_BYTES } from '@larder/datapath';
import { RPC_PREFIX } from '../session/latency.ts';
import type { StatisticsRow } from '../session/statistics-source.ts';
import { Control } from '../workers/control.ts';
import type { ServerStatistics } from './server-statistics.ts';

export function* generalRows(statistics: ServerStatistics): Iterable<StatisticsRow> {
  yield* processRows(statistics);
  yield* connectionRows(statistics);
  yield* commandRows(statistics);
  yield* trafficRows(statistics);
  yield* storeRows(statistics);
  yield* larderRows(statistics);
}

/** `seconds.microseconds`, as memcached prints times of the processor. */
function processorTime(microseconds: number): string {
  return `${Math.floor(microseconds / 1e6)}.${String(microseconds % 1e6).padStart(6, '0')}`;
}

function* processRows(statistics: ServerStatistics): Iterable<StatisticsRow> {
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  yield ['pid', process.pid];
  yield ['uptime', statistics.uptimeSeconds()];
  yield ['time', Math.floor(Date.now() / 1000)];
  yield ['version', statistics.facts.version];
  yield ['pointer_size', 64];
  yield ['rusage_user', processorTime(userCPUTime)];
  yield ['rusage_system', processorTime(systemCPUTime)];
}

function* connectionRows(statistics: ServerStatistics): Iterable<StatisticsRow> {
  const published = statistics.published();
  yield ['max_connections', statistics.facts.settings.connectionsMax];
  yield ['curr_connections', published.connectionsCurrent];
  yield ['total_connections', published.connectionsOpened];
  yield ['rejected_connections', published.connectionsRefused];
  yield ['connection_structures', published.connectionsCurrent];
  yield ['response_obj_oom', 0];
  yield ['response_obj_count', 0];
  yield ['response_obj_bytes', 0];
  yield* bufferRows(statistics);
  yield ['reserved_fds', 0];
}

/** Memory for receiving and sending, which memcached calls read buffers. */
function* bufferRows(statistics: ServerStatistics): Iterable<StatisticsRow> {
  const buffers = statistics.store.networkAllocator();
  let free = 0;
  for (let slabClass = 1; slabClass <= buffers.classes.last; slabClass++) {
    free += buffers.freeChunks(slabClass) * (buffers.classes.chunkBytes[slabClass] ?? 0);
  }
  yield ['read_buf_count', buffers.chunksInUse()];
  yield ['read_buf_bytes', buffers.pagesUsed * PAGE_BYTES];
  yield ['read_buf_bytes_free', free];
  yield ['read_buf_oom', statistics.counters().get('read_buf_oom') ?? 0];
}

/** Counters of the sessions that are told under memcached's names, in memcached's order. */
const COMMAND_COUNTERS = [
  'cmd_get',
  'cmd_set',
  'cmd_flush',
  'cmd_touch',
  'cmd_meta',
  'get_hits',
  'get_misses',
  'get_expired',
  'get_flushed',
  'delete_misses',
  'delete_hits',
  'incr_misses',
  'incr_hits',
  'decr_misses',
  'decr_hits',
  'cas_misses',
  'cas_hits',
  'cas_badval',
  'touch_hits',
  'touch_misses',
  'store_too_large',
  'store_no_memory',
  'auth_cmds',
  'auth_errors',
] as const;

/** Larder's own counters of the sessions. */
const LARDER_COUNTERS = [
  'lease_get_hits',
  'lease_get_tokens',
  'lease_get_hot',
  'lease_get_stale',
  'lease_set_stored',
  'lease_set_stale',
  'lease_set_rejected',
  'protocol_errors',
  'udp_requests',
  'udp_malformed',
  'udp_refused',
  'udp_too_large',
  'conn_batches',
] as const;

/** What the typed protocol has of the counters above, told again behind RPC_PREFIX. */
const RPC_ROWS = [
  'cmd_get',
  'cmd_set',
  'get_hits',
  'get_misses',
  'delete_hits',
  'delete_misses',
  'cas_hits',
  'cas_misses',
  'cas_badval',
  'store_too_large',
  'store_no_memory',
  'lease_get_hits',
  'lease_get_tokens',
  'lease_get_hot',
  'lease_set_stored',
  'lease_set_stale',
  'lease_set_rejected',
  'protocol_errors',
  'udp_requests',
  'udp_malformed',
  'udp_refused',
  'conn_batches',
  'gathered_bytes',
] as const;

function* commandRows(statistics: ServerStatistics): Iterable<StatisticsRow> {
  const counters = statistics.counters();
  const totals = statistics.store.totals();
  for (const name of COMMAND_COUNTERS) {
    if (name === 'get_expired') yield [name, totals.foundExpired];
    else if (name === 'get_flushed') yield [name, totals.foundFlushed];
    else yield [name, counters.get(name) ?? 0];
  }
}

function* trafficRows(statistics: ServerStatistics): Iterable<StatisticsRow> {
  const published = statistics.published();
  const { settings, threads } = statistics.facts;
  const buckets = statistics.store.hashBuckets;
  const totals = statistics.store.totals();
  const { control } = statistics.shared;
  yield ['bytes_read', published.bytesRead];
  yield ['bytes_written', published.bytesWritten];
  yield ['limit_maxbytes', statistics.store.memoryLimitBytes];
  yield ['accepting_conns', published.connectionsCurrent < settings.connectionsMax ? 1 : 0];
  yield ['listen_disabled_num', published.acceptPauses];
  yield ['time_in_listen_disabled_us', Math.round(published.acceptPausedMs * 1000)];
  yield ['threads', threads];
  yield ['conn_yields', statistics.counters().get('conn_yields') ?? 0];
  yield ['hash_power_level', Math.floor(Math.log2(buckets))];
  yield ['hash_bytes', buckets * 4];
  yield ['hash_is_expanding', totals.currItems * BUCKETS_PER_ITEM > buckets ? 1 : 0];
  yield ['slab_reassign_rescues', 0];
  yield ['slab_reassign_chunk_rescues', 0];
  yield ['slab_reassign_evictions_nomem', totals.slabEvictions];
  yield ['slab_reassign_inline_reclaim', 0];
  yield ['slab_reassign_busy_items', 0];
  yield ['slab_reassign_busy_deletes', 0];
  yield ['slab_reassign_running', Atomics.load(control, Control.isMovingPage)];
  yield ['slabs_moved', totals.slabsMoved];
  yield ['lru_crawler_running', Atomics.load(control, Control.isCrawling)];
  yield ['lru_crawler_starts', totals.crawlerStarts];
  yield ['lru_maintainer_juggles', Atomics.load(control, Control.maintenanceSlices) >>> 0];
  yield ['malloc_fails', totals.outOfMemory];
  yield ['log_worker_dropped', 0];
  yield ['log_worker_written', published.events.written];
  yield ['log_watcher_skipped', published.events.skipped];
  yield ['log_watcher_sent', published.events.sent];
  yield ['log_watchers', watchers(statistics)];
  yield ['unexpected_napi_ids', 0];
  yield ['round_robin_fallback', 0];
}

function watchers(statistics: ServerStatistics): number {
  const { control, workers } = statistics.shared;
  let count = 0;
  for (let worker = 0; worker < workers; worker++)
    count += Atomics.load(control, Control.watchersOfWorker + worker);
  return count;
}

function* storeRows(statistics: ServerStatistics): Iterable<StatisticsRow> {
  const totals = statistics.store.totals();
  yield ['bytes', totals.currBytes];
  yield ['curr_items', totals.currItems];
  yield ['total_items', totals.totalItems];
  yield [
    'slab_global_page_pool',
    statistics.store.layout.itemPages - statistics.store.slabBytes / PAGE_BYTES,
  ];
  yield ['expired_unfetched', totals.expiredUnfetched];
  yield ['evicted_unfetched', totals.evictedUnfetched];
  yield ['evicted_active', totals.evictedActive];
  yield ['evictions', totals.evictions];
  yield ['reclaimed', totals.reclaimed];
  yield ['crawler_reclaimed', totals.crawlerReclaimed];
  yield ['crawler_items_checked', totals.crawlerItemsChecked];
  yield ['lrutail_reflocked', 0];
  yield ['moves_to_cold', totals.movesToCold];
  yield ['moves_to_warm', totals.movesToWarm];
  yield ['moves_within_lru', totals.movesWithinLru];
  yield ['direct_reclaims', totals.directReclaims];
  yield ['lru_bumps_dropped', 0];
}

function* larderRows(statistics: ServerStatistics): Iterable<StatisticsRow> {
  const totals = statistics.store.totals();
  const published = statistics.published();
  const counters = statistics.counters();
  yield ['transport', statistics.facts.transport];
  yield ['system_calls', published.systemCalls];
  yield ['idle_kicks', published.connectionsClosedIdle];
  yield ['slow_kicks', published.connectionsClosedSlow];
  yield ['zero_copy_sends', published.zeroCopySends];
  yield ['zero_copy_copied', published.zeroCopyCopied];
  yield ['datagrams_received', published.datagramsReceived];
  yield ['datagrams_sent', published.datagramsSent];
  yield ['datagrams_dropped', published.datagramsDropped];
  yield ['lease_tokens', totals.leaseTokens];
  yield ['lease_hot_misses', totals.leaseHotMisses];
  yield ['lease_stale_served', totals.leaseStaleServed];
  yield ['lease_sets_refused', totals.leaseSetsRefused];
  yield ['transient_reclaimed', totals.transientReclaimed];
  yield ['hash_splits', totals.hashSplits];
  yield ['maintenance_longest_us', Math.round(totals.maintenanceLongestUs)];
  const { control } = statistics.shared;
  yield ['copy_bytes_max', statistics.store.copyBytesMax];
  yield ['copy_calibrations', Atomics.load(control, Control.copyCalibrations)];
  yield ['copy_calibration_us', Atomics.load(control, Control.copyCalibrationMicroseconds)];
  for (const name of LARDER_COUNTERS) yield [name, counters.get(name) ?? 0];
  for (const name of RPC_ROWS) yield [RPC_PREFIX + name, counters.get(RPC_PREFIX + name) ?? 0];
}
