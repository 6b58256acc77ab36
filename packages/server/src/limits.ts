/**
 * Every limit and default of the server beside those of `@larder/host`, with the relations between them asserted
 * at load.
 */

const KIB = 1024;
export const MIB: number = 1024 * KIB;
const GIB = 1024 * MIB;

export const DEFAULT_PORT: number = 11211;
export const DEFAULT_HOST: string = '127.0.0.1';
/** Where the admin pages are served unless told otherwise. */
export const DEFAULT_ADMIN_PORT: number = 11280;

/** Memory for items (`-m`). */
export const DEFAULT_MEMORY_BYTES: number = 64 * MIB;
export const MEMORY_BYTES_MIN: number = 4 * MIB;
export const MEMORY_BYTES_MAX: number = 31 * GIB;
/** The largest item (`-I`). */
export const DEFAULT_ITEM_BYTES: number = MIB;
export const ITEM_BYTES_MIN: number = KIB;
export const ITEM_BYTES_MAX: number = GIB;
/** Growth from one slab class to the next (`-f`), and the smallest chunk (`-n`). */
export const DEFAULT_SLAB_FACTOR: number = 1.07;
export const SLAB_FACTOR_MAX: number = 4;
export const DEFAULT_CHUNK_BYTES_MIN: number = 64;
export const CHUNK_BYTES_MIN: number = 64;
export const CHUNK_BYTES_MAX: number = 16 * KIB;

/** Connections of the whole server (`-c`). */
export const DEFAULT_CONNECTIONS: number = 1024;
/**
 * Requests of one connection answered before the others get their turn (`-R`). memcached's default is 20; here what
 * is left over has to be copied, and a receive buffer bounds a turn anyway.
 */
export const DEFAULT_REQUESTS_PER_EVENT: number = 1_000;
export const REQUESTS_PER_EVENT_MAX: number = 1_000_000;

/** At most one lease token per key in this time (papers/nsdi13 3.2.1). */
export const DEFAULT_LEASE_TOKEN_SECONDS: number = 10;
/** How long a deleted value is still given to those who accept a stale one. */
export const DEFAULT_STALE_SECONDS: number = 10;
export const SECONDS_MAX: number = 30 * 24 * 3600;

/** As in the text protocols. */
export const KEY_BYTES_MAX: number = 250;
/** Keys of one getM or putM. */
export const RPC_KEYS_MAX: number = 4096;
/** Requests in several datagrams that have not come whole, of one worker, together. */
export const RPC_REASSEMBLY_BYTES_MAX: number = 32 * MIB;
/** Keys of a getM whose values may all be copied into one send buffer. */
export const RPC_SHORT_KEYS_MAX: number = 256;
/**
 * Long requests of all connections that have not come whole, of all workers together (`-o read_buf_mem_limit`).
 */
export const DEFAULT_READ_BUFFER_BYTES: number = 64 * MIB;
export const READ_BUFFER_MEGABYTES_MAX: number = 1024 * 1024;
/** Values of one reply to a remote call, together. */
export const RPC_REPLY_BYTES_MAX: number = 256 * MIB;
/** Copied into one reply before shorter values, too, are referenced. */
export const RPC_COPIED_BYTES_MAX: number = 256 * KIB;
/** What a remote call may have beside the largest item: its header, and more values. */
export const RPC_REQUEST_MARGIN_BYTES: number = MIB;

/** The file of `-Y`. */
export const AUTH_FILE_BYTES_MAX: number = MIB;
export const AUTH_ENTRIES_MAX: number = 64;

/** One slice of maintenance, and the longest pause between two. */
export const MAINTENANCE_SLICE_MS: number = 1;
export const MAINTENANCE_PAUSE_MS: number = 250;
/** Workers are woken this often: idle timeouts, connection tables. */
export const TICK_MS: number = 1_000;
/**
 * Freed memory is given back to the system this often: the optimizing compiler alone frees some 14 MB in small
 * pieces that the C library would keep.
 */
export const TRIM_SECONDS: number = 10;

/** Descriptors on their way from the accepting worker to another. A power of two. */
export const MAILBOX_ENTRIES: number = 1_024;
/** Bytes of one worker's ring of events for watchers. A power of two. */
export const EVENT_RING_BYTES: number = 256 * KIB;
/** Watching connections of one worker. */
export const WATCHERS_MAX: number = 64;
/** Output queued for a watcher above which lines are dropped for it. */
export const WATCHER_OUTPUT_BYTES_MAX: number = 256 * KIB;

function assertRelation(holds: boolean, text: string): void {
  if (!holds) throw new Error(`server limits: ${text}`);
}
assertRelation(DEFAULT_MEMORY_BYTES >= MEMORY_BYTES_MIN, 'the default memory is allowed');
assertRelation(
  DEFAULT_ITEM_BYTES <= ITEM_BYTES_MAX && DEFAULT_ITEM_BYTES >= ITEM_BYTES_MIN,
  'so is the default item',
);
assertRelation((MAILBOX_ENTRIES & (MAILBOX_ENTRIES - 1)) === 0, 'the mailbox wraps by a mask');
assertRelation((EVENT_RING_BYTES & (EVENT_RING_BYTES - 1)) === 0, 'the event ring wraps by a mask');
