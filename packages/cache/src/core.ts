/**
 * The store's memory as its operations see it: finding, linking and unlinking items. An item is named by its
 * word index (byte offset / 4). What needs a lock says so; stripes are taken by hash, and always before a
 * class's LRU lock or a transient list's lock.
 */
import { type Arena, lock, PAGE_BYTES, PageTable, SlabAllocator, unlock } from '@larder/datapath';
import { CLASS_REQUEST_BLOCK_BYTES, ClassRequest, classRequestIndex } from './class-requests.ts';
import { COUNTER_BLOCK_BYTES, StoreCounter } from './counters.ts';
import { halfSipHash } from './hash.ts';
import {
  ACCESS,
  CAS_HIGH,
  CAS_LOW,
  CHAIN_NEXT,
  CHAIN_TAIL_BYTES,
  CHAINED,
  DEAD,
  EXPIRY,
  GENERATION_MASK,
  HASH,
  ITEM_HEADER_BYTES,
  KEY_AT,
  LINKED,
  NEXT,
  Segment,
  TAG,
  TAG_KEY_MASK,
  TAG_SEGMENT_MASK,
  TAG_SEGMENT_SHIFT,
  TAG_SUFFIX_MASK,
  TAG_SUFFIX_SHIFT,
  TRANSIENT,
  TRANSIENT_TAIL_BYTES,
  VALUE_BYTES,
  VERB_BYTES,
} from './item.ts';
import {
  type StoreLayout,
  SUPER_BUCKETS,
  SUPER_CAS_BASE_HIGH,
  SUPER_CAS_BASE_LOW,
  SUPER_CAS_BLOCK,
  SUPER_GENERATION,
  SUPER_NOW,
  SUPER_SEED_HIGH,
  SUPER_SEED_LOW,
  storeClasses,
} from './layout.ts';
import { STRIPES, TRANSIENT_MARGIN_SECONDS, TRANSIENT_SECONDS } from './limits.ts';
import { LruLists } from './lru.ts';
import { TransientLists } from './transient.ts';

/** CAS values that a thread takes at once. A power of 2, so that the high word is the same in all of a block. */
const CAS_BLOCK = 256;
const TWO_TO_32 = 0x1_0000_0000;

export class StoreCore {
  readonly arena: Arena;
  readonly layout: StoreLayout;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly u8: Uint8Array;
  readonly view: DataView;
  /** Pages of the whole arena; network buffers have their own allocator on them. */
  readonly pages: PageTable;
  readonly slabs: SlabAllocator;
  readonly lru: LruLists;
  readonly transient: TransientLists;
  /** This thread's counters: `f64[counters + StoreCounter.x]`. */
  readonly f64: Float64Array;
  readonly counters: number;
  /** This thread's counters by slab class begin here, in doubles. */
  readonly #classRequests: number;
  /** Word index of the first stripe and of the first bucket. */
  readonly stripes: number;
  readonly buckets: number;
  /** One past the last word. */
  readonly wordsEnd: number;
  readonly #chunkBytes: Int32Array;
  readonly #seedLow: number;
  readonly #seedHigh: number;
  /** CAS of the item that was stored, changed or given a token last. */
  lastCasLow = 0;
  lastCasHigh = 0;
  readonly #casBase: number;
  #casLow = 0;
  #casHigh = 0;
  #casLeft = 0;

