/**
 * What a session counts: indices into a Float64Array that each worker has for itself (in shared memory, if
 * the server wants to sum them elsewhere). The names are memcached's where memcached has one.
 */

/** The names in the order of their indices. */
export const COUNTER_NAMES: readonly string[] = [
  'cmd_get',
  'get_hits',
  'get_misses',
  'cmd_set',
  'cmd_flush',
  'cmd_touch',
  'cmd_meta',
  'touch_hits',
  'touch_misses',
  'delete_hits',
  'delete_misses',
  'incr_hits',
  'incr_misses',
  'decr_hits',
  'decr_misses',
  'cas_hits',
  'cas_misses',
  'cas_badval',
  'store_too_large',
  'store_no_memory',
  'auth_cmds',
  'auth_errors',
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
  'conn_yields',
  'read_buf_oom',
  'gathered_bytes',
];

function indexOf(name: string): number {
  const index = COUNTER_NAMES.indexOf(name);
  if (index < 0) throw new Error(`no counter is called ${name}`);
  return index;
}

export const CMD_GET: number = indexOf('cmd_get');
export const GET_HITS: number = indexOf('get_hits');
export const GET_MISSES: number = indexOf('get_misses');
export const CMD_SET: number = indexOf('cmd_set');
export const CMD_FLUSH: number = indexOf('cmd_flush');
export const CMD_TOUCH: number = indexOf('cmd_touch');
export const CMD_META: number = indexOf('cmd_meta');
export const TOUCH_HITS: number = indexOf('touch_hits');
export const TOUCH_MISSES: number = indexOf('touch_misses');
export const DELETE_HITS: number = indexOf('delete_hits');
export const DELETE_MISSES: number = indexOf('delete_misses');
export const INCR_HITS: number = indexOf('incr_hits');
export const INCR_MISSES: number = indexOf('incr_misses');
export const DECR_HITS: number = indexOf('decr_hits');
export const DECR_MISSES: number = indexOf('decr_misses');
export const CAS_HITS: number = indexOf('cas_hits');
export const CAS_MISSES: number = indexOf('cas_misses');
export const CAS_BADVAL: number = indexOf('cas_badval');
export const STORE_TOO_LARGE: number = indexOf('store_too_large');
export const STORE_NO_MEMORY: number = indexOf('store_no_memory');
export const AUTH_CMDS: number = indexOf('auth_cmds');
export const AUTH_ERRORS: number = indexOf('auth_errors');
export const LEASE_GET_HITS: number = indexOf('lease_get_hits');
export const LEASE_GET_TOKENS: number = indexOf('lease_get_tokens');
export const LEASE_GET_HOT: number = indexOf('lease_get_hot');
export const LEASE_GET_STALE: number = indexOf('lease_get_stale');
export const LEASE_SET_STORED: number = indexOf('lease_set_stored');
export const LEASE_SET_STALE: number = indexOf('lease_set_stale');
export const LEASE_SET_REJECTED: number = indexOf('lease_set_rejected');
export const PROTOCOL_ERRORS: number = indexOf('protocol_errors');
export const UDP_REQUESTS: number = indexOf('udp_requests');
export const UDP_MALFORMED: number = indexOf('udp_malformed');
export const UDP_REFUSED: number = indexOf('udp_refused');
export const UDP_TOO_LARGE: number = indexOf('udp_too_large');
/** Calls of onData: with the number of requests it tells how much clients pipeline. */
export const CONN_BATCHES: number = indexOf('conn_batches');

/** Calls of onData that left requests for later (`-R`). */
export const CONN_YIELDS: number = indexOf('conn_yields');

/** Requests that were refused because all memory for long ones was taken. */
export const READ_BUF_OOM: number = indexOf('read_buf_oom');

/** Held by long requests of which the rest is still to come: goes up and down. */
export const GATHERED_BYTES: number = indexOf('gathered_bytes');

/** Length of a counter array. */
export const COUNTER_COUNT: number = COUNTER_NAMES.length;

/** In a worker's counters, the same ones of the typed protocol begin here. */
export const RPC_COUNTERS: number = 64;
if (COUNTER_COUNT > RPC_COUNTERS) throw new Error('server counters: those of the two protocols overlap');
