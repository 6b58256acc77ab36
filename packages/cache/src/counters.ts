/**
 * The store's counters: one block of doubles per thread in shared memory, added to by its thread alone and
 * summed by whoever reads them, so that counting never contends.
 */
import type { Arena } from '@larder/datapath';

/** Index of each counter in a block. The first two may go negative in one thread; their sum does not. */
export const StoreCounter = {
  currItems: 0,
  currBytes: 1,
  totalItems: 2,
  evictions: 3,
  evictedUnfetched: 4,
  evictedActive: 5,
  reclaimed: 6,
  expiredUnfetched: 7,
  crawlerReclaimed: 8,
  crawlerItemsChecked: 9,
  crawlerStarts: 10,
  transientReclaimed: 11,
  movesToCold: 12,
  movesToWarm: 13,
  movesWithinLru: 14,
  directReclaims: 15,
  outOfMemory: 16,
  slabsMoved: 17,
  slabEvictions: 18,
  leaseTokens: 19,
  leaseHotMisses: 20,
  leaseStaleServed: 21,
  leaseSetsRefused: 22,
  expiringStored: 23,
  hashSplits: 24,
  maintenanceLongestUs: 25,
  lookupRetries: 26,
  foundExpired: 27,
  foundFlushed: 28,
} as const;
export type StoreCounter = keyof typeof StoreCounter;

const COUNTERS: number = Object.keys(StoreCounter).length;
export const COUNTER_BLOCK_BYTES: number = Math.ceil((COUNTERS * 8) / 128) * 128;

export type StoreTotals = Record<StoreCounter, number>;

/** Sums all threads' blocks. */
export function sumCounters(arena: Arena, offset: number, threads: number): StoreTotals {
  const sums: Record<string, number> = {};
  for (const [name, index] of Object.entries(StoreCounter)) {
    let sum = 0;
    for (let thread = 0; thread < threads; thread++) {
      const value = arena.f64[(offset + thread * COUNTER_BLOCK_BYTES) / 8 + index]!;
      sum = name === 'maintenanceLongestUs' ? Math.max(sum, value) : sum + value;
    }
    sums[name] = sum;
  }
  return sums as StoreTotals;
}

/** Index into the arena's doubles of a thread's block. */
export function counterBlock(offset: number, thread: number): number {
  return (offset + thread * COUNTER_BLOCK_BYTES) / 8;
}
