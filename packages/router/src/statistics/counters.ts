/** What a worker counts: indices into its row of numbers, which all threads can read. */
export const CMD_GET = 0;
export const CMD_SET = 1;
export const CMD_DELETE = 2;
export const CMD_TOUCH = 3;
export const CMD_ARITHMETIC = 4;
export const CMD_LEASE = 5;
export const CMD_META = 6;
export const CMD_ADMIN = 7;
/** Keys asked for by all retrievals. */
export const KEYS_ASKED = 8;
/** Requests by the way they took. */
export const FORWARDED = 9;
export const SPLIT = 10;
export const ROUTED = 11;
/** Requests that were refused by the router itself. */
export const ERRORS_LOCAL = 12;
/** Requests that failed because of a server, by what happened. */
export const FAILED_TIMEOUT = 13;
export const FAILED_CONNECT = 14;
export const FAILED_TKO = 15;
export const FAILED_BUSY = 16;
export const FAILED_ABORTED = 17;
export const FAILED_OTHER = 18;
export const UDP_REQUESTS = 19;
export const UDP_REFUSED = 20;
export const UDP_MALFORMED = 21;
export const UDP_TOO_LARGE = 22;
export const UDP_DROPPED = 23;
/** Leases whose token is bound to another server than the key's own. */
export const LEASES_BOUND = 24;
/** What the transport counts, copied once in a while. */
export const CONNECTIONS_CURRENT = 25;
export const CONNECTIONS_TOTAL = 26;
export const CONNECTIONS_REFUSED = 27;
export const BYTES_READ = 28;
export const BYTES_WRITTEN = 29;
export const SYSTEM_CALLS = 30;
/** Requests that wait for their replies. */
export const OUTSTANDING = 31;
/** Configurations loaded, refused, and when the present one was loaded (Unix milliseconds). */
export const CONFIG_LOADS = 32;
export const CONFIG_FAILURES = 33;
export const CONFIG_LOADED_AT = 34;
/** Clients that spoke the binary protocol and were told that it is not spoken here. */
export const BINARY_REFUSED = 35;
/** What the worker did with the spool, copied once in a while. */
export const SPOOL_WRITTEN = 36;
export const SPOOL_REFUSED = 37;
export const SPOOL_DROPPED = 38;
export const SPOOL_READ = 39;
export const SPOOL_DELIVERED = 40;
export const SPOOL_DAMAGED = 41;
export const SPOOL_TORN = 42;
/** Clients that were closed because too much waited for them. */
export const CLIENTS_SHED = 43;

export const COUNTERS: number = 48;
/** What `stats reset` leaves as it is: it says what is, and not how often something happened. */
export const STATES: ReadonlySet<number> = new Set([
  CONNECTIONS_CURRENT,
  CONNECTIONS_TOTAL,
  CONNECTIONS_REFUSED,
  OUTSTANDING,
  CONFIG_LOADS,
  CONFIG_FAILURES,
  CONFIG_LOADED_AT,
  SYSTEM_CALLS,
]);
