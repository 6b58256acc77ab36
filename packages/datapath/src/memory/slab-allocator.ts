/**
 * A slab allocator over pages of an arena, shared by threads (papers/nsdi13 6.2): each class has chunks of
 * one size and a list of free ones; when it is empty the class takes a page.
 *
 * ```
 *   chunk in use   [0: reference count ≥ 1][1...: the owner's]
 *   free chunk     [0: -1][1: -][2: previous free][3: next free]      (references: offset / 8)
 *   class state    [0 lock][1 first free][2 free][3 pages][4 next uncarved][5 uncarved][6 in use] (one cache line)
 * ```
 *
 * Fresh pages are carved chunk by chunk as they are needed, so that memory that was never used costs nothing.
 * A draining page (see PageTable) takes back its chunks without offering them again.
 */
import { DatapathError } from '../errors.ts';
import { ALIGN_BYTES, PAGE_BYTES } from '../limits.ts';
import type { Arena } from './arena.ts';
import { lock, unlock } from './lock.ts';
import { discardPages } from './mapped-arena.ts';
import type { PageTable } from './page-table.ts';
import type { SlabClasses } from './slab-classes.ts';

const FREE_HEAD = 1;
const FREE_COUNT = 2;
const PAGES = 3;
const CARVE_NEXT = 4;
const CARVE_LEFT = 5;
const IN_USE = 6;
const CLASS_WORDS = 16;
const HEADER_WORDS = 16;
const PAGES_USED = 0;
const PAGES_MAX = 1;

/**
 * The reference count of a free chunk. Not 0: between the release of the last reference and the end of
 * `free` a chunk has 0 references and yet must not be taken for free.
 */
const FREE = -1;
const PREVIOUS_FREE = 2;
const NEXT_FREE = 3;

/** What one class holds now. */
export interface SlabClassUsage {
  readonly chunkBytes: number;
  readonly chunksPerPage: number;
  readonly pages: number;
  /** Chunks handed out. */
  readonly inUse: number;
  /** Chunks that can be handed out without another page. */
  readonly free: number;
}

export class SlabAllocator {
  readonly arena: Arena;
  readonly pages: PageTable;
  readonly classes: SlabClasses;
  /** Identifies this allocator in the page table, 1 to 255. */
  readonly id: number;
  readonly #i32: Int32Array;
  readonly #u32: Uint32Array;
  readonly #base: number;
  readonly #chunkBytes: Int32Array;

  /** Bytes of shared state that an allocator with these classes needs. */
  static stateBytes(classes: SlabClasses): number {
    return (HEADER_WORDS + (classes.last + 1) * CLASS_WORDS) * 4;
  }

  /**
   * The allocator whose state is at byte `stateOffset` (zeroed memory the first time). Every thread makes its
   * own object with the same arguments.
   */
  constructor(pages: PageTable, stateOffset: number, id: number, classes: SlabClasses) {
    if (!(id >= 1 && id <= 255))
      throw new DatapathError('ARGUMENT', 'slab allocator', `id ${id} is not between 1 and 255`);
    this.pages = pages;
    this.arena = pages.arena;
    this.classes = classes;
    this.id = id;
    this.#i32 = pages.arena.i32;
    this.#u32 = pages.arena.u32;
    this.#base = stateOffset / 4;
    this.#chunkBytes = classes.chunkBytes;
  }

