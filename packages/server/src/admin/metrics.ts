/**
 * The server's numbers as Prometheus metrics. Nothing is counted here: each scrape reads what the workers
 * and the store have in shared memory.
 */
import type { MetricsPage } from '@larder/host';
import { type Labels, ReadMetrics } from '@larder/host/metrics';
import { RPC_PREFIX } from '../session/latency.ts';
import { type LatencySummary, latencyPowers } from '../statistics/latency-histogram.ts';

/** What a scrape reads. */
export interface MetricsSource {
  /** The rows of `stats`, by name. */
  general(): ReadonlyMap<string, string | number | bigint>;
  latencies(): ReadonlyMap<string, LatencySummary>;
  readonly version: string;
  readonly transport: string;
}

interface SimpleMetric {
  readonly stat: string;
  readonly name: string;
  readonly help: string;
}

const GAUGES: readonly SimpleMetric[] = [
  { stat: 'uptime', name: 'larder_uptime_seconds', help: 'Seconds since the server started.' },
  { stat: 'curr_connections', name: 'larder_connections', help: 'Open connections.' },
  { stat: 'max_connections', name: 'larder_connections_max', help: 'Limit of open connections (-c).' },
  { stat: 'curr_items', name: 'larder_items', help: 'Items stored now.' },
  { stat: 'bytes', name: 'larder_item_bytes', help: 'Bytes of the items stored now.' },
  { stat: 'limit_maxbytes', name: 'larder_memory_limit_bytes', help: 'Memory for items (-m).' },
  { stat: 'hash_bytes', name: 'larder_index_bytes', help: 'Bytes of the hash index in use.' },
  { stat: 'threads', name: 'larder_workers', help: 'Worker threads.' },
  {
    stat: 'rpc_gathered_bytes',
    name: 'larder_request_gathered_bytes',
    help: 'Held by long requests of the typed protocol that have not come whole.',
  },
  {
    stat: 'copy_bytes_max',
    name: 'larder_copy_bytes_max',
    help: 'Longer replies are referenced, not copied.',
  },
  {
    stat: 'maintenance_longest_us',
    name: 'larder_maintenance_longest_microseconds',
    help: 'Longest slice of maintenance.',
  },
];

const COUNTERS: readonly SimpleMetric[] = [
  { stat: 'total_connections', name: 'larder_connections_opened_total', help: 'Connections accepted.' },
  {
    stat: 'rejected_connections',
    name: 'larder_connections_rejected_total',
    help: 'Connections over the limit.',
  },
  {
    stat: 'idle_kicks',
    name: 'larder_connections_idle_total',
    help: 'Connections closed by the idle timeout.',
  },
  {
    stat: 'slow_kicks',
    name: 'larder_connections_slow_total',
    help: 'Connections closed because they did not read.',
  },
  { stat: 'total_items', name: 'larder_items_stored_total', help: 'Items stored since the start.' },
  { stat: 'evictions', name: 'larder_evictions_total', help: 'Live items evicted for new ones.' },
  { stat: 'reclaimed', name: 'larder_reclaimed_total', help: 'Expired items whose memory was used again.' },
  { stat: 'bytes_read', name: 'larder_read_bytes_total', help: 'Bytes received.' },
  { stat: 'bytes_written', name: 'larder_written_bytes_total', help: 'Bytes sent.' },
  { stat: 'system_calls', name: 'larder_system_calls_total', help: 'System calls of the transports.' },
  { stat: 'zero_copy_sends', name: 'larder_zero_copy_sends_total', help: 'Sends without a copy asked for.' },
  {
    stat: 'zero_copy_copied',
    name: 'larder_zero_copy_copied_total',
    help: 'Of those, copied by the kernel after all.',
  },
  {
    stat: 'read_buf_oom',
    name: 'larder_requests_busy_total',
    help: 'Long requests of the typed protocol refused for want of memory.',
  },
  {
    stat: 'copy_calibrations',
    name: 'larder_copy_calibrations_total',
    help: 'How often it was measured from what size on a reference is cheaper than a copy.',
  },
  { stat: 'slabs_moved', name: 'larder_slab_pages_moved_total', help: 'Pages moved between slab classes.' },
  { stat: 'lease_tokens', name: 'larder_lease_tokens_total', help: 'Lease tokens handed out.' },
  {
    stat: 'lease_hot_misses',
    name: 'larder_lease_hot_misses_total',
    help: 'Misses told to wait for the token holder.',
  },
  {
    stat: 'lease_stale_served',
    name: 'larder_lease_stale_served_total',
    help: 'Stale values given to those who accept them.',
  },
];

