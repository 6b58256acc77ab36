/**
 * Where everything lies in the store's arena. Computed from the options alone, so every thread, and the next
 * process on the same memory file, finds the same places.
 *
 * ```
 *   0            superblock (4 KiB)
 *   stripes      one lock word each
 *   transient    one list per second
 *   lru          lists and counters per slab class
 *   counters     one block per thread, for as many as there may ever be; and one of requests by slab class
 *   slab state   of the store's allocator, and of one for network buffers
 *   page table
 *   extra        whatever the composition asked for
 *   index        hash buckets; reserved for the largest number of items, used as it grows
 *   pages        -m megabytes for items, then those for network buffers
 * ```
 */
import {
  ALIGN_BYTES,
  ARENA_BYTES_MAX,
  PAGE_BYTES,
  PageTable,
  pageAligned,
  SlabAllocator,
  SlabClasses,
} from '@larder/datapath';
import { CLASS_REQUEST_BLOCK_BYTES } from './class-requests.ts';
import { COUNTER_BLOCK_BYTES } from './counters.ts';
import { CacheError } from './errors.ts';
import { BUCKETS_INITIAL, BUCKETS_PER_ITEM, STRIPES, THREADS_MAX, TRANSIENT_SECONDS } from './limits.ts';
import { LRU_CLASS_WORDS } from './lru.ts';
import type { StoreOptions } from './options.ts';

export const SUPERBLOCK_BYTES = 4096;

/** Words of the superblock. */
export const SUPER_MAGIC = 0;
export const SUPER_LAYOUT = 1;
export const SUPER_STATE = 2;
/** A hash of the options that shape memory. */
export const SUPER_SHAPE = 3;
export const SUPER_SEED_LOW = 4;
export const SUPER_SEED_HIGH = 5;
/** The store's clock: seconds since the epoch in SUPER_EPOCH. */
export const SUPER_NOW = 6;
export const SUPER_BUCKETS = 7;
export const SUPER_CAS_BLOCK = 8;
/** The flush generation, already shifted to its place in an item's tag. */
export const SUPER_GENERATION = 9;
/** The oldest generation of which items may still be linked, shifted likewise. */
export const SUPER_GENERATION_OLDEST = 10;
/** Second at which a delayed flush happens; 0 none. */
export const SUPER_FLUSH_AT = 11;
/** Held by whoever flushes. */
export const SUPER_FLUSH_LOCK = 12;
/** Replies up to this are copied, longer ones referenced; may change while the store is used. */
export const SUPER_COPY_BYTES = 13;
/** Where this store's CAS values begin, in blocks of CAS_BLOCK: the low 32 bits, and those above. */
export const SUPER_CAS_BASE_LOW = 14;
export const SUPER_CAS_BASE_HIGH = 15;
/** Unix time in seconds of the clock's second 0, as a double at this byte. */
export const SUPER_EPOCH_BYTE = 64;

export interface StoreLayout {
  readonly options: StoreOptions;
  readonly arenaBytes: number;
  readonly stripesOffset: number;
  readonly transientOffset: number;
  readonly lruOffset: number;
  readonly countersOffset: number;
  readonly classRequestsOffset: number;
  readonly slabOffset: number;
  readonly networkSlabOffset: number;
  readonly pageTableOffset: number;
  readonly extraOffset: number;
  readonly extraBytes: number;
  readonly indexOffset: number;
  readonly bucketsMax: number;
  readonly firstPage: number;
  readonly itemPages: number;
  readonly networkPages: number;
}

export interface LayoutRequest {
  /** Pages for network buffers. */
  readonly networkPages: number;
  /** Bytes of control memory for the composition (counters, mailboxes, …). */
  readonly extraBytes: number;
}

/** Lays out an arena for a store. */
export function planLayout(options: StoreOptions, request: LayoutRequest): StoreLayout {
  const itemPages = Math.ceil(options.memoryBytes / PAGE_BYTES);
  const classes = storeClasses(options);
  const itemsMax = (itemPages * PAGE_BYTES) / classes.chunkBytes[1]!;
  const bucketsMax = Math.max(BUCKETS_INITIAL, 2 ** Math.ceil(Math.log2(itemsMax * BUCKETS_PER_ITEM)));
  let at = SUPERBLOCK_BYTES;
  const place = (bytes: number): number => {
    const offset = at;
    at += Math.ceil(bytes / 4096) * 4096;
    return offset;
  };
  const stripesOffset = place(STRIPES * 4);
  const transientOffset = place(TRANSIENT_SECONDS * 8);
  const lruOffset = place((classes.last + 1) * LRU_CLASS_WORDS * 4);
  const countersOffset = place(THREADS_MAX * COUNTER_BLOCK_BYTES);
  const classRequestsOffset = place(THREADS_MAX * CLASS_REQUEST_BLOCK_BYTES);
  const slabOffset = place(SlabAllocator.stateBytes(classes));
  const networkSlabOffset = place(SlabAllocator.stateBytes(new SlabClasses()));
  const extraOffset = place(request.extraBytes);
  const indexOffset = place(bucketsMax * 4);
  // The table has two words per page, itself included in the pages it counts.
  const pagesAbout = Math.ceil(at / PAGE_BYTES) + itemPages + request.networkPages + 16;
  const pageTableOffset = place(PageTable.bytes(pagesAbout * PAGE_BYTES));
  const firstPage = pageAligned(at) / PAGE_BYTES;
  const arenaBytes = (firstPage + itemPages + request.networkPages) * PAGE_BYTES;
  if (arenaBytes > ARENA_BYTES_MAX) {
    throw new CacheError(
      'ARGUMENT',
      `memory of ${options.memoryBytes} bytes needs an arena of ${arenaBytes}, more than ${ARENA_BYTES_MAX}`,
    );
  }
  return {
    options,
    arenaBytes,
    stripesOffset,
    transientOffset,
    lruOffset,
    countersOffset,
    classRequestsOffset,
    slabOffset,
    networkSlabOffset,
    pageTableOffset,
    extraOffset,
    extraBytes: request.extraBytes,
    indexOffset,
    bucketsMax,
    firstPage,
    itemPages,
    networkPages: request.networkPages,
  };
}

/** The slab classes of items. */
export function storeClasses(options: StoreOptions): SlabClasses {
  const least = Math.ceil(options.chunkBytesMin / ALIGN_BYTES) * ALIGN_BYTES;
  return new SlabClasses({ growth: options.slabGrowth, chunkBytesMin: least });
}
