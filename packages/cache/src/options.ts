/** What a store is made with. Everything that changes the memory layout is part of the warm-restart check. */
import { CHUNK_BYTES_MIN, MIB, SLAB_GROWTH } from '@larder/datapath';
import { CacheError } from './errors.ts';
import {
  COPY_BYTES_MAX_DEFAULT,
  ITEM_BYTES_MAX,
  ITEM_BYTES_MAX_DEFAULT,
  ITEM_BYTES_MAX_LEAST,
  LEASE_TOKEN_SECONDS_DEFAULT,
  MEMORY_BYTES_MAX,
  MEMORY_BYTES_MIN,
  STALE_SECONDS_DEFAULT,
  THREADS_MAX,
} from './limits.ts';

export interface StoreOptions {
  /** Memory for items (memcached's -m), in bytes. */
  readonly memoryBytes: number;
  /** The largest value (memcached's -I). */
  readonly itemBytesMax: number;
  /** Growth of the slab classes (memcached's -f). */
  readonly slabGrowth: number;
  /** The smallest chunk (memcached's -n, plus the item header). */
  readonly chunkBytesMin: number;
  /** False refuses to store when memory is full (memcached's -M). */
  readonly evict: boolean;
  /** One lease token per key in this time. */
  readonly leaseTokenSeconds: number;
  /** How long a deleted value can be read as stale; 0 frees it at once. */
  readonly staleSeconds: number;
  /** Replies up to this are copied, longer ones referenced. */
  readonly copyBytesMax: number;
  /** Threads that use the store, the maintaining one included. */
  readonly threads: number;
  /** Seed of the index's hash; chosen at random when absent. Tests only. */
  readonly hashSeed?: readonly [number, number];
  /** Where CAS values begin, low word first; drawn at random when absent. Tests only. */
  readonly casBase?: readonly [number, number];
}

export const STORE_DEFAULTS: StoreOptions = {
  memoryBytes: 64 * MIB,
  itemBytesMax: ITEM_BYTES_MAX_DEFAULT,
  slabGrowth: SLAB_GROWTH,
  chunkBytesMin: CHUNK_BYTES_MIN,
  evict: true,
  leaseTokenSeconds: LEASE_TOKEN_SECONDS_DEFAULT,
  staleSeconds: STALE_SECONDS_DEFAULT,
  copyBytesMax: COPY_BYTES_MAX_DEFAULT,
  threads: 2,
};

/** Completes and checks options; the error names the one that is wrong. */
export function storeOptions(options: Partial<StoreOptions>): StoreOptions {
  const complete: StoreOptions = { ...STORE_DEFAULTS, ...options };
  between(complete, 'memoryBytes', MEMORY_BYTES_MIN, MEMORY_BYTES_MAX);
  between(complete, 'itemBytesMax', ITEM_BYTES_MAX_LEAST, ITEM_BYTES_MAX);
  between(complete, 'leaseTokenSeconds', 0, 86_400);
  between(complete, 'staleSeconds', 0, 86_400);
  between(complete, 'copyBytesMax', 0, ITEM_BYTES_MAX);
  between(complete, 'threads', 1, THREADS_MAX);
  if (complete.itemBytesMax > complete.memoryBytes / 2) {
    throw new CacheError(
      'ARGUMENT',
      `itemBytesMax ${complete.itemBytesMax} is more than half of memoryBytes ${complete.memoryBytes}`,
    );
  }
  return complete;
}

function between(options: StoreOptions, name: keyof StoreOptions, least: number, most: number): void {
  const value = options[name];
  if (typeof value === 'number' && value >= least && value <= most) return;
  throw new CacheError('ARGUMENT', `${name} ${String(value)} is not between ${least} and ${most}`);
}
