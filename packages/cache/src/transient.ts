/**
 * The Transient Item Cache (papers/nsdi13 6.3): a circular buffer of lists, indexed by the second in which
 * the items expire. Every second the list at the head is emptied, so short-lived items give their memory back
 * at once instead of when they reach the end of the LRU.
 *
 * ```
 *   [second % N]  [0 lock][1 first item]          links: the last 8 bytes of the item's chunk, if it has that room
 * ```
 */
import { type Arena, lock, unlock } from '@larder/datapath';
import { EXPIRY, TAG, TRANSIENT } from './item.ts';
import { TRANSIENT_SECONDS } from './limits.ts';

export class TransientLists {
  readonly #i32: Int32Array;
  readonly #u32: Uint32Array;
  readonly #base: number;

  constructor(arena: Arena, offset: number) {
    this.#i32 = arena.i32;
    this.#u32 = arena.u32;
    this.#base = offset / 4;
  }

  /** Adds an item whose stripe is held; `links` is the word index of its links. */
  add(item: number, links: number): void {
    const list = this.#list(this.#u32[item + EXPIRY]!);
    lock(this.#i32, list);
    const first = this.#u32[list + 1]!;
    this.#u32[links] = 0;
    this.#u32[links + 1] = first;
    // The neighbour's links are found through its own reference, which therefore points at the links.
    if (first !== 0) this.#u32[first * 2] = links / 2;
    this.#u32[list + 1] = links / 2;
    unlock(this.#i32, list);
    this.#i32[item + TAG]! |= TRANSIENT;
  }

  /** Removes an item whose stripe is held. */
  remove(item: number, links: number): void {
    const list = this.#list(this.#u32[item + EXPIRY]!);
    lock(this.#i32, list);
    const previous = this.#u32[links]!;
    const next = this.#u32[links + 1]!;
    if (previous === 0) this.#u32[list + 1] = next;
    else this.#u32[previous * 2 + 1] = next;
    if (next !== 0) this.#u32[next * 2] = previous;
    unlock(this.#i32, list);
    this.#i32[item + TAG]! &= ~TRANSIENT;
  }

  /** Word index of the links of some item that expires in that second; 0 when there is none. Racy: verify. */
  first(second: number): number {
    return this.#u32[this.#list(second) + 1]! * 2;
  }

  #list(second: number): number {
    return this.#base + (second % TRANSIENT_SECONDS) * 2;
  }
}
