/**
 * Segmented LRU lists, one set per slab class: new items enter HOT, leave it for WARM when they were used
 * again and for COLD otherwise; eviction takes from the tail of COLD. Items that are used while in COLD go
 * to WARM when they reach its tail. The lists are linked through the items.
 *
 * ```
 *   class words   [0 lock][1 evicted since the balancer looked][2.. counters][8 + 4 s: head, tail, items, - of segment s]
 * ```
 *
 * Whoever links, unlinks or moves an item holds its stripe and then the class's lock. Eviction, which begins at
 * the list, holds the class's lock and only tries the stripe.
 */
import { type Arena, lock, unlock } from '@larder/datapath';
import { LRU_NEXT, LRU_PREVIOUS, type Segment, TAG, TAG_SEGMENT_MASK, TAG_SEGMENT_SHIFT } from './item.ts';

export const LRU_CLASS_WORDS = 32;
const SEGMENTS_AT = 20;
const HEAD = 0;
const TAIL = 1;
const ITEMS = 2;

/** Counters per class, by word. */
export const ClassCounter = {
  evictedRecently: 1,
  evicted: 2,
  evictedUnfetched: 3,
  evictedActive: 4,
  reclaimed: 5,
  expiredUnfetched: 6,
  outOfMemory: 7,
  movesToCold: 8,
  movesToWarm: 9,
  movesWithinLru: 10,
  directReclaims: 11,
  evictedAge: 12,
  evictedNonzero: 13,
} as const;
export type ClassCounter = (typeof ClassCounter)[keyof typeof ClassCounter];

export class LruLists {
  readonly #i32: Int32Array;
  readonly #u32: Uint32Array;
  readonly #base: number;

  constructor(arena: Arena, offset: number) {
    this.#i32 = arena.i32;
    this.#u32 = arena.u32;
    this.#base = offset / 4;
  }

  lock(slabClass: number): void {
    lock(this.#i32, this.#base + slabClass * LRU_CLASS_WORDS);
  }

  unlock(slabClass: number): void {
    unlock(this.#i32, this.#base + slabClass * LRU_CLASS_WORDS);
  }

  /** Adds to a counter of a class, whose lock is held. */
  count(slabClass: number, counter: ClassCounter, by: number): void {
    this.#u32[this.#base + slabClass * LRU_CLASS_WORDS + counter]! += by;
  }

  counter(slabClass: number, counter: ClassCounter): number {
    return this.#u32[this.#base + slabClass * LRU_CLASS_WORDS + counter]!;
  }

  setCounter(slabClass: number, counter: ClassCounter, value: number): void {
    this.#u32[this.#base + slabClass * LRU_CLASS_WORDS + counter] = value;
  }

  /** Items in a segment. */
  items(slabClass: number, segment: Segment): number {
    return this.#u32[this.#list(slabClass, segment) + ITEMS]!;
  }

  /** Word index of the item at a segment's tail; 0 when empty. Exact only under the lock. */
  tail(slabClass: number, segment: Segment): number {
    return this.#u32[this.#list(slabClass, segment) + TAIL]! * 2;
  }

  /** The neighbour of an item towards the head; 0 at the head. */
  towardsHead(item: number): number {
    return this.#u32[item + LRU_PREVIOUS]! * 2;
  }

  /** Puts an item (by word index) at the head of a segment; the lock is held. */
  push(item: number, slabClass: number, segment: Segment): void {
    const words = this.#u32;
    const list = this.#list(slabClass, segment);
    const head = words[list + HEAD]!;
    const reference = item / 2;
    words[item + LRU_PREVIOUS] = 0;
    words[item + LRU_NEXT] = head;
    if (head !== 0) words[head * 2 + LRU_PREVIOUS] = reference;
    else words[list + TAIL] = reference;
    words[list + HEAD] = reference;
    words[list + ITEMS]!++;
    this.#setSegment(item, segment);
  }

  /** Puts an item at the tail of a segment, so that it is the next to be evicted; the lock is held. */
  pushTail(item: number, slabClass: number, segment: Segment): void {
    const words = this.#u32;
    const list = this.#list(slabClass, segment);
    const tail = words[list + TAIL]!;
    const reference = item / 2;
    words[item + LRU_NEXT] = 0;
    words[item + LRU_PREVIOUS] = tail;
    if (tail !== 0) words[tail * 2 + LRU_NEXT] = reference;
    else words[list + HEAD] = reference;
    words[list + TAIL] = reference;
    words[list + ITEMS]!++;
    this.#setSegment(item, segment);
  }

  /** Takes an item out of its segment; the lock is held. */
  remove(item: number, slabClass: number): void {
    const words = this.#u32;
    const list = this.#list(
      slabClass,
      ((words[item + TAG]! & TAG_SEGMENT_MASK) >>> TAG_SEGMENT_SHIFT) as Segment,
    );
    const previous = words[item + LRU_PREVIOUS]!;
    const next = words[item + LRU_NEXT]!;
    if (previous === 0) words[list + HEAD] = next;
    else words[previous * 2 + LRU_NEXT] = next;
    if (next === 0) words[list + TAIL] = previous;
    else words[next * 2 + LRU_PREVIOUS] = previous;
    words[list + ITEMS]!--;
  }

  #list(slabClass: number, segment: Segment): number {
    return this.#base + slabClass * LRU_CLASS_WORDS + SEGMENTS_AT + segment * 4;
  }

  #setSegment(item: number, segment: Segment): void {
    this.#i32[item + TAG] = (this.#i32[item + TAG]! & ~TAG_SEGMENT_MASK) | (segment << TAG_SEGMENT_SHIFT);
  }
}
