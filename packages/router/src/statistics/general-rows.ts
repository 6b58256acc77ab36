/** The rows of `stats`: memcached's names where memcached has one, so that its tools can read them. */
import type { SpoolContents } from '@larder/routing';
import type { RouterSettings } from '../options/router-options.ts';
import * as counter from './counters.ts';

export type Row = readonly [name: string, value: string | number];

export interface RowFacts {
  readonly version: string;
  readonly transport: string;
  readonly settings: RouterSettings;
  readonly startedAtMs: number;
}

/** Servers by state, over all that are configured. */
export interface ServerCounts {
  readonly all: number;
  readonly up: number;
  readonly down: number;
  /** Not asked yet. */
  readonly unknown: number;
}

/** Counters under the names by which they are shown. */
export const COUNTER_ROWS: readonly (readonly [name: string, index: number])[] = [
  ['cmd_get', counter.CMD_GET],
  ['cmd_set', counter.CMD_SET],
  ['cmd_touch', counter.CMD_TOUCH],
  ['cmd_delete', counter.CMD_DELETE],
  ['cmd_arithmetic', counter.CMD_ARITHMETIC],
  ['cmd_lease', counter.CMD_LEASE],
  ['cmd_meta', counter.CMD_META],
  ['cmd_admin', counter.CMD_ADMIN],
  ['keys_asked', counter.KEYS_ASKED],
  ['requests_forwarded', counter.FORWARDED],
  ['requests_split', counter.SPLIT],
  ['requests_routed', counter.ROUTED],
  ['errors_local', counter.ERRORS_LOCAL],
  ['errors_timeout', counter.FAILED_TIMEOUT],
  ['errors_connect', counter.FAILED_CONNECT],
  ['errors_tko', counter.FAILED_TKO],
  ['errors_busy', counter.FAILED_BUSY],
  ['errors_aborted', counter.FAILED_ABORTED],
  ['errors_other', counter.FAILED_OTHER],
  ['leases_bound', counter.LEASES_BOUND],
  ['udp_requests', counter.UDP_REQUESTS],
  ['udp_refused', counter.UDP_REFUSED],
  ['udp_malformed', counter.UDP_MALFORMED],
  ['udp_too_large', counter.UDP_TOO_LARGE],
  ['udp_dropped', counter.UDP_DROPPED],
  ['system_calls', counter.SYSTEM_CALLS],
  ['config_loads', counter.CONFIG_LOADS],
  ['config_failures', counter.CONFIG_FAILURES],
  ['binary_refused', counter.BINARY_REFUSED],
  ['clients_shed', counter.CLIENTS_SHED],
  ['spool_written', counter.SPOOL_WRITTEN],
  ['spool_refused', counter.SPOOL_REFUSED],
  ['spool_dropped_for_limit', counter.SPOOL_DROPPED],
  ['spool_read', counter.SPOOL_READ],
  ['spool_delivered', counter.SPOOL_DELIVERED],
  ['spool_damaged', counter.SPOOL_DAMAGED],
  ['spool_torn', counter.SPOOL_TORN],
];

/**
 * `sum` holds the counters of all workers, less what `stats reset` has taken off; `spool` is what waits on the disk.
 */
export function generalRows(
  facts: RowFacts,
  sum: Float64Array,
  servers: ServerCounts,
  spool: SpoolContents,
): Row[] {
  const { settings } = facts;
  const nowMs = Date.now();
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  const loadedAt = sum[counter.CONFIG_LOADED_AT]! / settings.threads;
  return [
    ['pid', process.pid],
    ['uptime', Math.floor((nowMs - facts.startedAtMs) / 1000)],
    ['time', Math.floor(nowMs / 1000)],
    ['version', facts.version],
    ['pointer_size', 64],
    ['rusage_user', (userCPUTime / 1e6).toFixed(6)],
    ['rusage_system', (systemCPUTime / 1e6).toFixed(6)],
    ['max_connections', settings.connectionsMax],
    ['curr_connections', sum[counter.CONNECTIONS_CURRENT]!],
    ['total_connections', sum[counter.CONNECTIONS_TOTAL]!],
    ['rejected_connections', sum[counter.CONNECTIONS_REFUSED]!],
    ['bytes_read', sum[counter.BYTES_READ]!],
    ['bytes_written', sum[counter.BYTES_WRITTEN]!],
    ['threads', settings.threads],
    ['transport', facts.transport],
    ...COUNTER_ROWS.map(([name, index]): Row => [name, sum[index]!]),
    ['requests_outstanding', sum[counter.OUTSTANDING]!],
    ['num_servers', servers.all],
    ['num_servers_up', servers.up],
    ['num_servers_down', servers.down],
    ['num_servers_new', servers.unknown],
    ['config_age', Math.max(0, Math.floor((nowMs - loadedAt) / 1000))],
    ['spool_segments', spool.segments],
    ['spool_entries', spool.entries],
    ['spool_bytes', spool.bytes],
    ['spool_oldest_age', Math.max(0, Math.floor((nowMs - (spool.oldestAtMs ?? nowMs)) / 1000))],
  ];
}

export function settingRows(settings: RouterSettings): Row[] {
  return [
    ['maxconns', settings.connectionsMax],
    ['tcpport', settings.port],
    ['udpport', settings.udpPort],
    ['inter', settings.listen.map(({ host }) => host).join(',')],
    ['domain_socket', settings.unixSocket === '' ? 'NULL' : settings.unixSocket],
    ['num_threads', settings.threads],
    ['item_size_max', settings.valueBytesMax],
    ['flush_enabled', settings.flushEnabled ? 'yes' : 'no'],
    ['server_timeout_ms', settings.serverTimeoutMs],
    ['connect_timeout_ms', settings.connectTimeoutMs],
    ['failures_until_tko', settings.failuresUntilTko],
    ['probe_delay_initial_ms', settings.probeDelayMs],
    ['miss_on_get_errors', settings.missOnGetErrors ? 'yes' : 'no'],
    ['reload_ms', settings.reloadMs],
    ['spool_folder', settings.spoolFolder === '' ? 'NULL' : settings.spoolFolder],
  ];
}
