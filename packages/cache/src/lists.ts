/**
 * Values that are lists of buffers (papers/sosp23 6.1.2). Every element lies in a chunk of its own, written once
 * and sent from there; nothing ever joins them. The chunks are linked, and the item's own chunk has a table of
 * them, so that one element is found without walking.
 *
 * ```
 *   item chunk   [header]["VALUE key flags bytes\r\n"][ -- ][count][element 0][element 1] ... [links]
 *   chunk        [header][element 0] ─▶ [header][element 1] ─▶ ... [header][last element]["\r\n"]
 * ```
 *
 * To everything else it is a chain: a classic get answers with the elements one behind the other, append and
 * prepend make an ordinary value of it.
 */
import { CHAIN_NEXT_BYTES } from './chain.ts';
import type { StoreCore } from './core.ts';
import type { ItemFactory } from './creation.ts';
import {
  CHAIN_BYTES,
  CHAIN_DATA_AT,
  CHAIN_NEXT,
  CHAIN_OWNER,
  ITEM_HEADER_BYTES,
  KIND_CONTINUATION,
  LIST,
  TAG,
} from './item.ts';

const CRLF = 0x0a0d;

export class Lists {
  readonly #core: StoreCore;
  readonly #factory: ItemFactory;
  /** The chunk of the element that was added last, so that adding does not walk. */
  #last = 0;

  constructor(core: StoreCore, factory: ItemFactory) {
    this.#core = core;
    this.#factory = factory;
  }

  /** A new list without elements; 0 when there is no memory, -1 when it is larger than the limits. */
  create(
    keyOffset: number,
    keyBytes: number,
    hash: number,
    clientFlags: number,
    expiry: number,
    count: number,
    valueBytes: number,
  ): number {
    const item = this.#factory.createList(keyOffset, keyBytes, hash, clientFlags, expiry, count, valueBytes);
    if (item <= 0) return item;
    this.#last = 0;
    this.#core.u32[this.#table(item)] = 0;
    if (count > 0 || this.#addChunk(item, 0) !== 0) return item;
    this.#core.release(item);
    return 0;
  }

  /**
   * Adds the next element of the list that was created last: where its `bytes` bytes are to be written. 0 when
   * there is no memory, -1 when the element is larger than a chunk; the caller then abandons the list.
   */
  add(item: number, bytes: number, isLast: boolean): number {
    const core = this.#core;
    const stored = isLast ? bytes + 2 : bytes;
    if (stored > CHAIN_NEXT_BYTES) return -1;
    const chunk = this.#addChunk(item, bytes, isLast);
    if (chunk === 0) return 0;
    const table = this.#table(item);
    const index = core.u32[table]!;
    core.u32[table] = index + 1;
    core.u32[table + 1 + index] = chunk / 2;
    return chunk * 4 + CHAIN_DATA_AT;
  }

  isList(item: number): boolean {
    return (this.#core.i32[item + TAG]! & LIST) !== 0;
  }

  count(item: number): number {
    return this.#core.u32[this.#table(item)]!;
  }

  elementOffset(item: number, index: number): number {
    return this.#chunk(item, index) * 4 + CHAIN_DATA_AT;
  }

  elementBytes(item: number, index: number): number {
    const bytes = this.#core.u32[this.#chunk(item, index) + CHAIN_BYTES]!;
    return index === this.count(item) - 1 ? bytes - 2 : bytes;
  }

  #chunk(item: number, index: number): number {
    return this.#core.u32[this.#table(item) + 1 + index]! * 2;
  }

  /** Word index of the table, behind the head. */
  #table(item: number): number {
    return (item * 4 + ITEM_HEADER_BYTES + this.#core.headBytes(item) + 3) >>> 2;
  }

  /** Links another chunk for `bytes` bytes, with the reply's end behind them if it is the last. */
  #addChunk(item: number, bytes: number, isLast = true): number {
    const core = this.#core;
    const stored = isLast ? bytes + 2 : bytes;
    const chunk = this.#factory.allocateChunk(stored + CHAIN_DATA_AT);
    if (chunk === 0) return 0;
    core.i32[chunk + TAG] = KIND_CONTINUATION;
    core.u32[chunk + CHAIN_NEXT] = 0;
    core.u32[chunk + CHAIN_OWNER] = item / 2;
    core.u32[chunk + CHAIN_BYTES] = stored;
    core.u32[this.#last === 0 ? core.chainLinks(item) : this.#last + CHAIN_NEXT] = chunk / 2;
    this.#last = chunk;
    if (isLast) core.view.setInt16(chunk * 4 + CHAIN_DATA_AT + bytes, CRLF, true);
    return chunk;
  }
}
