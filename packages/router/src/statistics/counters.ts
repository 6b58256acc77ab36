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

export const COUNTERS: number = 40;
