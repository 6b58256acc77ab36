/** Making items: memory for them, by eviction or a stolen page when none is free, and their ready-made head. */
import { growChain, writeStream } from './chain.ts';
import type { StoreCore } from './core.ts';
import type { Evictor } from './eviction.ts';
import {
  CAS_HIGH,
  CAS_LOW,
  CHAIN_TAIL_BYTES,
  CHAINED,
  decimalDigits,
  EXPIRY,
  EXTRA,
  HASH,
  ITEM_HEADER_BYTES,
  KEY_AT,
  KIND_ITEM,
  LIST,
  NEXT,
  TAG,
  TAG_KEY_MASK,
  TAG_SUFFIX_SHIFT,
  TRANSIENT_TAIL_BYTES,
  VALUE_BYTES,
  VERB_BYTES,
  writeDecimal,
} from './item.ts';
import { CHAIN_CHUNK_BYTES, LIST_ELEMENTS_MAX, TRANSIENT_SECONDS } from './limits.ts';
import { listTableBytes } from './list-table.ts';
import { ClassCounter } from './lru.ts';
import type { PageMover } from './page-mover.ts';

/** "VALU" and "E " as little-endian words. */
const VALU = 0x554c4156;
const E_SPACE = 0x2045;
const CRLF = 0x0a0d;
/** How much larger a chunk of another class may be than needed. */
const BORROW_RATIO = 1.3;
/** Evictions tried for one chunk before giving up. */
const EVICTIONS_PER_CHUNK = 8;

export class ItemFactory {
  readonly #core: StoreCore;
  readonly #evictor: Evictor;
  readonly #mover: PageMover;
  readonly #allocateChunk: (bytes: number) => number;

  constructor(core: StoreCore, evictor: Evictor, mover: PageMover) {
    this.#core = core;
    this.#evictor = evictor;
    this.#mover = mover;
    this.#allocateChunk = (bytes) => this.#allocate(this.#core.slabs.classFor(bytes));
  }

  /**
   * A new item, not linked, with one reference that is the caller's and its head and final "\r\n" written. Returns 0
   * when there is no memory, -1 when the value is larger than the limit.
   */
  create(
    keyOffset: number,
    keyBytes: number,
    hash: number,
    clientFlags: number,
    expiry: number,
    valueBytes: number,
  ): number {
    const core = this.#core;
    if (valueBytes > core.layout.options.itemBytesMax) return -1;
    const suffixBytes = 4 + decimalDigits(clientFlags) + decimalDigits(valueBytes);
    const streamBytes = VERB_BYTES + keyBytes + suffixBytes + valueBytes + 2;
    const isChained = ITEM_HEADER_BYTES + streamBytes > CHAIN_CHUNK_BYTES;
    const item = this.#allocateChunk(
      isChained ? CHAIN_CHUNK_BYTES : ITEM_HEADER_BYTES + streamBytes + this.#transientTailBytes(expiry),
    );
    if (item === 0) return 0;
    const tag = KIND_ITEM | keyBytes | (suffixBytes << TAG_SUFFIX_SHIFT) | (isChained ? CHAINED : 0);
    const end = this.#writeHead(item, tag, keyOffset, hash, clientFlags, expiry, valueBytes);
    if (!isChained) {
      core.view.setInt16(end + valueBytes, CRLF, true);
      return item;
    }
    if (!growChain(core, item, streamBytes, this.#allocateChunk)) {
      core.release(item);
      return 0;
    }
    writeStream(core, item, streamBytes - 2, end - 2, 2);
    return item;
  }

  /**
   * A new item whose value is a list of `count` elements with `valueBytes` bytes together: as `create`, but
   * without any element; lists.ts adds them.
   */
  createList(
    keyOffset: number,
    keyBytes: number,
    hash: number,
    clientFlags: number,
    expiry: number,
    count: number,
    valueBytes: number,
  ): number {
    const core = this.#core;
    if (valueBytes > core.layout.options.itemBytesMax || count > LIST_ELEMENTS_MAX) return -1;
    const suffixBytes = 4 + decimalDigits(clientFlags) + decimalDigits(valueBytes);
    const headEnd = ITEM_HEADER_BYTES + VERB_BYTES + keyBytes + suffixBytes;
    const item = this.#allocateChunk(headEnd + listTableBytes(count) + CHAIN_TAIL_BYTES);
    if (item === 0) return 0;
    const tag = KIND_ITEM | keyBytes | (suffixBytes << TAG_SUFFIX_SHIFT) | CHAINED | LIST;
    this.#writeHead(item, tag, keyOffset, hash, clientFlags, expiry, valueBytes);
    core.u32[core.chainLinks(item)] = 0;
    return item;
  }