/** `larder_commands_total{command, status, protocol}` */
const COMMANDS: readonly { readonly stat: string; readonly command: string; readonly status: string }[] = [
  { stat: 'get_hits', command: 'get', status: 'hit' },
  { stat: 'get_misses', command: 'get', status: 'miss' },
  { stat: 'cmd_set', command: 'set', status: 'all' },
  { stat: 'delete_hits', command: 'delete', status: 'hit' },
  { stat: 'delete_misses', command: 'delete', status: 'miss' },
  { stat: 'incr_hits', command: 'incr', status: 'hit' },
  { stat: 'incr_misses', command: 'incr', status: 'miss' },
  { stat: 'decr_hits', command: 'decr', status: 'hit' },
  { stat: 'decr_misses', command: 'decr', status: 'miss' },
  { stat: 'touch_hits', command: 'touch', status: 'hit' },
  { stat: 'touch_misses', command: 'touch', status: 'miss' },
  { stat: 'cas_hits', command: 'cas', status: 'hit' },
  { stat: 'cas_misses', command: 'cas', status: 'miss' },
  { stat: 'cas_badval', command: 'cas', status: 'badval' },
  { stat: 'cmd_flush', command: 'flush', status: 'all' },
  { stat: 'cmd_meta', command: 'meta', status: 'all' },
  { stat: 'lease_get_hits', command: 'lease_get', status: 'hit' },
  { stat: 'lease_get_tokens', command: 'lease_get', status: 'token' },
  { stat: 'lease_get_hot', command: 'lease_get', status: 'hot' },
  { stat: 'lease_set_stored', command: 'lease_set', status: 'stored' },
  { stat: 'lease_set_stale', command: 'lease_set', status: 'stale' },
  { stat: 'lease_set_rejected', command: 'lease_set', status: 'rejected' },
];

const LATENCY_HELP =
  'Time to answer a request inside the server, by kind of command; one batch in 32 is timed.';

/** Registers every metric; `metrics()` of the result is the page. */
export function createMetrics(source: MetricsSource): MetricsPage {
  const metrics = new ReadMetrics();
  const read = (stat: string) => Number(source.general().get(stat) ?? 0);
  for (const { stat, name, help } of GAUGES) metrics.gauge(name, help, () => read(stat));
  for (const { stat, name, help } of COUNTERS) metrics.counter(name, help, () => read(stat));
  metrics.counters('larder_commands_total', 'Commands by outcome.', ['command', 'status', 'protocol'], () =>
    commandCounts(source.general()),
  );
  metrics.process('larder_info', { version: source.version, transport: source.transport });
  metrics.histogram('larder_request_duration_seconds', LATENCY_HELP, ['command', 'protocol'], () =>
    [...source.latencies()].map(([kind, summary]) => ({
      labels: kind.startsWith(RPC_PREFIX)
        ? { command: kind.slice(RPC_PREFIX.length), protocol: 'rpc' }
        : { command: kind, protocol: 'memcache' },
      buckets: latencyPowers(summary).map(
        ({ boundNanoseconds, cumulative }) => [boundNanoseconds / 1e9, cumulative] as const,
      ),
      count: summary.count,
      sum: summary.sumNanoseconds / 1e9,
    })),
  );
  return metrics.registry;
}

/** By protocol: the rows count both together, and those behind RPC_PREFIX the typed one alone. */
function* commandCounts(rows: ReturnType<MetricsSource['general']>): Iterable<readonly [Labels, number]> {
  for (const { stat, command, status } of COMMANDS) {
    const typed = rows.get(RPC_PREFIX + stat);
    const both = Number(rows.get(stat) ?? 0);
    yield [{ command, status, protocol: 'memcache' }, both - Number(typed ?? 0)];
    if (typed !== undefined) yield [{ command, status, protocol: 'rpc' }, Number(typed)];
  }
}
