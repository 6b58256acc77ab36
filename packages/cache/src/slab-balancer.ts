/**
 * The adaptive slab allocator (papers/nsdi13 6.2). A class needs memory if it is evicting and its next victim was
 * used at least 20% more recently than the average of the other classes' next victims; then the page that holds
 * the least recently used of those is emptied and given to it. This balances the age of the oldest items among
 * classes, which comes close to one LRU for the whole server.
 *
 * When the limit of memory is lowered, the pages that are missed least go back to the pool, one after the other.
 *
 * A class that has much more free memory than it uses gives a page first: nothing is lost by that.
 */
import { PAGE_BYTES } from '@larder/datapath';
import type { StoreCore } from './core.ts';
import { ACCESS } from './item.ts';
import { ClassCounter } from './lru.ts';
import type { PageMover } from './page-mover.ts';

/** How much more recently used the needy class's next victim must be. */
const AGE_RATIO = 0.8;
/** Free pages' worth of chunks that a class may keep. */
const SPARE_PAGES = 2;
/** Slices in which a page is tried to be emptied before it is given up. */
const DRAIN_TRIES = 500;

export class SlabBalancer {
  readonly #core: StoreCore;
  readonly #mover: PageMover;
  /** Whether pages move by themselves; switched by `slabs automove`. */
  enabled = true;
  #page = -1;
  #targetClass = 0;
  #tries = 0;

  constructor(core: StoreCore, mover: PageMover) {
    this.#core = core;
    this.#mover = mover;
  }

  /** Whether a page is on its way. */
  get isMoving(): boolean {
    return this.#page !== -1;
  }

  /** Decides whether a page should move; once a second. */
  look(): void {
    const { slabs, lru } = this.#core;
    if (this.#page !== -1) return;
    const needy = this.enabled && slabs.pagesUsed >= slabs.pageLimit ? this.#needyClass() : 0;
    for (let slabClass = 1; slabClass <= slabs.classes.last; slabClass++) {
      lru.setCounter(slabClass, ClassCounter.evictedRecently, 0);
    }
    if (needy !== 0) this.move(this.#donorPage(needy), needy);
  }

  /** Begins to move a page; false when it cannot, or another is on its way. */
  move(page: number, targetClass: number): boolean {
    if (page === -1 || this.#page !== -1 || !this.#core.slabs.beginDrain(page)) return false;
    this.#page = page;
    this.#targetClass = targetClass;
    this.#tries = 0;
    return true;
  }

  /** The page of a class that its next victim lies in; -1 for none. */
  pageOf(slabClass: number): number {
    const item = this.#mover.tailItem(slabClass);
    return item === 0 ? -1 : Math.floor((item * 4) / PAGE_BYTES);
  }

  /** Gives up the page on its way, so that the memory is whole (before a clean end). */
  cancel(): void {
    if (this.#page === -1) return;
    this.#core.slabs.cancelDrain(this.#page);
    this.#page = -1;
  }

  /** Goes on emptying the page on its way. Returns whether there is more to do. */
  step(): boolean {
    const { slabs } = this.#core;
    if (this.#page === -1) {
      // The limit was lowered: pages go back to the pool, which is class 0.
      if (slabs.pagesUsed <= slabs.pageLimit) return false;
      return this.move(this.#mover.dispensablePage(), 0);
    }
    if (this.#mover.drain(this.#page)) {
      slabs.finishDrain(this.#page, this.#targetClass);
      this.#core.count('slabsMoved');
    } else if (++this.#tries < DRAIN_TRIES) return true;
    else slabs.cancelDrain(this.#page);
    this.#page = -1;
    return slabs.pagesUsed > slabs.pageLimit;
  }

  /** The evicting class whose next victim is the youngest relative to the others', if it is young enough. */
  #needyClass(): number {
    const { slabs, lru } = this.#core;
    let needy = 0;
    let needyAge = Number.POSITIVE_INFINITY;
    let ages = 0;
    let classes = 0;
    for (let slabClass = 1; slabClass <= slabs.classes.last; slabClass++) {
      const age = this.#age(slabClass);
      if (age === -1) continue;
      ages += age;
      classes++;
      if (lru.counter(slabClass, ClassCounter.evictedRecently) > 0 && age < needyAge) {
        needy = slabClass;
        needyAge = age;
      }
    }
    if (needy === 0) return 0;
    if (this.#spareClass(needy) !== 0) return needy;
    if (classes < 2) return 0;
    const average = (ages - needyAge) / (classes - 1);
    return needyAge < average * AGE_RATIO ? needy : 0;
  }

  #donorPage(needy: number): number {
    const spare = this.#spareClass(needy);
    if (spare !== 0) return this.#mover.emptiestPage(spare, Number.POSITIVE_INFINITY);
    let donor = 0;
    let oldest = -1;
    for (let slabClass = 1; slabClass <= this.#core.slabs.classes.last; slabClass++) {
      if (slabClass === needy || this.#core.slabs.pagesOf(slabClass) < 2) continue;
      const age = this.#age(slabClass);
      if (age > oldest) {
        oldest = age;
        donor = slabClass;
      }
    }
    return donor === 0 ? -1 : this.pageOf(donor);
  }

  /** A class with more free chunks than it should keep; 0 for none. */
  #spareClass(except: number): number {
    const { slabs } = this.#core;
    for (let slabClass = 1; slabClass <= slabs.classes.last; slabClass++) {
      const perPage = slabs.classes.chunksPerPage[slabClass]!;
      if (slabClass !== except && slabs.freeChunks(slabClass) > SPARE_PAGES * perPage) return slabClass;
    }
    return 0;
  }

  /** Seconds since a class's next victim was used; -1 when the class has no items. */
  #age(slabClass: number): number {
    if (this.#core.slabs.pagesOf(slabClass) === 0) return -1;
    const item = this.#mover.tailItem(slabClass);
    return item === 0 ? -1 : Math.max(0, this.#core.now() - this.#core.u32[item + ACCESS]!);
  }
}
