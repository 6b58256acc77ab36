/**
 * Everything that is not a request: the clock, expiry, the crawler, the LRU's balance, moving pages, growing the
 * index, delayed flushes. It runs in slices on one thread, off the path of requests, taking the same locks for
 * short times.
 */
import { lock, tryLock, unlock } from '@larder/datapath';
import type { StoreCore } from './core.ts';
import { counterBlock, StoreCounter } from './counters.ts';
import type { Evictor } from './eviction.ts';
import {
  DEAD,
  EXPIRY,
  FETCHED,
  GENERATION_MASK,
  GENERATION_SHIFT,
  GENERATIONS,
  HASH,
  LINKED,
  NEXT,
  TAG,
  TRANSIENT,
} from './item.ts';
import {
  SUPER_BUCKETS,
  SUPER_EPOCH_BYTE,
  SUPER_FLUSH_AT,
  SUPER_FLUSH_LOCK,
  SUPER_GENERATION,
  SUPER_GENERATION_OLDEST,
  SUPER_NOW,
} from './layout.ts';
import { BUCKETS_PER_ITEM, STRIPES, TRANSIENT_SECONDS } from './limits.ts';
import type { PageMover } from './page-mover.ts';
import { SlabBalancer } from './slab-balancer.ts';

/** Buckets of work between two looks at the clock. */
const BATCH = 256;
/** A crawl over the whole index begins at most this often. */
const CRAWL_INTERVAL_SECONDS = 60;
/** Next run when there is nothing to do, and when there is. */
const IDLE_MS = 250;
const BUSY_MS = 3;
/** Moves between LRU segments per class and second. */
const LRU_MOVES = 100;

/** Called for every item that a walk meets; its stripe is held, so it must be quick and not call the store. */
export type ItemVisitor = (item: number) => void;

export class Maintenance {
  readonly #core: StoreCore;
  readonly #evictor: Evictor;
  readonly #balancer: SlabBalancer;
  readonly #wallSeconds: () => number;
  #lastSecond: number;
  /** The second whose transient list is emptied next. */
  #transientNext: number;
  /** Next bucket of the crawl; -1 between crawls. */
  #crawlNext = -1;
  #crawlStarted = 0;
  #crawlSawExpiring = false;
  #expiringAtCrawl = 0;
  /** Next bucket of the sweep after a flush; -1 for none. */
  #sweepNext = -1;
  #sweepGeneration = 0;
  #crawlRequested = false;

  constructor(core: StoreCore, evictor: Evictor, mover: PageMover, wallSeconds: () => number) {
    this.#core = core;
    this.#evictor = evictor;
    this.#balancer = new SlabBalancer(core, mover);
    this.#wallSeconds = wallSeconds;
    this.#lastSecond = core.now();
    this.#transientNext = core.now();
  }

  get balancer(): SlabBalancer {
    return this.#balancer;
  }

  /** One slice of at most about `budgetMs`. Returns after how many milliseconds the next is due. */
  run(budgetMs: number): number {
    const start = performance.now();
    const deadline = start + budgetMs;
    this.#tick();
    let busy = this.#growIndex(deadline);
    busy = this.#expireTransient(deadline) || busy;
    busy = this.#sweepFlushed(deadline) || busy;
    busy = this.#balancer.step() || busy;
    this.#crawl(Math.min(deadline, performance.now() + budgetMs / 4));
    const { f64, counters } = this.#core;
    const tookUs = (performance.now() - start) * 1000;
    if (tookUs > f64[counters + StoreCounter.maintenanceLongestUs]!) {
      f64[counters + StoreCounter.maintenanceLongestUs] = tookUs;
    }
    return busy ? BUSY_MS : IDLE_MS;
  }

  /** Asks for a crawl now. */
  requestCrawl(): void {
    this.#crawlRequested = true;
  }

  get isCrawling(): boolean {
    return this.#crawlNext !== -1;
  }

