/**
 * Making room: the segmented LRU's housekeeping and the eviction of the least recently used item of a class.
 *
 * HOT holds new items, WARM those used again, COLD the rest. HOT may have a fifth and WARM two fifths of a
 * class's items; what overflows moves on. All of it begins at a list, so it holds the class's lock and only
 * tries an item's stripe: an item that is busy is left where it is.
 */
import { tryLock, unlock } from '@larder/datapath';
import type { StoreCore } from './core.ts';
import { StoreCounter } from './counters.ts';
import { ACCESS, ACTIVE, DEAD, EXPIRY, FETCHED, HASH, LINKED, Segment, TAG } from './item.ts';
import { EVICTION_TRIES, STRIPES } from './limits.ts';
import { ClassCounter } from './lru.ts';

/** Shares of a class's items, in percent. */
const HOT_PERCENT = 20;
const WARM_PERCENT = 40;
/** Items moved between segments before an eviction. */
const MOVES_PER_EVICTION = 3;

/** What becomes of evicted items; for `watch evictions`. */
export type EvictionObserver = (item: number, slabClass: number) => void;

export class Evictor {
  readonly #core: StoreCore;
  /** Called before an item's memory is freed; null when nobody watches. */
  observer: EvictionObserver | null = null;
  /** The page that the item evicted last was in. */
  lastPage = -1;

  constructor(core: StoreCore) {
    this.#core = core;
  }

  /** Frees at least one chunk of the class by reclaiming or evicting. False when nothing could be freed. */
  evict(slabClass: number): boolean {
    const { lru } = this.#core;
    lru.lock(slabClass);
    this.#rebalanceSegments(slabClass, MOVES_PER_EVICTION);
    const freed =
      this.#evictFrom(slabClass, Segment.cold) ||
      this.#evictFrom(slabClass, Segment.warm) ||
      this.#evictFrom(slabClass, Segment.hot);
    lru.unlock(slabClass);
    return freed;
  }

  /** Moves up to `moves` items of each overflowing segment on. */
  rebalance(slabClass: number, moves: number): void {
    this.#core.lru.lock(slabClass);
    this.#rebalanceSegments(slabClass, moves);
    this.#core.lru.unlock(slabClass);
  }

  #rebalanceSegments(slabClass: number, moves: number): void {
    const { lru } = this.#core;
    const total =
      lru.items(slabClass, Segment.hot) +
      lru.items(slabClass, Segment.warm) +
      lru.items(slabClass, Segment.cold);
    for (let i = 0; i < moves && lru.items(slabClass, Segment.hot) * 100 > total * HOT_PERCENT; i++) {
      if (!this.#moveOn(slabClass, Segment.hot)) break;
    }
    for (let i = 0; i < moves && lru.items(slabClass, Segment.warm) * 100 > total * WARM_PERCENT; i++) {
      if (!this.#moveOn(slabClass, Segment.warm)) break;
    }
  }

  /** Moves the tail of HOT or WARM to WARM if it was used again, to COLD if not. */
  #moveOn(slabClass: number, from: Segment): boolean {
    const { i32, lru } = this.#core;
    const item = lru.tail(slabClass, from);
    if (item === 0 || !this.#tryStripe(item)) return false;
    const isActive = (i32[item + TAG]! & ACTIVE) !== 0;
    lru.remove(item, slabClass);
    if (isActive) this.#promote(item, slabClass, from);
    else {
      lru.push(item, slabClass, Segment.cold);
      lru.count(slabClass, ClassCounter.movesToCold, 1);
      this.#core.f64[this.#core.counters + StoreCounter.movesToCold]!++;
    }
    this.#releaseStripe(item);
    return true;
  }

  /** Puts an item, already removed from its list, at the head of WARM. */
  #promote(item: number, slabClass: number, from: Segment): void {
    const { i32, lru, f64, counters } = this.#core;
    i32[item + TAG]! &= ~ACTIVE;
    lru.push(item, slabClass, Segment.warm);
    if (from === Segment.warm) {
      lru.count(slabClass, ClassCounter.movesWithinLru, 1);
      f64[counters + StoreCounter.movesWithinLru]!++;
    } else {
      lru.count(slabClass, ClassCounter.movesToWarm, 1);
      f64[counters + StoreCounter.movesToWarm]!++;
    }
  }

  #evictFrom(slabClass: number, segment: Segment): boolean {
    const core = this.#core;
    const { i32, lru } = core;
    let item = lru.tail(slabClass, segment);
    for (let tries = 0; item !== 0 && tries < EVICTION_TRIES; tries++) {
      const previous = lru.towardsHead(item);
      // Another thread may be sending or filling it; its memory would not come free.
      if (i32[item] === 1 && this.#tryStripe(item)) {
        const hash = i32[item + HASH]!;
        const gone = core.isGone(item) || (i32[item + TAG]! & DEAD) !== 0;
        const isSpared = !gone && segment === Segment.cold && (i32[item + TAG]! & ACTIVE) !== 0;
        if (isSpared) {
          lru.remove(item, slabClass);
          this.#promote(item, slabClass, segment);
        } else if (gone || core.layout.options.evict) {
          this.#countRemoval(item, slabClass, gone);
          if (!gone && this.observer !== null) this.observer(item, slabClass);
          this.lastPage = core.pageOf(item);
          lru.remove(item, slabClass);
          core.unlinkFromIndex(item);
          this.#releaseStripeOf(hash);
          return true;
        }
        this.#releaseStripeOf(hash);
      }
      item = previous;
    }
    return false;
  }

  #countRemoval(item: number, slabClass: number, gone: boolean): void {
    const { i32, u32, lru, f64, counters } = this.#core;
    const tag = i32[item + TAG]!;
    const isUnfetched = (tag & FETCHED) === 0;
    if (gone) {
      lru.count(slabClass, ClassCounter.reclaimed, 1);
      f64[counters + StoreCounter.reclaimed]!++;
      if (!isUnfetched) return;
      lru.count(slabClass, ClassCounter.expiredUnfetched, 1);
      f64[counters + StoreCounter.expiredUnfetched]!++;
      return;
    }
    lru.count(slabClass, ClassCounter.evicted, 1);
    lru.count(slabClass, ClassCounter.evictedRecently, 1);
    lru.setCounter(slabClass, ClassCounter.evictedAge, this.#core.now() - u32[item + ACCESS]!);
    f64[counters + StoreCounter.evictions]!++;
    if (u32[item + EXPIRY] !== 0) lru.count(slabClass, ClassCounter.evictedNonzero, 1);
    if (isUnfetched) {
      lru.count(slabClass, ClassCounter.evictedUnfetched, 1);
      f64[counters + StoreCounter.evictedUnfetched]!++;
    }
    if ((tag & ACTIVE) !== 0) {
      lru.count(slabClass, ClassCounter.evictedActive, 1);
      f64[counters + StoreCounter.evictedActive]!++;
    }
  }

  /** Tries the stripe of a listed item; true only while it is linked. */
  #tryStripe(item: number): boolean {
    const { i32, stripes } = this.#core;
    const hash = i32[item + HASH]!;
    if (!tryLock(i32, stripes + (hash & (STRIPES - 1)))) return false;
    if ((i32[item + TAG]! & LINKED) !== 0) return true;
    unlock(i32, stripes + (hash & (STRIPES - 1)));
    return false;
  }

  #releaseStripe(item: number): void {
    this.#releaseStripeOf(this.#core.i32[item + HASH]!);
  }

  #releaseStripeOf(hash: number): void {
    this.#core.unlockStripe(hash);
  }
}
