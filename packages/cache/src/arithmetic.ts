/** incr and decr on values that are decimal numbers, in place where the number still fits. */
import { clientFlagsOf } from './client-flags.ts';
import type { StoreCore } from './core.ts';
import type { ItemFactory } from './creation.ts';
import { CHAINED, EXPIRY, ITEM_HEADER_BYTES, KEY_AT, TAG, TAG_KEY_MASK, VALUE_BYTES } from './item.ts';
import { StoreResult } from './result.ts';

/** What a meta arithmetic request asks for besides the delta; one object is reused by its caller. */
export interface ArithmeticOptions {
  compareCas: boolean;
  casLow: number;
  casHigh: number;
  hasNewCas: boolean;
  newCasLow: number;
  newCasHigh: number;
  /** Make a missing item with this expiry (N flag); -1 for not. */
  vivifyExpiry: number;
  /** Value of a vivified item (J flag). */
  initial: bigint;
  /** New expiry (T flag); -1 for none. */
  touchExpiry: number;
}

/** A longer value is not taken for a number, however many zeros it begins with. */
const NUMBER_BYTES_MAX = 512;
const TAB = 9;
const RETURN = 13;
const SPACE = 32;
const PLUS = 43;

export class Arithmetic {
  readonly #core: StoreCore;
  readonly #factory: ItemFactory;
  /** The resulting number and its item's expiry. */
  lastNumber = 0n;
  lastExpiry = 0;
  /** Where the key of an item being made lies. */
  #keyOffset = 0;
  #keyBytes = 0;

  constructor(core: StoreCore, factory: ItemFactory) {
    this.#core = core;
    this.#factory = factory;
  }

  apply(
    keyOffset: number,
    keyBytes: number,
    hash: number,
    decrement: boolean,
    delta: bigint,
    options: ArithmeticOptions | null,
  ): StoreResult {
    const core = this.#core;
    this.#keyOffset = keyOffset;
    this.#keyBytes = keyBytes;
    core.lockStripe(hash);
    const item = core.findLive(keyOffset, keyBytes, hash);
    let result: StoreResult;
    if (item !== 0) result = this.#change(item, hash, decrement, delta, options);
    else if (options === null || options.vivifyExpiry === -1) result = StoreResult.notFound;
    else result = this.#put(0, hash, options.initial, 0, options.vivifyExpiry, options);
    core.unlockStripe(hash);
    return result;
  }

  #change(
    item: number,
    hash: number,
    decrement: boolean,
    delta: bigint,
    options: ArithmeticOptions | null,
  ): StoreResult {
    const core = this.#core;
    if (options?.compareCas && !core.casEquals(item, options.casLow, options.casHigh))
      return StoreResult.exists;
    const old = this.#read(item);
    if (old === null) return StoreResult.notNumber;
    const number = decrement ? (old < delta ? 0n : old - delta) : BigInt.asUintN(64, old + delta);
    core.countRequest(item, decrement ? 'decrements' : 'increments');
    const text = number.toString();
    // Others may be reading the value they hold a reference to, so it is changed in place only when nobody does.
    if (core.i32[item] !== 1 || text.length > core.u32[item + VALUE_BYTES]!) {
      const expiry =
        options !== null && options.touchExpiry !== -1 ? options.touchExpiry : core.u32[item + EXPIRY]!;
      return this.#put(item, hash, number, clientFlagsOf(core, item), expiry, options);
    }
    const start = item * 4 + ITEM_HEADER_BYTES + core.headBytes(item);
    core.u8.fill(32, start, start + core.u32[item + VALUE_BYTES]!);
    this.#write(start, text);
    if (options !== null && options.touchExpiry !== -1) core.setExpiry(item, options.touchExpiry);
    if (options?.hasNewCas) core.setCas(item, options.newCasLow, options.newCasHigh);
    else core.renewCas(item);
    this.#remember(item, number);
    return StoreResult.ok;
  }

  /** Links a new item with the number in place of `old` (0 for none). */
  #put(
    old: number,
    hash: number,
    number: bigint,
    clientFlags: number,
    expiry: number,
    options: ArithmeticOptions | null,
  ): StoreResult {
    const core = this.#core;
    const text = number.toString();
    const dead = old === 0 ? core.findCurrent(this.#keyOffset, this.#keyBytes, hash) : old;
    const keyOffset = dead === 0 ? this.#keyOffset : dead * 4 + KEY_AT;
    const keyBytes = dead === 0 ? this.#keyBytes : core.i32[dead + TAG]! & TAG_KEY_MASK;
    const item = this.#factory.create(keyOffset, keyBytes, hash, clientFlags, expiry, text.length);
    if (item <= 0) return StoreResult.outOfMemory;
    this.#write(item * 4 + ITEM_HEADER_BYTES + core.headBytes(item), text);
    if (dead !== 0) core.unlink(dead);
    if (options?.hasNewCas) core.setCas(item, options.newCasLow, options.newCasHigh);
    else core.renewCas(item);
    core.link(item);
    this.#remember(item, number);
    return StoreResult.ok;
  }

  #remember(item: number, number: bigint): void {
    this.lastNumber = number;
    this.#core.rememberCas(item);
    this.lastExpiry = this.#core.u32[item + EXPIRY]!;
  }

  #write(offset: number, text: string): void {
    for (let i = 0; i < text.length; i++) this.#core.u8[offset + i] = text.charCodeAt(i);
  }

  /**
   * The value as a number: white space, perhaps a plus, digits, then nothing or a space and whatever follows, as the
   * C library's strtoull reads it. Null when it is something else, or above 2^64 - 1.
   */
  #read(item: number): bigint | null {
    const { i32, u32, u8 } = this.#core;
    const bytes = u32[item + VALUE_BYTES]!;
    if (bytes === 0 || bytes > NUMBER_BYTES_MAX || (i32[item + TAG]! & CHAINED) !== 0) return null;
    let at = item * 4 + ITEM_HEADER_BYTES + this.#core.headBytes(item);
    const end = at + bytes;
    while (at < end && isSpace(u8[at]!)) at++;
    if (at < end && u8[at] === PLUS) at++;
    const start = at;
    while (at < end && u8[at]! >= 48 && u8[at]! <= 57) at++;
    if (at === start || (at < end && !isSpace(u8[at]!))) return null;
    const number = BigInt(String.fromCharCode(...u8.subarray(start, at)));
    return number >> 64n === 0n ? number : null;
  }
}

function isSpace(byte: number): boolean {
  return byte === SPACE || (byte >= TAB && byte <= RETURN);
}
