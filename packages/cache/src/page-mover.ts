/**
 * Moving a page from one slab class to another (papers/nsdi13 6.2): everything in the page is unlinked, and when
 * nobody refers to it any more the page changes hands. Several threads may each be moving a page of their own.
 */
import { PAGE_BYTES, tryLock, unlock } from '@larder/datapath';
import type { StoreCore } from './core.ts';
import { StoreCounter } from './counters.ts';
import {
  ACCESS,
  CHAIN_OWNER,
  HASH,
  KIND_CONTINUATION,
  KIND_ITEM,
  KIND_MASK,
  LINKED,
  NEXT,
  Segment,
  TAG,
} from './item.ts';
import { STRIPES } from './limits.ts';

/** Pages tried when one is needed at once. */
const STEAL_TRIES = 4;

export class PageMover {
  readonly #core: StoreCore;

  constructor(core: StoreCore) {
    this.#core = core;
  }

  /**
   * Unlinks what is in a draining page. Returns whether the page is now empty; if not, something in it is
   * still being sent or filled, or its stripe was busy: call again later.
   */
  drain(page: number): boolean {
    const core = this.#core;
    const slabClass = core.pages.classOf(page);
    const bytes = core.slabs.classes.chunkBytes[slabClass]!;
    const count = core.slabs.classes.chunksPerPage[slabClass]!;
    for (let index = 0; index < count; index++) {
      const chunk = (page * PAGE_BYTES + index * bytes) / 4;
      // Free chunks have a negative count; see SlabAllocator.
      if (Atomics.load(core.i32, chunk) > 0) this.#unlinkChunk(chunk);
    }
    return core.slabs.isDrained(page);
  }

  /**
   * Moves a page at once for a class that cannot get one: a free one if there is, otherwise the one with the oldest
   * item. Returns whether it could.
   */
  steal(targetClass: number): boolean {
    for (let tries = 0, excluded = -1; tries < STEAL_TRIES; tries++) {
      const free = tries === 0 ? this.#freePage(targetClass) : -1;
      const page = free !== -1 ? free : this.#oldestPage(targetClass, excluded);
      if (page === -1) return false;
      excluded = page;
      if (!this.#core.slabs.beginDrain(page)) continue;
      if (this.drain(page) || this.drain(page)) {
        this.#core.slabs.finishDrain(page, targetClass);
        this.#core.count('slabsMoved');
        return true;
      }
      this.#core.slabs.cancelDrain(page);
    }
    return false;
  }

  /** The page that is missed least: one that nothing is in, or that with the oldest item; -1 for none. */
  dispensablePage(): number {
    const free = this.#freePage(0);
    return free === -1 ? this.#oldestPage(0, -1) : free;
  }

  /** A page of another class that nothing is in; -1 for none. */
  #freePage(exceptClass: number): number {
    const { slabs } = this.#core;
    for (let slabClass = 1; slabClass <= slabs.classes.last; slabClass++) {
      if (slabClass === exceptClass || slabs.freeChunks(slabClass) < slabs.classes.chunksPerPage[slabClass]!)
        continue;
      const page = this.emptiestPage(slabClass, 1);
      if (page !== -1) return page;
    }
    return -1;
  }

  /** The page of a class with the fewest chunks in use, if those are fewer than `limit`; -1 for none. */
  emptiestPage(slabClass: number, limit: number): number {
    const { pages, slabs, i32 } = this.#core;
    const bytes = slabs.classes.chunkBytes[slabClass]!;
    const perPage = slabs.classes.chunksPerPage[slabClass]!;
    let best = -1;
    let bestUsed = limit;
    for (let page = pages.firstPage; page < pages.endPage && bestUsed > 0; page++) {
      if (pages.ownerOf(page) !== slabs.id || pages.classOf(page) !== slabClass || pages.isDraining(page))
        continue;
      let used = 0;
      for (let index = 0; index < perPage && used < bestUsed; index++) {
        if (i32[(page * PAGE_BYTES + index * bytes) / 4]! > 0) used++;
      }
      if (used < bestUsed) {
        best = page;
        bestUsed = used;
      }
    }
    return best;
  }

  /** The page that holds the least recently used item over all classes but one. */
  #oldestPage(exceptClass: number, exceptPage: number): number {
    const core = this.#core;
    let oldest = Number.POSITIVE_INFINITY;
    let page = -1;
    for (let slabClass = 1; slabClass <= core.slabs.classes.last; slabClass++) {
      if (slabClass === exceptClass || core.slabs.pagesOf(slabClass) === 0) continue;
      const item = this.tailItem(slabClass);
      if (item === 0) continue;
      const candidate = Math.floor((item * 4) / PAGE_BYTES);
      // Classes with one page left are taken from last: they would have to steal it back.
      const used = core.u32[item + ACCESS]! + (core.slabs.pagesOf(slabClass) === 1 ? 0x1_0000_0000 : 0);
      if (candidate !== exceptPage && used < oldest) {
        oldest = used;
        page = candidate;
      }
    }
    return page;
  }

  /** The next item of a class to be evicted; 0 when it has none. Racy: a hint. */
  tailItem(slabClass: number): number {
    const { lru } = this.#core;
    return (
      lru.tail(slabClass, Segment.cold) ||
      lru.tail(slabClass, Segment.warm) ||
      lru.tail(slabClass, Segment.hot)
    );
  }

  #unlinkChunk(chunk: number): void {
    const { i32, u32, stripes } = this.#core;
    const kind = i32[chunk + TAG]! & KIND_MASK;
    const item = kind === KIND_CONTINUATION ? u32[chunk + CHAIN_OWNER]! * 2 : chunk;
    const hash = i32[item + HASH];
    if (hash === undefined || !tryLock(i32, stripes + (hash & (STRIPES - 1)))) return;
    // The chunk may have been freed and used again since it was read, so it is looked at anew under the lock.
    const isSame =
      i32[item + HASH] === hash &&
      (i32[item + TAG]! & (KIND_MASK | LINKED)) === (KIND_ITEM | LINKED) &&
      this.#isIndexed(item, hash);
    if (isSame) {
      this.#core.unlink(item);
      this.#core.f64[this.#core.counters + StoreCounter.slabEvictions]!++;
    }
    unlock(i32, stripes + (hash & (STRIPES - 1)));
  }

  /** Whether an item is really in the index; its supposed stripe is held. */
  #isIndexed(item: number, hash: number): boolean {
    const { u32 } = this.#core;
    for (let at = u32[this.#core.bucket(hash)]! * 2; at !== 0; at = u32[at + NEXT]! * 2) {
      if (at === item) return true;
    }
    return false;
  }
}
