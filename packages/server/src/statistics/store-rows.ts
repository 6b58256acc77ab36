/** The rows of `stats items`, `stats slabs` and `stats sizes`. */
import type { Store } from '@larder/cache';
import type { StatisticsRow } from '../session/statistics-source.ts';

/** Steps of `stats sizes`, as memcached's. */
const SIZE_STEP_BYTES = 32;
/** Buckets of the index that `stats sizes` looks at; a larger index is sampled evenly and scaled up. */
const SIZE_BUCKETS_MAX = 262_144;
/** Neighbouring buckets of one sample. */
const SIZE_RUN_BUCKETS = 1024;

/** Counted for the whole server only (`stats`); and there is no TEMP segment, its place has the transient lists. */
const NOT_BY_CLASS_ITEMS = ['direct_reclaims', 'hits_to_temp'] as const;

export function* itemRows(store: Store): Iterable<StatisticsRow> {
  const chunkBytes = new Map(store.slabStatistics().map((slab) => [slab.slabClass, slab.chunkBytes]));
  for (const entry of store.itemStatistics()) {
    const row = (name: string, value: number): StatisticsRow => [`items:${entry.slabClass}:${name}`, value];
    yield row('number', entry.number);
    yield row('number_hot', entry.numberHot);
    yield row('number_warm', entry.numberWarm);
    yield row('number_cold', entry.numberCold);
    yield row('age_hot', entry.ageHot);
    yield row('age_warm', entry.ageWarm);
    yield row('age', entry.age);
    yield row('mem_requested', entry.number * (chunkBytes.get(entry.slabClass) ?? 0));
    yield row('evicted', entry.evicted);
    yield row('evicted_nonzero', entry.evictedNonzero);
    yield row('evicted_time', entry.evictedAge);
    yield row('outofmemory', entry.outOfMemory);
    yield row('tailrepairs', 0);
    yield row('reclaimed', entry.reclaimed);
    yield row('expired_unfetched', entry.expiredUnfetched);
    yield row('evicted_unfetched', entry.evictedUnfetched);
    yield row('evicted_active', entry.evictedActive);
    yield row('crawler_reclaimed', 0);
    yield row('crawler_items_checked', 0);
    yield row('lrutail_reflocked', 0);
    yield row('moves_to_cold', entry.movesToCold);
    yield row('moves_to_warm', entry.movesToWarm);
    yield row('moves_within_lru', entry.movesWithinLru);
    yield row('hits_to_hot', entry.requests.hitsHot);
    yield row('hits_to_warm', entry.requests.hitsWarm);
    yield row('hits_to_cold', entry.requests.hitsCold);
    for (const name of NOT_BY_CLASS_ITEMS) yield row(name, 0);
  }
}

export function* slabRows(store: Store): Iterable<StatisticsRow> {
  const slabs = store.slabStatistics();
  for (const slab of slabs) {
    const row = (name: string, value: number): StatisticsRow => [`${slab.slabClass}:${name}`, value];
    yield row('chunk_size', slab.chunkBytes);
    yield row('chunks_per_page', slab.chunksPerPage);
    yield row('total_pages', slab.pages);
    yield row('total_chunks', slab.pages * slab.chunksPerPage);
    yield row('used_chunks', slab.usedChunks);
    yield row('free_chunks', slab.freeChunks);
    yield row('free_chunks_end', 0);
    const { requests } = slab;
    yield row('get_hits', requests.hitsHot + requests.hitsWarm + requests.hitsCold);
    yield row('cmd_set', requests.sets);
    yield row('delete_hits', requests.deletes);
    yield row('incr_hits', requests.increments);
    yield row('decr_hits', requests.decrements);
    yield row('cas_hits', requests.casHits);
    yield row('cas_badval', requests.casMismatches);
    yield row('touch_hits', requests.touches);
  }
  yield ['active_slabs', slabs.length];
  yield ['total_malloced', store.slabBytes];
}

/** Items by size in steps of 32 bytes. */
export function* sizeRows(store: Store): Iterable<StatisticsRow> {
  const counts = new Map<number, number>();
  const scale = visitSample(store, (item) => {
    const size = Math.ceil(store.totalBytes(item) / SIZE_STEP_BYTES) * SIZE_STEP_BYTES;
    counts.set(size, (counts.get(size) ?? 0) + 1);
  });
  for (const [size, count] of [...counts].sort(([a], [b]) => a - b))
    yield [String(size), Math.round(count * scale)];
}

/** Visits all items, or those of an even sample of the index; returns what each visited one stands for. */
function visitSample(store: Store, visit: (item: number) => void): number {
  const buckets = store.hashBuckets;
  const stride = Math.max(1, Math.ceil(buckets / SIZE_BUCKETS_MAX)) * SIZE_RUN_BUCKETS;
  let visited = 0;
  for (let bucket = 0; bucket < buckets; bucket += stride) {
    const run = Math.min(SIZE_RUN_BUCKETS, buckets - bucket);
    store.walk(bucket, run, visit);
    visited += run;
  }
  return buckets / visited;
}
