/** The rows of `stats settings`, under memcached's names where memcached has the setting. */
import { LISTEN_BACKLOG, PAGE_BYTES } from '@larder/datapath';
import { formatHostPort } from '@larder/host';
import { EVENT_RING_BYTES, MIB, WATCHER_OUTPUT_BYTES_MAX } from '../limits.ts';
import type { StatisticsRow } from '../session/statistics-source.ts';
import { Control } from '../workers/control.ts';
import type { ServerStatistics } from './server-statistics.ts';

function yesNo(value: boolean): string {
  return value ? 'yes' : 'no';
}

/** As it is given: 0 for no limit. */
function readBufferMegabytes(bytes: number): number {
  return Number.isFinite(bytes) ? bytes / MIB : 0;
}

export function* settingsRows(statistics: ServerStatistics): Iterable<StatisticsRow> {
  const { settings, threads, transport } = statistics.facts;
  const verbosity = Atomics.load(statistics.shared.control, Control.verbosity);
  const hosts = settings.listen.map(({ host, port }) =>
    port === undefined ? host : formatHostPort(host, port),
  );
  yield ['maxbytes', statistics.store.memoryLimitBytes];
  yield ['maxconns', settings.connectionsMax];
  yield ['tcpport', settings.port === 'off' ? 0 : settings.port];
  yield ['udpport', Math.max(0, settings.udpPort)];
  yield ['inter', settings.port === 'off' ? 'NULL' : hosts.join(',')];
  yield ['verbosity', verbosity === 0 ? settings.verbose : verbosity - 1];
  yield ['evictions', settings.disableEvictions ? 'off' : 'on'];
  yield ['domain_socket', settings.unixSocket === '' ? 'NULL' : settings.unixSocket];
  yield ['umask', settings.unixMode.toString(8)];
  yield ['shutdown_command', yesNo(settings.enableShutdown)];
  yield ['growth_factor', settings.slabFactor.toFixed(2)];
  yield ['chunk_size', settings.chunkBytesMin];
  yield ['num_threads', threads];
  yield ['stat_key_prefix', ':'];
  yield ['detail_enabled', yesNo(statistics.detail.enabled)];
  yield ['reqs_per_event', settings.requestsPerEvent];
  yield ['cas_enabled', 'yes'];
  yield ['binding_protocol', settings.authFile === '' ? 'auto-negotiate' : 'ascii'];
  yield ['auth_enabled_sasl', 'no'];
  yield ['auth_enabled_ascii', yesNo(settings.authFile !== '')];
  yield ['item_size_max', settings.itemBytesMax];
  yield ['maxconns_fast', yesNo(settings.refuseWhenFull)];
  yield ['slab_reassign', 'yes'];
  yield ['slab_automove', 1];
  yield ['lru_crawler', 'yes'];
  yield ['flush_enabled', yesNo(!settings.disableFlushAll)];
  yield ['dump_enabled', 'yes'];
  yield ['lru_maintainer_thread', 'yes'];
  yield ['lru_segmented', 'yes'];
  yield ['idle_timeout', settings.idleTimeoutSeconds];
  yield ['track_sizes', 'yes'];
  yield ['ssl_enabled', yesNo(settings.tls !== undefined)];
  yield ['tcp_backlog', LISTEN_BACKLOG];
  yield ['slab_chunk_max', PAGE_BYTES];
  yield ['hash_algorithm', 'halfsiphash'];
  yield ['watcher_logbuf_size', WATCHER_OUTPUT_BYTES_MAX];
  yield ['worker_logbuf_size', EVENT_RING_BYTES];
  yield ['client_flags_size', 4];
  yield ['proxy_enabled', 'no'];
  yield ['memory_file', settings.memoryFile === '' ? '(null)' : settings.memoryFile];
  yield ['transport', transport];
  yield ['lease_token_seconds', settings.leaseTokenSeconds];
  yield ['stale_seconds', settings.staleSeconds];
  yield ['udp_datagrams_max', settings.udpDatagramsMax];
  yield ['huge_pages', yesNo(settings.hugePages)];
  yield ['calibrate', yesNo(settings.calibrate)];
  yield ['copy_bytes_max', statistics.store.copyBytesMax];
  yield ['read_buf_mem_limit', readBufferMegabytes(settings.readBufferBytesMax)];
  yield ['zero_copy', yesNo(settings.zeroCopy)];
}