  constructor(arena: Arena, layout: StoreLayout, thread: number) {
    this.arena = arena;
    this.layout = layout;
    this.i32 = arena.i32;
    this.u32 = arena.u32;
    this.u8 = arena.u8;
    this.view = arena.view;
    this.f64 = arena.f64;
    const classes = storeClasses(layout.options);
    this.pages = new PageTable(arena, layout.pageTableOffset, layout.firstPage);
    this.slabs = new SlabAllocator(this.pages, layout.slabOffset, 1, classes);
    this.lru = new LruLists(arena, layout.lruOffset);
    this.transient = new TransientLists(arena, layout.transientOffset);
    this.counters = (layout.countersOffset + thread * COUNTER_BLOCK_BYTES) / 8;
    this.#classRequests = (layout.classRequestsOffset + thread * CLASS_REQUEST_BLOCK_BYTES) / 8;
    this.stripes = layout.stripesOffset / 4;
    this.buckets = layout.indexOffset / 4;
    this.wordsEnd = arena.bytes / 4;
    this.#chunkBytes = classes.chunkBytes;
    this.#seedLow = arena.i32[SUPER_SEED_LOW]!;
    this.#seedHigh = arena.i32[SUPER_SEED_HIGH]!;
    this.#casBase = arena.u32[SUPER_CAS_BASE_HIGH]! * TWO_TO_32 + arena.u32[SUPER_CAS_BASE_LOW]!;
  }

  /** The store's second. */
  now(): number {
    return this.i32[SUPER_NOW]!;
  }

