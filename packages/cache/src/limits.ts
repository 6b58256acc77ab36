/** Every limit of the store, with the relations between them asserted at load. */
import { ARENA_BYTES_MAX, KIB, MIB, PAGE_BYTES } from '@larder/datapath';

export const KEY_BYTES_MAX: number = 250;
/** Default and largest size of one value (memcached's -I). */
export const ITEM_BYTES_MAX_DEFAULT: number = MIB;
export const ITEM_BYTES_MAX: number = 1024 * MIB;
export const ITEM_BYTES_MAX_LEAST: number = KIB;
/** The least and the most memory for items (memcached's -m). */
export const MEMORY_BYTES_MIN: number = 4 * PAGE_BYTES;
export const MEMORY_BYTES_MAX: number = ARENA_BYTES_MAX - 4096 * PAGE_BYTES;
/** A value whose item is longer than this is a chain of chunks of this size. */
export const CHAIN_CHUNK_BYTES: number = 512 * KIB;
/** Elements of a list value; their table lies in one chunk. */
export const LIST_ELEMENTS_MAX: number = 65_536;
/** Relative expiry times above this are absolute Unix times (protocol). */
export const RELATIVE_EXPIRY_SECONDS_MAX: number = 30 * 24 * 3600;
/** Replies up to this are copied, longer ones are referenced by the scatter-gather list. */
export const COPY_BYTES_MAX_DEFAULT: number = 8 * KIB;
/** One lease token per key in this time (papers/nsdi13 3.2.1). */
export const LEASE_TOKEN_SECONDS_DEFAULT: number = 10;
/** How long a deleted value can be read as stale. */
export const STALE_SECONDS_DEFAULT: number = 10;
/** Life of an empty lease stub whose token is never used. */
export const STUB_SECONDS: number = 60;
/** An item's last access is written at most this often. */
export const ACCESS_UPDATE_SECONDS: number = 60;
/** CAS values begin at random below this many times 2^40: they fit the 53 bits of a number in JavaScript. */
export const CAS_BASE_HIGH_MAX: number = 4096;
/** Items that expire within this time are in the Transient Item Cache (papers/nsdi13 6.3). */
export const TRANSIENT_SECONDS: number = 128;
/** Threads that may use one store. */
export const THREADS_MAX: number = 256;
/** The Transient Item Cache takes items this much below its horizon, so that a late clock cannot wrap it. */
export const TRANSIENT_MARGIN_SECONDS: number = 8;
/** Locks of the index; a power of two. */
export const STRIPES: number = 4096;
/** Buckets of a new index; a power of two. */
export const BUCKETS_INITIAL: number = 65_536;
/** Buckets per item that the index keeps by growing. */
export const BUCKETS_PER_ITEM: number = 1.34;
/** Items looked at, from the tail of a list, for one to evict. */
export const EVICTION_TRIES: number = 50;
/** Chain steps of a lookup without a lock before it takes the lock. */
export const OPTIMISTIC_STEPS_MAX: number = 64;

function assertRelation(holds: boolean, text: string): void {
  if (!holds) throw new Error(`cache limits: ${text}`);
}
assertRelation((STRIPES & (STRIPES - 1)) === 0, 'stripes are a power of two');
assertRelation((BUCKETS_INITIAL & (BUCKETS_INITIAL - 1)) === 0, 'initial buckets are a power of two');
assertRelation(STRIPES <= BUCKETS_INITIAL, 'a bucket and its split image share a stripe');
assertRelation(PAGE_BYTES % CHAIN_CHUNK_BYTES === 0, 'a page holds a whole number of chain chunks');
assertRelation(
  CHAIN_CHUNK_BYTES > 4 * KEY_BYTES_MAX,
  'the first chunk of a chain holds the head of the reply',
);
assertRelation(LIST_ELEMENTS_MAX * 4 <= CHAIN_CHUNK_BYTES / 2, "a list's table fits one chunk");
assertRelation(
  (CAS_BASE_HIGH_MAX + 1) * 2 ** 40 <= Number.MAX_SAFE_INTEGER,
  'CAS values are exact as numbers, wherever they begin',
);
