/** What `stats items`, `stats slabs` and `stats sizes` report, gathered from shared memory. */
import { type ClassRequestTotals, sumClassRequests } from './class-requests.ts';
import type { StoreCore } from './core.ts';
import { ACCESS, Segment } from './item.ts';
import { THREADS_MAX } from './limits.ts';
import { ClassCounter } from './lru.ts';

export interface ClassItemStatistics {
  readonly slabClass: number;
  readonly number: number;
  readonly numberHot: number;
  readonly numberWarm: number;
  readonly numberCold: number;
  /** Seconds since the next victim, and the last item of HOT and WARM, were used. */
  readonly age: number;
  readonly ageHot: number;
  readonly ageWarm: number;
  readonly evicted: number;
  readonly evictedNonzero: number;
  readonly evictedAge: number;
  readonly evictedUnfetched: number;
  readonly evictedActive: number;
  readonly reclaimed: number;
  readonly expiredUnfetched: number;
  readonly outOfMemory: number;
  readonly movesToCold: number;
  readonly movesToWarm: number;
  readonly movesWithinLru: number;
  readonly requests: ClassRequestTotals;
}

export interface ClassSlabStatistics {
  readonly slabClass: number;
  readonly chunkBytes: number;
  readonly chunksPerPage: number;
  readonly pages: number;
  readonly usedChunks: number;
  readonly freeChunks: number;
  readonly requests: ClassRequestTotals;
}

/** One entry per class that has items. */
export function itemStatistics(core: StoreCore): ClassItemStatistics[] {
  const { lru } = core;
  const result: ClassItemStatistics[] = [];
  for (let slabClass = 1; slabClass <= core.slabs.classes.last; slabClass++) {
    const numberHot = lru.items(slabClass, Segment.hot);
    const numberWarm = lru.items(slabClass, Segment.warm);
    const numberCold = lru.items(slabClass, Segment.cold);
    const number = numberHot + numberWarm + numberCold;
    if (number === 0) continue;
    const count = (counter: ClassCounter): number => lru.counter(slabClass, counter);
    result.push({
      slabClass,
      number,
      numberHot,
      numberWarm,
      numberCold,
      age: tailAge(core, slabClass, Segment.cold),
      ageHot: tailAge(core, slabClass, Segment.hot),
      ageWarm: tailAge(core, slabClass, Segment.warm),
      evicted: count(ClassCounter.evicted),
      evictedNonzero: count(ClassCounter.evictedNonzero),
      evictedAge: count(ClassCounter.evictedAge),
      evictedUnfetched: count(ClassCounter.evictedUnfetched),
      evictedActive: count(ClassCounter.evictedActive),
      reclaimed: count(ClassCounter.reclaimed),
      expiredUnfetched: count(ClassCounter.expiredUnfetched),
      outOfMemory: count(ClassCounter.outOfMemory),
      movesToCold: count(ClassCounter.movesToCold),
      movesToWarm: count(ClassCounter.movesToWarm),
      movesWithinLru: count(ClassCounter.movesWithinLru),
      requests: classRequests(core, slabClass),
    });
  }
  return result;
}

/** One entry per class that has pages. */
export function slabStatistics(core: StoreCore): ClassSlabStatistics[] {
  const result: ClassSlabStatistics[] = [];
  for (let slabClass = 1; slabClass <= core.slabs.classes.last; slabClass++) {
    const usage = core.slabs.usage(slabClass);
    if (usage.pages === 0) continue;
    result.push({
      slabClass,
      chunkBytes: usage.chunkBytes,
      chunksPerPage: usage.chunksPerPage,
      pages: usage.pages,
      usedChunks: usage.inUse,
      freeChunks: usage.free,
      requests: classRequests(core, slabClass),
    });
  }
  return result;
}

function classRequests(core: StoreCore, slabClass: number): ClassRequestTotals {
  const { arena, layout } = core;
  return sumClassRequests(arena, layout.classRequestsOffset, THREADS_MAX, slabClass);
}

function tailAge(core: StoreCore, slabClass: number, segment: Segment): number {
  const item = core.lru.tail(slabClass, segment);
  return item === 0 ? 0 : Math.max(0, core.now() - core.u32[item + ACCESS]!);
}