  /** Flushes all items now, or after a delay (memcached's flush_all). */
  flush(delaySeconds: number): void {
    const { i32 } = this.#core;
    if (delaySeconds > 0) {
      Atomics.store(i32, SUPER_FLUSH_AT, this.#core.now() + delaySeconds);
      return;
    }
    Atomics.store(i32, SUPER_FLUSH_AT, 0);
    lock(i32, SUPER_FLUSH_LOCK);
    const next = (((i32[SUPER_GENERATION]! >>> GENERATION_SHIFT) + 1) % GENERATIONS) << GENERATION_SHIFT;
    if (next === i32[SUPER_GENERATION_OLDEST]) {
      // All generations are in use: the sweeps of fifteen flushes are outstanding, so this one sweeps by itself.
      this.#sweepRange(0, i32[SUPER_BUCKETS]!);
      i32[SUPER_GENERATION_OLDEST] = i32[SUPER_GENERATION]!;
    }
    Atomics.store(i32, SUPER_GENERATION, next);
    unlock(i32, SUPER_FLUSH_LOCK);
  }

  /** Visits the live items of some buckets; returns the bucket to go on with, or 0 at the end. */
  walk(bucket: number, buckets: number, visit: ItemVisitor): number {
    const core = this.#core;
    const count = core.i32[SUPER_BUCKETS]!;
    const end = Math.min(bucket + buckets, count);
    for (let index = bucket; index < end; index++) {
      this.#visitBucket(index, (item) => {
        if ((core.i32[item + TAG]! & DEAD) === 0 && !core.isGone(item)) visit(item);
      });
    }
    return end === count ? 0 : end;
  }

  #tick(): void {
    const { arena, i32 } = this.#core;
    const second = Math.floor(this.#wallSeconds() - arena.f64[SUPER_EPOCH_BYTE / 8]!);
    // A clock that was set back must not make expired items live again.
    if (second > i32[SUPER_NOW]!) Atomics.store(i32, SUPER_NOW, second);
    const now = i32[SUPER_NOW]!;
    if (now === this.#lastSecond) return;
    this.#lastSecond = now;
    const flushAt = i32[SUPER_FLUSH_AT]!;
    if (flushAt !== 0 && flushAt <= now) this.flush(0);
    for (let slabClass = 1; slabClass <= this.#core.slabs.classes.last; slabClass++) {
      if (this.#core.slabs.pagesOf(slabClass) > 0) this.#evictor.rebalance(slabClass, LRU_MOVES);
    }
    this.#balancer.look();
  }

  /** Adds buckets until there are enough for the items. One bucket at a time: nobody ever waits for more. */
  #growIndex(deadline: number): boolean {
    const core = this.#core;
    const { i32 } = core;
    const wanted = Math.min(core.layout.bucketsMax, this.#linkedItems() * BUCKETS_PER_ITEM);
    while (i32[SUPER_BUCKETS]! < wanted) {
      for (let i = 0; i < BATCH && i32[SUPER_BUCKETS]! < wanted; i++) this.#splitBucket();
      if (performance.now() >= deadline) return true;
    }
    return false;
  }

  /** Linear hashing: moves the items of the next bucket that belong to its image, then counts the image in. */
  #splitBucket(): void {
    const core = this.#core;
    const { i32, u32, buckets } = core;
    const count = i32[SUPER_BUCKETS]!;
    const half = 1 << (31 - Math.clz32(count));
    const source = count - half;
    // The bucket and its image agree in the low bits, so one stripe guards both.
    core.lockStripe(source);
    let keep = 0;
    let move = 0;
    let next = 0;
    for (let item = u32[buckets + source]! * 2; item !== 0; item = next) {
      next = u32[item + NEXT]! * 2;
      if ((i32[item + HASH]! & half) === 0) {
        u32[item + NEXT] = keep;
        keep = item / 2;
      } else {
        u32[item + NEXT] = move;
        move = item / 2;
      }
    }
    u32[buckets + source] = keep;
    u32[buckets + count] = move;
    Atomics.store(i32, SUPER_BUCKETS, count + 1);
    core.unlockStripe(source);
    core.f64[core.counters + StoreCounter.hashSplits]!++;
  }

  /** Empties the transient lists up to now (papers/nsdi13 6.3). */
  #expireTransient(deadline: number): boolean {
    const core = this.#core;
    const now = core.now();
    if (now - this.#transientNext >= TRANSIENT_SECONDS) this.#transientNext = now - TRANSIENT_SECONDS + 1;
    for (; this.#transientNext <= now; this.#transientNext++) {
      for (let i = 0; ; i++) {
        const links = core.transient.first(this.#transientNext);
        if (links === 0) break;
        // A busy stripe leaves the item for the next slice.
        if (!this.#expireItem(core.slabs.recover(links * 4) / 4, links)) return true;
        if (i % BATCH === BATCH - 1 && performance.now() >= deadline) return true;
      }
    }
    return false;
  }

  /** Unlinks the item with these transient links if they are still its. */
  #expireItem(item: number, links: number): boolean {
    const core = this.#core;
    const { i32, stripes } = core;
    if (item < 0) return false;
    const hash = i32[item + HASH]!;
    if (!tryLock(i32, stripes + (hash & (STRIPES - 1)))) return false;
    // Until the stripe was held the item could go, and its page with it; only what is linked now is what it seems.
    const isFirst =
      core.transient.first(this.#transientNext) === links &&
      core.slabs.recover(links * 4) / 4 === item &&
      i32[item + HASH] === hash &&
      (i32[item + TAG]! & (LINKED | TRANSIENT)) === (LINKED | TRANSIENT);
    if (isFirst && core.u32[item + EXPIRY]! <= core.now()) {
      this.#countReclaim(item, StoreCounter.transientReclaimed);
      core.unlink(item);
    } else if (isFirst) core.leaveTransient(item);
    core.unlockStripe(hash);
    return isFirst;
  }

  /** Unlinks what was flushed. */
  #sweepFlushed(deadline: number): boolean {
    const { i32 } = this.#core;
    if (this.#sweepNext === -1) {
      if (i32[SUPER_GENERATION_OLDEST] === i32[SUPER_GENERATION]) return false;
      this.#sweepGeneration = i32[SUPER_GENERATION]!;
      this.#sweepNext = 0;
    }
    while (this.#sweepNext < i32[SUPER_BUCKETS]!) {
      this.#sweepRange(this.#sweepNext, Math.min(this.#sweepNext + BATCH, i32[SUPER_BUCKETS]!));
      this.#sweepNext += BATCH;
      if (performance.now() >= deadline) return true;
    }
    this.#sweepNext = -1;
    lock(i32, SUPER_FLUSH_LOCK);
    i32[SUPER_GENERATION_OLDEST] = this.#sweepGeneration;
    unlock(i32, SUPER_FLUSH_LOCK);
    return true;
  }

  #sweepRange(from: number, to: number): void {
    const { i32 } = this.#core;
    for (let bucket = from; bucket < to; bucket++) {
      this.#visitBucket(bucket, (item) => {
        if ((i32[item + TAG]! & GENERATION_MASK) !== i32[SUPER_GENERATION]) this.#core.unlink(item);
      });
    }
  }

  /** Goes on crawling for expired items, or begins a crawl when one is due. */
  #crawl(deadline: number): void {
    const core = this.#core;
    if (this.#crawlNext === -1 && !this.#beginCrawl()) return;
    const now = core.now();
    const reclaim: ItemVisitor = (item) => {
      const expiry = core.u32[item + EXPIRY]!;
      if (expiry !== 0) this.#crawlSawExpiring = true;
      if (expiry === 0 || expiry > now) return;
      this.#countReclaim(item, StoreCounter.crawlerReclaimed);
      core.unlink(item);
    };
    while (this.#crawlNext < core.i32[SUPER_BUCKETS]!) {
      const end = Math.min(this.#crawlNext + BATCH, core.i32[SUPER_BUCKETS]!);
      for (; this.#crawlNext < end; this.#crawlNext++) this.#visitBucket(this.#crawlNext, reclaim);
      core.f64[core.counters + StoreCounter.crawlerItemsChecked]! += BATCH;
      if (performance.now() >= deadline) return;
    }
    this.#crawlNext = -1;
  }

  #beginCrawl(): boolean {
    const core = this.#core;
    const expiring = this.#expiringStored();
    const isDue =
      core.now() - this.#crawlStarted >= CRAWL_INTERVAL_SECONDS &&
      (this.#crawlSawExpiring || expiring !== this.#expiringAtCrawl);
    if (!isDue && !this.#crawlRequested) return false;
    this.#crawlRequested = false;
    this.#crawlStarted = core.now();
    this.#crawlSawExpiring = false;
    this.#expiringAtCrawl = expiring;
    this.#crawlNext = 0;
    core.count('crawlerStarts');
    return true;
  }

  #countReclaim(item: number, counter: number): void {
    const { f64, counters, i32 } = this.#core;
    if ((i32[item + TAG]! & DEAD) !== 0) return;
    f64[counters + counter]!++;
    f64[counters + StoreCounter.reclaimed]!++;
    if ((i32[item + TAG]! & FETCHED) === 0) f64[counters + StoreCounter.expiredUnfetched]!++;
  }

  #visitBucket(bucket: number, visit: ItemVisitor): void {
    const core = this.#core;
    if (core.u32[core.buckets + bucket] === 0) return;
    core.lockStripe(bucket);
    let next = 0;
    for (let item = core.u32[core.buckets + bucket]! * 2; item !== 0; item = next) {
      next = core.u32[item + NEXT]! * 2;
      visit(item);
    }
    core.unlockStripe(bucket);
  }

  /** All chunks handed out, about: what the index must hold. */
  #linkedItems(): number {
    return this.#core.slabs.chunksInUse();
  }

  #expiringStored(): number {
    const { f64, layout } = this.#core;
    let sum = 0;
    for (let thread = 0; thread < layout.options.threads; thread++) {
      sum += f64[counterBlock(layout.countersOffset, thread) + StoreCounter.expiringStored]!;
    }
    return sum;
  }
}
