/** Every limit of this package, with the relations between them asserted at load. */
import {
  DATAGRAM_BYTES,
  DATAGRAM_HEADER_BYTES,
  GET_LINE_BYTES_MAX,
  KEY_BYTES_MAX,
  LINE_BYTES_MAX,
} from '@larder/protocol';

export const PORT_DEFAULT: number = 11_211;

/** A request that is not answered after this long has failed (mcrouter: 1000). */
export const SERVER_TIMEOUT_MS: number = 1000;
export const CONNECT_TIMEOUT_MS: number = 1000;
/** Time-outs are looked for this often at most, and at least four times per time-out. */
export const TIMER_TICK_MS: number = 25;
export const CONNECTIONS_PER_DESTINATION: number = 1;
export const CONNECTIONS_PER_DESTINATION_MAX: number = 64;
/** Requests that wait for replies of one destination. */
export const OUTSTANDING_MAX: number = 65_536;
/** Failures in a row until a destination is given up (mcrouter: 3). */
export const FAILURES_UNTIL_TKO: number = 3;
export const PROBE_DELAY_INITIAL_MS: number = 500;
export const PROBE_DELAY_MAX_MS: number = 60_000;
/** Each failed probe makes the next delay this many times longer, plus or minus the jitter's share. */
export const PROBE_DELAY_GROWTH: number = 1.5;
export const PROBE_JITTER: number = 0.25;
/** A server that lets requests wait again within this time after it came back is not trusted as before. */
export const FLAPPING_MS: number = 10_000;
/** Datagrams of a destination that wait for replies: what a socket's default buffer holds, halved. */
export const UDP_OUTSTANDING_MAX: number = 128;
/** A socket's buffer, where the system gives that much. */
export const UDP_RECEIVE_BUFFER_BYTES: number = 4 * 1024 * 1024;
/** A line of gets that is to go over UDP has to fit one datagram, and so many keys of objects share one. */
export const UDP_LINE_BYTES_MAX: number = DATAGRAM_BYTES - DATAGRAM_HEADER_BYTES;
export const UDP_KEYS_MAX: number = 64;
/** After losses in a row gets go over TCP for so long. */
export const UDP_PAUSE_MS: number = 10_000;
export const KEEP_ALIVE_MS: number = 30_000;

/** Plain memcached's leases: how long the stub of a miss keeps others from filling (papers/nsdi13 3.2.1: 10 s). */
export const LEASE_STUB_SECONDS: number = 10;

/** Keys of one multiget line. */
export const GET_KEYS_MAX: number = 256;
/** A link gives contiguous room for at most this many bytes. */
export const LINK_RESERVE_BYTES_MAX: number = 8192;
/** Above so many unsent bytes a destination answers busy; below, it takes requests again. */
export const LINK_QUEUED_BYTES_HIGH: number = 64 * 1024 * 1024;
export const LINK_QUEUED_BYTES_LOW: number = 16 * 1024 * 1024;
/** Values of at least this size are handed to the socket instead of being copied. */
export const OWNED_VALUE_BYTES_MIN: number = 16 * 1024;

/** A configuration's text, and how deep it may be nested. */
export const CONFIG_BYTES_MAX: number = 16 * 1024 * 1024;
export const CONFIG_DEPTH_MAX: number = 128;
/** How deep macros may call each other, and how much they may come to. */
export const MACRO_DEPTH_MAX: number = 128;
export const MACRO_STEPS_MAX: number = 1_000_000;
/** Documents that one configuration imports. */
export const CONFIG_IMPORTS_MAX: number = 256;
/** How often a file is looked at and a URL asked, and how long an answer may take. */
export const CONFIG_POLL_MS: number = 5000;
export const CONFIG_FETCH_TIMEOUT_MS: number = 10_000;
/** After a file has changed it is read so much later: whoever writes it may not be through. */
export const CONFIG_SETTLE_MS: number = 50;
export const POOL_SERVERS_MAX: number = 10_000;
export const POOLS_MAX: number = 10_000;
/** Pools that take what they do not say from each other, in a row. */
export const POOL_INHERITANCE_MAX: number = 32;
/** Ways from the root to a destination: routes that share others multiply them. */
export const ROUTE_PATHS_MAX: number = 10_000_000;
/** Handles that are told to be on one request's way. */
export const TRAVERSED_MAX: number = 100_000;
/** Times in configurations: a day. */
export const TIMEOUT_MS_MAX: number = 86_400_000;
/** Names are resolved again so often at least, and never more often. */
export const DNS_REFRESH_MS: number = 30_000;
export const DNS_REFRESH_MS_MIN: number = 1000;
/** How long the addresses of a name are waited for, and then their time to live. */
export const DNS_TIMEOUT_MS: number = 5000;
export const DNS_TTL_TIMEOUT_MS: number = 1000;
export const ADDRESSES_PER_NAME_MAX: number = 1024;

function assertRelation(holds: boolean, text: string): void {
  if (!holds) throw new Error(`routing limits: ${text}`);
}
assertRelation(LINK_RESERVE_BYTES_MAX >= 2 * LINE_BYTES_MAX, 'any request line fits the reserved room');
assertRelation(GET_KEYS_MAX * (KEY_BYTES_MAX + 1) < GET_LINE_BYTES_MAX, 'a multiget line fits its limit');
assertRelation(LINK_QUEUED_BYTES_LOW < LINK_QUEUED_BYTES_HIGH, 'low is below high');
assertRelation(PROBE_DELAY_INITIAL_MS <= PROBE_DELAY_MAX_MS, 'probe delays grow');
