/**
 * Which allocator and slab class each page of the arena belongs to, and the pool of pages that belong to
 * none. One table per arena, shared by all its allocators and threads; it is what makes pointer recovery
 * (papers/sosp23 3.2.1) two array reads.
 *
 * ```
 *   control words   [lock][next fresh page][free count][ - ][ entry × pages ][ free-page stack × pages ]
 *   entry           bits 0-7 class · bits 8-15 owner (0 = nobody) · bit 16 draining
 * ```
 */

import { PAGE_BYTES } from '../limits.ts';
import type { Arena } from './arena.ts';
import { lock, unlock } from './lock.ts';

const LOCK = 0;
const NEXT_FRESH = 1;
const FREE_COUNT = 2;
const HEADER_WORDS = 16;
const DRAINING = 1 << 16;

export class PageTable {
  readonly arena: Arena;
  /** First page that may be handed out; the pages before it hold control structures. */
  readonly firstPage: number;
  /** One more than the last page. */
  readonly endPage: number;
  readonly #base: number;
  readonly #entries: number;
  readonly #stack: number;

  /** Bytes that the table of an arena of `arenaBytes` needs. */
  static bytes(arenaBytes: number): number {
    return (HEADER_WORDS + 2 * (arenaBytes / PAGE_BYTES)) * 4;
  }

  /** The table at byte `offset`, which must be zeroed memory the first time. */
  constructor(arena: Arena, offset: number, firstPage: number) {
    this.arena = arena;
    this.firstPage = firstPage;
    this.endPage = arena.bytes / PAGE_BYTES;
    this.#base = offset / 4;
    this.#entries = this.#base + HEADER_WORDS;
    this.#stack = this.#entries + this.endPage;
  }

  /** Takes a page for `owner` and `slabClass`: its number, or -1 when there is none. Its memory may hold old bytes. */
  take(owner: number, slabClass: number): number {
    const words = this.arena.i32;
    lock(words, this.#base + LOCK);
    let page = -1;
    const free = words[this.#base + FREE_COUNT]!;
    if (free > 0) {
      page = words[this.#stack + free - 1]!;
      words[this.#base + FREE_COUNT] = free - 1;
    } else {
      const next = this.firstPage + words[this.#base + NEXT_FRESH]!;
      if (next < this.endPage) {
        page = next;
        words[this.#base + NEXT_FRESH] = words[this.#base + NEXT_FRESH]! + 1;
      }
    }
    if (page !== -1) this.assign(page, owner, slabClass);
    unlock(words, this.#base + LOCK);
    return page;
  }

  /** Puts a page back; nothing in it may be in use. */
  give(page: number): void {
    const words = this.arena.i32;
    lock(words, this.#base + LOCK);
    words[this.#entries + page] = 0;
    const free = words[this.#base + FREE_COUNT]!;
    words[this.#stack + free] = page;
    words[this.#base + FREE_COUNT] = free + 1;
    unlock(words, this.#base + LOCK);
  }

  /** Makes a page another class's or owner's; the caller owns the page and has emptied it. */
  assign(page: number, owner: number, slabClass: number): void {
    Atomics.store(this.arena.i32, this.#entries + page, slabClass | (owner << 8));
  }

  classOf(page: number): number {
    return this.arena.i32[this.#entries + page]! & 0xff;
  }

  ownerOf(page: number): number {
    return (this.arena.i32[this.#entries + page]! >>> 8) & 0xff;
  }

  /** The class of a page of this owner's, -1 when it is somebody else's. */
  classIfOwned(page: number, owner: number): number {
    const entry = this.arena.i32[this.#entries + page]!;
    return ((entry >>> 8) & 0xff) === owner ? entry & 0xff : -1;
  }

  isDraining(page: number): boolean {
    return (this.arena.i32[this.#entries + page]! & DRAINING) !== 0;
  }

  /** Marks a page whose free chunks must not be used again because it is about to move. */
  setDraining(page: number, draining: boolean): void {
    const entry = Atomics.load(this.arena.i32, this.#entries + page);
    Atomics.store(this.arena.i32, this.#entries + page, draining ? entry | DRAINING : entry & ~DRAINING);
  }

  /** Pages that nobody owns. */
  freePages(): number {
    const fresh = this.endPage - this.firstPage - this.arena.i32[this.#base + NEXT_FRESH]!;
    return fresh + this.arena.i32[this.#base + FREE_COUNT]!;
  }
}