  /**
   * Sets how many pages this allocator may hold, after creation or later. It takes no more above that; pages that it
   * has too many are drained and given back by whoever manages them (`beginDrain`, `finishDrain` to class 0).
   */
  setPageLimit(pagesMax: number): void {
    Atomics.store(this.#i32, this.#base + PAGES_MAX, pagesMax);
  }

  get pageLimit(): number {
    return this.#i32[this.#base + PAGES_MAX]!;
  }

  get pagesUsed(): number {
    return this.#i32[this.#base + PAGES_USED]!;
  }

  classFor(bytes: number): number {
    return this.classes.classFor(bytes);
  }

  /** A chunk of the class with reference count 1, owned by the caller; 0 when there is no memory. */
  allocate(slabClass: number): number {
    const words = this.#i32;
    const state = this.#state(slabClass);
    lock(words, state);
    const chunk = this.#pop(state) || this.#carve(state, slabClass);
    if (chunk !== 0) {
      words[state + IN_USE]!++;
      words[chunk / 4] = 1;
    }
    unlock(words, state);
    return chunk;
  }

  /** References to a chunk now; not positive when it is free. */
  references(chunk: number): number {
    return this.#i32[chunk / 4]!;
  }

  /** Adds a reference. */
  retain(chunk: number): void {
    Atomics.add(this.#i32, chunk / 4, 1);
  }

  /** Drops a reference; the last one frees the chunk. Returns whether it did. */
  release(chunk: number): boolean {
    if (Atomics.sub(this.#i32, chunk / 4, 1) !== 1) return false;
    this.free(chunk);
    return true;
  }

  /** Frees a chunk that has no references left. */
  free(chunk: number): void {
    const words = this.#i32;
    const page = Math.floor(chunk / PAGE_BYTES);
    const state = this.#state(this.pages.classOf(page));
    lock(words, state);
    words[chunk / 4] = FREE;
    words[state + IN_USE]!--;
    if (!this.pages.isDraining(page)) this.#push(state, chunk);
    unlock(words, state);
  }

  /**
   * The chunk that an interior offset, or a view of this arena's memory, lies in: its offset; -1 when the
   * memory is not this allocator's, or not all of the `bytes` bytes lie in the chunk. O(1) (papers/sosp23 3.2.1).
   */
  recover(pointer: number | Uint8Array, bytes: number = 1): number {
    let offset: number;
    if (typeof pointer === 'number') offset = pointer;
    else if (pointer.buffer === this.arena.buffer) offset = pointer.byteOffset;
    else return -1;
    if (!(offset >= 0 && offset < this.arena.bytes)) return -1;
    const page = Math.floor(offset / PAGE_BYTES);
    const slabClass = this.pages.classIfOwned(page, this.id);
    if (slabClass < 0) return -1;
    const start = page * PAGE_BYTES;
    const chunkBytes = this.#chunkBytes[slabClass]!;
    const within = offset - start;
    const index = (within / chunkBytes) | 0;
    const chunk = index * chunkBytes;
    return index >= this.classes.chunksPerPage[slabClass]! || within + bytes > chunk + chunkBytes
      ? -1
      : start + chunk;
  }

  /** Bytes of a chunk, its header among them. */
  chunkBytesOf(chunk: number): number {
    return this.#chunkBytes[this.pages.classOf(Math.floor(chunk / PAGE_BYTES))]!;
  }

  usage(slabClass: number): SlabClassUsage {
    const state = this.#state(slabClass);
    const words = this.#i32;
    return {
      chunkBytes: this.#chunkBytes[slabClass]!,
      chunksPerPage: this.classes.chunksPerPage[slabClass]!,
      pages: words[state + PAGES]!,
      inUse: words[state + IN_USE]!,
      free: words[state + FREE_COUNT]! + words[state + CARVE_LEFT]!,
    };
  }

  pagesOf(slabClass: number): number {
    return this.#i32[this.#state(slabClass) + PAGES]!;
  }

  freeChunks(slabClass: number): number {
    const state = this.#state(slabClass);
    return this.#i32[state + FREE_COUNT]! + this.#i32[state + CARVE_LEFT]!;
  }

  /** Chunks handed out, over all classes. */
  chunksInUse(): number {
    let sum = 0;
    for (let index = 1; index <= this.classes.last; index++) sum += this.#i32[this.#state(index) + IN_USE]!;
    return sum;
  }

  /**
   * Begins to empty a page of this allocator: its free chunks are withdrawn, and those freed from now on are
   * not offered again. False when the page is not this allocator's or is already draining.
   */
  beginDrain(page: number): boolean {
    const words = this.#i32;
    const slabClass = this.pages.classOf(page);
    const state = this.#state(slabClass);
    lock(words, state);
    // Another thread may have begun to drain the page, or have moved it, until the lock was held.
    if (
      this.pages.ownerOf(page) !== this.id ||
      this.pages.classOf(page) !== slabClass ||
      this.pages.isDraining(page)
    ) {
      unlock(words, state);
      return false;
    }
    this.pages.setDraining(page, true);
    const uncarved = this.#u32[state + CARVE_NEXT]! * ALIGN_BYTES;
    const isCarving = words[state + CARVE_LEFT]! > 0 && Math.floor(uncarved / PAGE_BYTES) === page;
    if (isCarving) words[state + CARVE_LEFT] = 0;
    const end = page * PAGE_BYTES + this.classes.chunksPerPage[slabClass]! * this.#chunkBytes[slabClass]!;
    for (let chunk = page * PAGE_BYTES; chunk < end; chunk += this.#chunkBytes[slabClass]!) {
      if (isCarving && chunk >= uncarved) words[chunk / 4] = FREE;
      else if (words[chunk / 4] === FREE) this.#unlink(state, chunk);
    }
    unlock(words, state);
    return true;
  }

  /** Whether nothing in a draining page is in use any more. */
  isDrained(page: number): boolean {
    const slabClass = this.pages.classOf(page);
    const bytes = this.#chunkBytes[slabClass]!;
    for (let index = this.classes.chunksPerPage[slabClass]! - 1; index >= 0; index--) {
      if (Atomics.load(this.#i32, (page * PAGE_BYTES + index * bytes) / 4) !== FREE) return false;
    }
    return true;
  }

  /** Stops draining: the page's free chunks are offered again. */
  cancelDrain(page: number): void {
    const words = this.#i32;
    const slabClass = this.pages.classOf(page);
    const state = this.#state(slabClass);
    lock(words, state);
    this.pages.setDraining(page, false);
    const end = page * PAGE_BYTES + this.classes.chunksPerPage[slabClass]! * this.#chunkBytes[slabClass]!;
    for (let chunk = page * PAGE_BYTES; chunk < end; chunk += this.#chunkBytes[slabClass]!) {
      if (words[chunk / 4] === FREE) this.#push(state, chunk);
    }
    unlock(words, state);
  }

  /**
   * Moves an emptied, draining page (see `isDrained`) to another class of this allocator, or back to the pool
   * for class 0.
   */
  finishDrain(page: number, targetClass: number): void {
    const words = this.#i32;
    const state = this.#state(this.pages.classOf(page));
    lock(words, state);
    words[state + PAGES]!--;
    unlock(words, state);
    if (targetClass === 0) {
      discardPages(this.arena, page * PAGE_BYTES, PAGE_BYTES);
      Atomics.sub(words, this.#base + PAGES_USED, 1);
      this.pages.give(page);
      return;
    }
    this.arena.u8.fill(0, page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
    const target = this.#state(targetClass);
    lock(words, target);
    this.pages.assign(page, this.id, targetClass);
    this.#adopt(target, targetClass, page);
    unlock(words, target);
  }

  #state(slabClass: number): number {
    return this.#base + HEADER_WORDS + slabClass * CLASS_WORDS;
  }

  #pop(state: number): number {
    const words = this.#u32;
    const chunk = words[state + FREE_HEAD]! * ALIGN_BYTES;
    if (chunk !== 0) this.#unlink(state, chunk);
    return chunk;
  }

  #push(state: number, chunk: number): void {
    const words = this.#u32;
    const head = words[state + FREE_HEAD]!;
    words[chunk / 4 + PREVIOUS_FREE] = 0;
    words[chunk / 4 + NEXT_FREE] = head;
    if (head !== 0) words[head * 2 + PREVIOUS_FREE] = chunk / ALIGN_BYTES;
    words[state + FREE_HEAD] = chunk / ALIGN_BYTES;
    words[state + FREE_COUNT]!++;
  }

  #unlink(state: number, chunk: number): void {
    const words = this.#u32;
    const previous = words[chunk / 4 + PREVIOUS_FREE]!;
    const next = words[chunk / 4 + NEXT_FREE]!;
    if (previous === 0) words[state + FREE_HEAD] = next;
    else words[previous * 2 + NEXT_FREE] = next;
    if (next !== 0) words[next * 2 + PREVIOUS_FREE] = previous;
    words[state + FREE_COUNT]!--;
  }

  #carve(state: number, slabClass: number): number {
    const words = this.#i32;
    if (words[state + CARVE_LEFT] === 0 && !this.#grow(state, slabClass)) return 0;
    const chunk = this.#u32[state + CARVE_NEXT]! * ALIGN_BYTES;
    words[state + CARVE_LEFT]!--;
    this.#u32[state + CARVE_NEXT] = (chunk + this.#chunkBytes[slabClass]!) / ALIGN_BYTES;
    return chunk;
  }

  /** Takes one more page for the class; the class is locked. */
  #grow(state: number, slabClass: number): boolean {
    const words = this.#i32;
    if (!this.#countPage()) return false;
    const page = this.pages.take(this.id, slabClass);
    if (page === -1) {
      Atomics.sub(words, this.#base + PAGES_USED, 1);
      return false;
    }
    this.#adopt(state, slabClass, page);
    return true;
  }

  /** Counts one more page unless that is above the limit, which nobody must ever see exceeded by it. */
  #countPage(): boolean {
    const words = this.#i32;
    const index = this.#base + PAGES_USED;
    for (;;) {
      const used = Atomics.load(words, index);
      if (used >= words[this.#base + PAGES_MAX]!) return false;
      if (Atomics.compareExchange(words, index, used, used + 1) === used) return true;
    }
  }

  /** Gives a zeroed page's chunks to a class, which is locked. */
  #adopt(state: number, slabClass: number, page: number): void {
    const words = this.#i32;
    words[state + PAGES]!++;
    const bytes = this.#chunkBytes[slabClass]!;
    if (words[state + CARVE_LEFT] === 0) {
      this.#u32[state + CARVE_NEXT] = (page * PAGE_BYTES) / ALIGN_BYTES;
      words[state + CARVE_LEFT] = this.classes.chunksPerPage[slabClass]!;
      return;
    }
    for (let index = this.classes.chunksPerPage[slabClass]! - 1; index >= 0; index--) {
      const chunk = page * PAGE_BYTES + index * bytes;
      words[chunk / 4] = FREE;
      this.#push(state, chunk);
    }
  }
}
