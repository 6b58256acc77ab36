/**
 * Reading short values without a lock, as `Retrieval.copyReply` reads replies: the stripe's version is read, the
 * value copied, and the version read again. Whatever is not quite ordinary (an access to note, a chain, a stripe
 * that is locked) is left to `acquire`.
 */
import type { StoreCore } from './core.ts';
import {
  ACCESS,
  ACTIVE,
  CHAINED,
  DEAD,
  EXPIRY,
  FETCHED,
  GENERATION_MASK,
  HASH,
  ITEM_HEADER_BYTES,
  KEY_AT,
  NEXT,
  TAG,
  TAG_KEY_MASK,
  TAG_SUFFIX_MASK,
  TAG_SUFFIX_SHIFT,
  VALUE_BYTES,
  VERB_BYTES,
} from './item.ts';
import { SUPER_COPY_BYTES, SUPER_GENERATION, SUPER_NOW } from './layout.ts';
import { ACCESS_UPDATE_SECONDS, OPTIMISTIC_STEPS_MAX, STRIPES } from './limits.ts';

/** Nothing was copied: `acquire` has to be asked. */
const NOT_COPIED = -1;
/** There is no item with this key. */
export const VALUE_MISSING: number = -2;
/** Copies of at most this many bytes are a loop; longer ones are one call. */
const LOOP_BYTES_MAX = 96;
const WAS_USED: number = FETCHED | ACTIVE;
/** On weakly ordered processors a plain second read of the version may overtake the reads between. */
const READS_ARE_ORDERED: boolean = process.arch === 'x64' || process.arch === 'ia32';
/** Digits of a u32. */
const FLAGS_DIGITS_MAX = 10;
const SPACE = 32;
const ZERO = 48;

export class ValueCopy {
  /** Of the value that was copied last: its item, that item's tag, and its client flags. */
  item = 0;
  tag = 0;
  flags = 0;
  readonly #core: StoreCore;

  constructor(core: StoreCore) {
    this.#core = core;
  }

  /**
   * Copies a value to `target`: its length, VALUE_MISSING, or NOT_COPIED (-1). It is not counted: `count` does that
   * when the copy is used.
   */
  copy(keyOffset: number, keyBytes: number, hash: number, target: number, capacity: number): number {
    const core = this.#core;
    const { i32, u32 } = core;
    const stripe = core.stripes + (hash & (STRIPES - 1));
    // The first read may be a plain one; what must not be early is the second.
    const version = i32[stripe]!;
    if ((version & 1) !== 0 || !READS_ARE_ORDERED) return NOT_COPIED;
    let item = u32[core.bucket(hash)]! * 2;
    for (let steps = 0; item !== 0; item = u32[item + NEXT]! * 2) {
      if (item >= core.wordsEnd || ++steps > OPTIMISTIC_STEPS_MAX) return NOT_COPIED;
      if (i32[item + HASH] === hash && (i32[item + TAG]! & TAG_KEY_MASK) === keyBytes) {
        if (core.keyEquals(item, keyOffset, keyBytes)) break;
      }
    }
    if (item === 0) return Atomics.load(i32, stripe) === version ? VALUE_MISSING : NOT_COPIED;
    const tag = i32[item + TAG]!;
    const now = i32[SUPER_NOW]!;
    const expiry = u32[item + EXPIRY]!;
    const bytes = i32[item + VALUE_BYTES]!;
    if (
      (tag & (WAS_USED | DEAD | CHAINED | GENERATION_MASK)) !== (WAS_USED | i32[SUPER_GENERATION]!) ||
      (expiry !== 0 && expiry <= now) ||
      now - u32[item + ACCESS]! >= ACCESS_UPDATE_SECONDS ||
      bytes > capacity ||
      bytes > i32[SUPER_COPY_BYTES]! ||
      bytes < 0
    ) {
      return NOT_COPIED;
    }
    this.flags = this.#flagsAt(item * 4 + KEY_AT + keyBytes + 1);
    const headBytes = VERB_BYTES + keyBytes + ((tag >>> TAG_SUFFIX_SHIFT) & TAG_SUFFIX_MASK);
    this.#copy(target, item * 4 + ITEM_HEADER_BYTES + headBytes, bytes);
    if (Atomics.load(i32, stripe) !== version) return NOT_COPIED;
    this.item = item;
    this.tag = tag;
    return bytes;
  }

  /** The flags in a reply's head. What is read while the item changes may be anything, but not endless. */
  #flagsAt(offset: number): number {
    const { u8 } = this.#core;
    let flags = u8[offset]! - ZERO;
    for (let at = offset + 1; at < offset + FLAGS_DIGITS_MAX && u8[at] !== SPACE; at++)
      flags = flags * 10 + u8[at]! - ZERO;
    return flags;
  }

  /** Counts a hit on an item that was copied. */
  count(item: number, tag: number): void {
    this.#core.countHit(item, tag);
  }

  #copy(target: number, source: number, bytes: number): void {
    const { u8, view } = this.#core;
    if (bytes > LOOP_BYTES_MAX) {
      u8.copyWithin(target, source, source + bytes);
      return;
    }
    let at = 0;
    for (; at + 8 <= bytes; at += 8) view.setBigInt64(target + at, view.getBigInt64(source + at, true), true);
    for (; at < bytes; at++) u8[target + at] = u8[source + at]!;
  }
}
