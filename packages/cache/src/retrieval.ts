/**
 * Looking items up. The path of a classic get takes no lock: it reads the stripe's version, finds the item,
 * copies its ready-made reply, and reads the version again; if it changed, or if there is anything to write
 * (an expired item, an access to note), it does it all once more under the lock.
 *
 * Reading memory that another thread frees meanwhile is harmless: all of it is inside the arena, the walk is
 * bounded, and what was read is discarded when the version changed.
 */
import type { StoreCore } from './core.ts';
import { StoreCounter } from './counters.ts';
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

/** Copies of at most this many bytes are a loop of words; longer ones are one call. */
const WORD_LOOP_BYTES_MAX = 96;
/** The reply is a hit, but too long to be copied to where the caller wanted it. */
const REPLY_TOO_LONG = -1;

const WAS_USED: number = FETCHED | ACTIVE;
/** On weakly ordered processors a plain second read of the version may overtake the reads between. */
const READS_ARE_ORDERED: boolean = process.arch === 'x64' || process.arch === 'ia32';

export class Retrieval {
  readonly #core: StoreCore;
  readonly #i32: Int32Array;
  readonly #u32: Uint32Array;
  readonly #view: DataView;
  readonly #stripes: number;
  readonly #wordsEnd: number;

  constructor(core: StoreCore) {
    this.#core = core;
    this.#i32 = core.i32;
    this.#u32 = core.u32;
    this.#view = core.view;
    this.#stripes = core.stripes;
    this.#wordsEnd = core.wordsEnd;
  }