  /** A chunk for so many bytes, by word index; 0 when there is no memory. */
  allocateChunk(bytes: number): number {
    return this.#allocateChunk(bytes);
  }

  /** Writes the header and the head of the reply; returns the offset behind it. */
  #writeHead(
    item: number,
    tag: number,
    keyOffset: number,
    hash: number,
    clientFlags: number,
    expiry: number,
    valueBytes: number,
  ): number {
    const { i32, u32, u8, view } = this.#core;
    const keyBytes = tag & TAG_KEY_MASK;
    i32[item + TAG] = tag;
    u32[item + NEXT] = 0;
    i32[item + HASH] = hash;
    u32[item + EXPIRY] = expiry;
    u32[item + CAS_LOW] = 0;
    u32[item + CAS_HIGH] = 0;
    u32[item + VALUE_BYTES] = valueBytes;
    u32[item + EXTRA] = 0;
    const at = item * 4 + ITEM_HEADER_BYTES;
    view.setInt32(at, VALU, true);
    view.setInt16(at + 4, E_SPACE, true);
    let end = item * 4 + KEY_AT;
    u8.copyWithin(end, keyOffset, keyOffset + keyBytes);
    end += keyBytes;
    u8[end] = 32;
    end = writeDecimal(u8, end + 1, clientFlags);
    u8[end] = 32;
    end = writeDecimal(u8, end + 1, valueBytes);
    view.setInt16(end, CRLF, true);
    return end + 2;
  }

  /** Room for the links of the Transient Item Cache, for items that expire soon. */
  #transientTailBytes(expiry: number): number {
    return expiry !== 0 && expiry - this.#core.now() < TRANSIENT_SECONDS ? TRANSIENT_TAIL_BYTES : 0;
  }

  /** A chunk of a class, by word index; 0 when there is no memory. */
  #allocate(slabClass: number): number {
    const { slabs } = this.#core;
    const chunk = slabs.allocate(slabClass);
    return chunk === 0 ? this.#allocateByEvicting(slabClass) : chunk / 4;
  }

  #allocateByEvicting(slabClass: number): number {
    const core = this.#core;
    const chunk = core.slabs.pagesOf(slabClass) > 0 ? this.#evictFor(slabClass) : this.#borrow(slabClass);
    if (chunk !== 0) return chunk;
    // The class has no page, or everything in its pages is busy: take the oldest page of another class.
    if (core.layout.options.evict && this.#mover.steal(slabClass)) {
      const stolen = core.slabs.allocate(slabClass);
      if (stolen !== 0) return stolen / 4;
    }
    core.count('outOfMemory');
    core.lru.lock(slabClass);
    core.lru.count(slabClass, ClassCounter.outOfMemory, 1);
    core.lru.unlock(slabClass);
    return 0;
  }

  #evictFor(slabClass: number): number {
    const core = this.#core;
    for (let tries = 0; tries < EVICTIONS_PER_CHUNK; ) {
      if (!this.#evictor.evict(slabClass)) return 0;
      // What lies in a page on its way to another class gives no chunk, but goes in any case: a page's worth at most.
      if (!core.pages.isDraining(this.#evictor.lastPage)) tries++;
      const chunk = core.slabs.allocate(slabClass);
      if (chunk !== 0) {
        core.count('directReclaims');
        return chunk / 4;
      }
    }
    return 0;
  }

  /**
   * A chunk of a somewhat larger class that has memory. With more size classes in use than there are pages, taking
   * whole pages from each other all the time would cost far more than the bytes wasted here.
   */
  #borrow(slabClass: number): number {
    const { slabs } = this.#core;
    const { chunkBytes, last } = slabs.classes;
    const most = chunkBytes[slabClass]! * BORROW_RATIO;
    for (let larger = slabClass + 1; larger <= last && chunkBytes[larger]! <= most; larger++) {
      if (slabs.pagesOf(larger) === 0) continue;
      const chunk = slabs.allocate(larger);
      if (chunk !== 0) return chunk / 4;
      const evicted = this.#evictFor(larger);
      if (evicted !== 0) return evicted;
    }
    return 0;
  }
}