  hash(keyOffset: number, keyBytes: number): number {
    return halfSipHash(this.view, this.u8, keyOffset, keyBytes, this.#seedLow, this.#seedHigh);
  }

  lockStripe(hash: number): void {
    lock(this.i32, this.stripes + (hash & (STRIPES - 1)));
  }

  unlockStripe(hash: number): void {
    unlock(this.i32, this.stripes + (hash & (STRIPES - 1)));
  }

  /** Word index of the bucket of a hash. Linear hashing: buckets at or above the count fold to the lower half. */
  bucket(hash: number): number {
    const count = this.i32[SUPER_BUCKETS]!;
    const mask = (1 << (32 - Math.clz32(count - 1))) - 1;
    const index = hash & mask;
    return this.buckets + (index >= count ? index & (mask >>> 1) : index);
  }

  /** Counts a hit on an item with this tag, by its slab class and LRU segment. */
  countHit(item: number, tag: number): void {
    const segment = (tag & TAG_SEGMENT_MASK) >>> TAG_SEGMENT_SHIFT;
    this.f64[this.#classRequests + classRequestIndex(this.slabClass(item), segment)]!++;
  }

  /** Counts another request by the slab class of the item it concerned. */
  countRequest(item: number, request: ClassRequest): void {
    this.f64[this.#classRequests + classRequestIndex(this.slabClass(item), ClassRequest[request])]!++;
  }

  keyEquals(item: number, keyOffset: number, keyBytes: number): boolean {
    const view = this.view;
    let at = item * 4 + KEY_AT;
    let other = keyOffset;
    const wordsEnd = keyOffset + (keyBytes & ~3);
    for (; other < wordsEnd; at += 4, other += 4) {
      if (view.getInt32(at, true) !== view.getInt32(other, true)) return false;
    }
    for (const end = keyOffset + keyBytes; other < end; at++, other++) {
      if (this.u8[at] !== this.u8[other]) return false;
    }
    return true;
  }

  /** The linked item with this key, whatever its state; 0 if none. The stripe is held. */
  find(keyOffset: number, keyBytes: number, hash: number): number {
    const { i32, u32 } = this;
    for (let item = u32[this.bucket(hash)]! * 2; item !== 0; item = u32[item + NEXT]! * 2) {
      if (
        i32[item + HASH] === hash &&
        (i32[item + TAG]! & TAG_KEY_MASK) === keyBytes &&
        this.keyEquals(item, keyOffset, keyBytes)
      ) {
        return item;
      }
    }
    return 0;
  }

  /** As `find`, but expired and flushed items are unlinked on the way (lazy expiry). The stripe is held. */
  findCurrent(keyOffset: number, keyBytes: number, hash: number): number {
    const item = this.find(keyOffset, keyBytes, hash);
    if (item === 0 || !this.isGone(item)) return item;
    const isFlushed = (this.i32[item + TAG]! & GENERATION_MASK) !== this.i32[SUPER_GENERATION];
    this.count(isFlushed ? 'foundFlushed' : 'foundExpired');
    this.unlink(item);
    return 0;
  }

  /** As `findCurrent`, but only items that a classic get sees. The stripe is held. */
  findLive(keyOffset: number, keyBytes: number, hash: number): number {
    const item = this.findCurrent(keyOffset, keyBytes, hash);
    return item !== 0 && (this.i32[item + TAG]! & DEAD) === 0 ? item : 0;
  }

  /** Whether an item has expired or was flushed. */
  isGone(item: number): boolean {
    const expiry = this.u32[item + EXPIRY]!;
    if (expiry !== 0 && expiry <= this.i32[SUPER_NOW]!) return true;
    return (this.i32[item + TAG]! & GENERATION_MASK) !== this.i32[SUPER_GENERATION];
  }

  /** The page that an item's own chunk is in. */
  pageOf(item: number): number {
    return Math.floor((item * 4) / PAGE_BYTES);
  }

  slabClass(item: number): number {
    return this.pages.classOf(this.pageOf(item));
  }

  headBytes(item: number): number {
    const tag = this.i32[item + TAG]!;
    return VERB_BYTES + (tag & TAG_KEY_MASK) + ((tag >>> TAG_SUFFIX_SHIFT) & TAG_SUFFIX_MASK);
  }

  /** Bytes of the ready-made reply. */
  replyBytes(item: number): number {
    return this.headBytes(item) + this.i32[item + VALUE_BYTES]! + 2;
  }

  /** What an item counts in `bytes`. */
  totalBytes(item: number): number {
    return ITEM_HEADER_BYTES + this.replyBytes(item);
  }

  /** Word index of the item's chain links, in the last 16 bytes of its chunk. */
  chainLinks(item: number): number {
    return item + (this.#chunkBytes[this.slabClass(item)]! - CHAIN_TAIL_BYTES) / 4;
  }

  /** Word index of the item's transient links, or 0 when its chunk has no room for them. */
  transientLinks(item: number): number {
    const chunk = this.#chunkBytes[this.slabClass(item)]!;
    const links = chunk - TRANSIENT_TAIL_BYTES;
    if ((this.i32[item + TAG]! & CHAINED) === 0 && this.totalBytes(item) > links) return 0;
    return item + links / 4;
  }

  /** Links a new item; its stripe is held. The caller's reference becomes the index's. */
  link(item: number): void {
    const { i32, u32 } = this;
    const hash = i32[item + HASH]!;
    const bucket = this.bucket(hash);
    i32[item + TAG] = (i32[item + TAG]! & ~GENERATION_MASK) | LINKED | i32[SUPER_GENERATION]!;
    i32[item + ACCESS] = i32[SUPER_NOW]!;
    u32[item + NEXT] = u32[bucket]!;
    u32[bucket] = item / 2;
    const slabClass = this.slabClass(item);
    this.lru.lock(slabClass);
    this.lru.push(item, slabClass, Segment.hot);
    this.lru.unlock(slabClass);
    if (u32[item + EXPIRY] !== 0) {
      this.f64[this.counters + StoreCounter.expiringStored]!++;
      this.enterTransient(item);
    }
    if ((i32[item + TAG]! & DEAD) === 0) this.countItem(item, 1);
  }

  /** Puts an item that expires soon into the Transient Item Cache, if its chunk has room for the links. */
  enterTransient(item: number): void {
    const expiry = this.u32[item + EXPIRY]!;
    const left = expiry - this.i32[SUPER_NOW]!;
    if (expiry === 0 || left <= 0 || left >= TRANSIENT_SECONDS - TRANSIENT_MARGIN_SECONDS) return;
    const links = this.transientLinks(item);
    if (links !== 0) this.transient.add(item, links);
  }

  leaveTransient(item: number): void {
    if ((this.i32[item + TAG]! & TRANSIENT) !== 0) this.transient.remove(item, this.transientLinks(item));
  }

  /** Changes when an item expires; its stripe is held. */
  setExpiry(item: number, expiry: number): void {
    this.leaveTransient(item);
    this.u32[item + EXPIRY] = expiry;
    if (expiry === 0) return;
    this.f64[this.counters + StoreCounter.expiringStored]!++;
    this.enterTransient(item);
  }

  /** Unlinks an item and drops the index's reference; its stripe is held. */
  unlink(item: number): void {
    const slabClass = this.slabClass(item);
    this.lru.lock(slabClass);
    this.lru.remove(item, slabClass);
    this.lru.unlock(slabClass);
    this.unlinkFromIndex(item);
  }

  /** The part of `unlink` for callers that hold the class's lock and have removed the item from its list. */
  unlinkFromIndex(item: number): void {
    const { i32, u32 } = this;
    const reference = item / 2;
    let at = this.bucket(i32[item + HASH]!);
    while (u32[at] !== reference) at = u32[at]! * 2 + NEXT;
    u32[at] = u32[item + NEXT]!;
    this.leaveTransient(item);
    if ((i32[item + TAG]! & DEAD) === 0) this.countItem(item, -1);
    i32[item + TAG]! &= ~LINKED;
    this.release(item);
  }

  /** Counts an item as present (+1) or not (-1). */
  countItem(item: number, by: 1 | -1): void {
    this.f64[this.counters + StoreCounter.currItems]! += by;
    this.f64[this.counters + StoreCounter.currBytes]! += by * this.totalBytes(item);
    if (by === 1) this.f64[this.counters + StoreCounter.totalItems]!++;
  }

  retain(item: number): void {
    Atomics.add(this.i32, item, 1);
  }

  /** Drops a reference; the last one frees the item with all its chunks. */
  release(item: number): void {
    if (Atomics.sub(this.i32, item, 1) === 1) this.free(item);
  }

  /** Frees the memory of an item without references. */
  free(item: number): void {
    if ((this.i32[item + TAG]! & CHAINED) !== 0) {
      let next = this.u32[this.chainLinks(item)]! * 2;
      while (next !== 0) {
        const chunk = next;
        next = this.u32[chunk + CHAIN_NEXT]! * 2;
        this.slabs.free(chunk * 4);
      }
    }
    this.slabs.free(item * 4);
  }

  /** Gives an item a new CAS value. */
  renewCas(item: number): void {
    if (this.#casLeft === 0) this.#takeCasBlock();
    this.#casLeft--;
    this.u32[item + CAS_LOW] = this.#casLow;
    this.u32[item + CAS_HIGH] = this.#casHigh;
    this.#casLow = (this.#casLow + 1) | 0;
  }

  /**
   * Blocks count from a number that was drawn when the store was made. A token or a CAS value of another server, or
   * of this one before it was restarted empty, is therefore none here: what it was to fill or to compare is refused.
   */
  #takeCasBlock(): void {
    const block = this.#casBase + (Atomics.add(this.i32, SUPER_CAS_BLOCK, 1) >>> 0);
    const first = block * CAS_BLOCK;
    this.#casLow = first | 0;
    this.#casHigh = Math.floor(first / TWO_TO_32);
    this.#casLeft = CAS_BLOCK;
  }

  setCas(item: number, casLow: number, casHigh: number): void {
    this.u32[item + CAS_LOW] = casLow;
    this.u32[item + CAS_HIGH] = casHigh;
  }

  /** Notes an item's CAS for the caller of the operation. */
  rememberCas(item: number): void {
    this.lastCasLow = this.u32[item + CAS_LOW]!;
    this.lastCasHigh = this.u32[item + CAS_HIGH]!;
  }

  casEquals(item: number, casLow: number, casHigh: number): boolean {
    return this.u32[item + CAS_LOW] === casLow && this.u32[item + CAS_HIGH] === casHigh;
  }

  count(counter: StoreCounter, by = 1): void {
    this.f64[this.counters + StoreCounter[counter]]! += by;
  }
}