  /**
   * Copies the reply to a classic get (`VALUE key flags bytes\r\n…\r\n`) to `target`. Returns its length, 0 for a
   * miss, or REPLY_TOO_LONG when it is longer than `capacity` or than what is worth copying.
   */
  copyReply(keyOffset: number, keyBytes: number, hash: number, target: number, capacity: number): number {
    const i32 = this.#i32;
    const stripe = this.#stripes + (hash & (STRIPES - 1));
    // The first read may be a plain one; what must not be early is the second.
    const version = i32[stripe]!;
    if ((version & 1) !== 0 || !READS_ARE_ORDERED)
      return this.#copyReplyLocked(keyOffset, keyBytes, hash, target, capacity);
    const u32 = this.#u32;
    let item = u32[this.#core.bucket(hash)]! * 2;
    for (let steps = 0; item !== 0; item = u32[item + NEXT]! * 2) {
      if (item >= this.#wordsEnd || ++steps > OPTIMISTIC_STEPS_MAX) {
        return this.#copyReplyLocked(keyOffset, keyBytes, hash, target, capacity);
      }
      if (i32[item + HASH] === hash && (i32[item + TAG]! & TAG_KEY_MASK) === keyBytes) {
        if (this.#core.keyEquals(item, keyOffset, keyBytes)) break;
      }
    }
    if (item === 0) {
      if (Atomics.load(i32, stripe) === version) return 0;
      return this.#copyReplyLocked(keyOffset, keyBytes, hash, target, capacity);
    }
    const tag = i32[item + TAG]!;
    const now = i32[SUPER_NOW]!;
    const expiry = u32[item + EXPIRY]!;
    if (
      (tag & (WAS_USED | DEAD | CHAINED | GENERATION_MASK)) !== (WAS_USED | i32[SUPER_GENERATION]!) ||
      (expiry !== 0 && expiry <= now) ||
      now - u32[item + ACCESS]! >= ACCESS_UPDATE_SECONDS
    ) {
      return this.#copyReplyLocked(keyOffset, keyBytes, hash, target, capacity);
    }
    const bytes =
      VERB_BYTES + keyBytes + ((tag >>> TAG_SUFFIX_SHIFT) & TAG_SUFFIX_MASK) + i32[item + VALUE_BYTES]! + 2;
    if (bytes > capacity || bytes > i32[SUPER_COPY_BYTES]! || bytes < 0) {
      if (Atomics.load(i32, stripe) === version) return REPLY_TOO_LONG;
      return this.#copyReplyLocked(keyOffset, keyBytes, hash, target, capacity);
    }
    this.#copy(target, item * 4 + ITEM_HEADER_BYTES, bytes);
    if (Atomics.load(i32, stripe) === version) {
      this.#core.countHit(item, tag);
      return bytes;
    }
    return this.#copyReplyLocked(keyOffset, keyBytes, hash, target, capacity);
  }

  #copyReplyLocked(
    keyOffset: number,
    keyBytes: number,
    hash: number,
    target: number,
    capacity: number,
  ): number {
    const core = this.#core;
    core.lockStripe(hash);
    core.f64[core.counters + StoreCounter.lookupRetries]!++;
    const item = core.findLive(keyOffset, keyBytes, hash);
    let bytes = 0;
    if (item !== 0) {
      this.touchAccess(item);
      bytes = core.replyBytes(item);
      if (
        bytes > capacity ||
        bytes > this.#i32[SUPER_COPY_BYTES]! ||
        (this.#i32[item + TAG]! & CHAINED) !== 0
      )
        bytes = REPLY_TOO_LONG;
      else {
        this.#copy(target, item * 4 + ITEM_HEADER_BYTES, bytes);
        core.countHit(item, this.#i32[item + TAG]!);
      }
    }
    core.unlockStripe(hash);
    return bytes;
  }

  /** Finds a live item, notes the access and retains it; 0 if there is none. */
  acquire(keyOffset: number, keyBytes: number, hash: number): number {
    const core = this.#core;
    core.lockStripe(hash);
    const item = core.findLive(keyOffset, keyBytes, hash);
    if (item !== 0) {
      this.touchAccess(item);
      core.countHit(item, this.#i32[item + TAG]!);
      core.retain(item);
    }
    core.unlockStripe(hash);
    return item;
  }

  /** As `acquire`, and sets when the item expires (a second of the store's clock; 0 never). */
  acquireAndTouch(keyOffset: number, keyBytes: number, hash: number, expiry: number): number {
    const core = this.#core;
    core.lockStripe(hash);
    const item = core.findLive(keyOffset, keyBytes, hash);
    if (item !== 0) {
      this.touchAccess(item);
      core.setExpiry(item, expiry);
      core.countRequest(item, 'touches');
      core.retain(item);
    }
    core.unlockStripe(hash);
    return item;
  }

  /** Finds an item without noting an access and retains it; dead ones only if `any`. 0 if there is none. */
  peek(keyOffset: number, keyBytes: number, hash: number, any: boolean): number {
    const core = this.#core;
    core.lockStripe(hash);
    const found = core.findCurrent(keyOffset, keyBytes, hash);
    const item = found !== 0 && (any || (core.i32[found + TAG]! & DEAD) === 0) ? found : 0;
    if (item !== 0) core.retain(item);
    core.unlockStripe(hash);
    return item;
  }

  /** Notes that an item was used; its stripe is held. */
  touchAccess(item: number): void {
    const { i32, u32 } = this.#core;
    const tag = i32[item + TAG]!;
    if ((tag & FETCHED) === 0) i32[item + TAG] = tag | FETCHED;
    else if ((tag & ACTIVE) === 0) i32[item + TAG] = tag | ACTIVE;
    u32[item + ACCESS] = i32[SUPER_NOW]!;
  }

  #copy(target: number, source: number, bytes: number): void {
    if (bytes > WORD_LOOP_BYTES_MAX) {
      this.#core.u8.copyWithin(target, source, source + bytes);
      return;
    }
    const view = this.#view;
    let at = 0;
    for (; at + 8 <= bytes; at += 8) view.setBigInt64(target + at, view.getBigInt64(source + at, true), true);
    for (; at < bytes; at++) this.#core.u8[target + at] = this.#core.u8[source + at]!;
  }
}
