/**
 * The keys and values of a run, laid out in the arena so that writing a request and checking a reply touch
 * little memory:
 *
 * ```
 *   per key, `stride` bytes apart     VALUE k0000000042 0 32\r\n      what a hit begins with
 *                                          └─ " k0000000042"          a piece of a get
 *                                          └─ " k0000000042 0 "       a piece of a set
 *   text, once                        VALUE_STARTS + longest value random printable bytes
 *                                     └── value of a key: a window whose start follows from the key
 * ```
 *
 * All bytes are ASCII, so eight of them read as a double are a normal number: never NaN, which would not
 * equal itself, and never zero, which equals its negative. Moving and comparing eight bytes at a time is
 * therefore exact, also when a reply holds anything at all.
 */
import type { Arena } from '@larder/datapath';
import { BenchError } from '../errors.ts';
import { KEY_BYTES_MAX, KEY_BYTES_MIN, KEYS_MAX, VALUE_STARTS } from '../limits.ts';
import { Random } from '../random/random.ts';
import { drawSizes, largestSize } from '../random/size-distribution.ts';
import type { KeySpacePlan } from './plan.ts';

const DIGITS = 10;
const VALUE_WORD = 'VALUE ';
/** Copies and comparisons go in steps of this many bytes and may read that far beyond the end. */
const STEP_BYTES = 8;
/** From here on one call of native code beats a loop. */
const NATIVE_BYTES_MIN = 2048;
const TEXT = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

export class KeySpace {
  readonly plan: KeySpacePlan;
  readonly arena: Arena;
  readonly valueBytes: Int32Array;
  /** Length of a key's `VALUE …\r\n` line. */
  readonly headBytes: Uint16Array;
  readonly #view: DataView;
  readonly #u8: Uint8Array;
  readonly #node: Buffer;
  readonly #heads: number;
  readonly #stride: number;
  readonly #text: number;
  readonly #pieceBytes: number;

  /** Bytes of the arena that a key space takes. */
  static bytes(plan: KeySpacePlan): number {
    return plan.keys * strideOf(plan) + textBytes(plan);
  }

  constructor(arena: Arena, offset: number, plan: KeySpacePlan) {
    assertPlan(plan);
    this.plan = plan;
    this.arena = arena;
    this.#view = arena.view;
    this.#u8 = arena.u8;
    this.#node = arena.node;
    this.#text = offset;
    this.#heads = offset + textBytes(plan);
    this.#stride = strideOf(plan);
    this.#pieceBytes = plan.keyBytes + 1;
    const random = new Random(plan.seed);
    this.valueBytes = drawSizes(plan.sizes, plan.keys, random);
    this.headBytes = new Uint16Array(plan.keys);
    for (let index = 0; index < textBytes(plan); index++) {
      this.#u8[this.#text + index] = TEXT.charCodeAt(random.u32() & 63);
    }
    this.#writeHeads();
  }

  keyText(key: number): string {
    const start = this.headOffset(key) + VALUE_WORD.length;
    return this.#node.toString('latin1', start, start + this.plan.keyBytes);
  }

  headOffset(key: number): number {
    return this.#heads + key * this.#stride;
  }

  /** Where the bytes of a key's value are; valid for `valueBytes[key]`. */
  valueOffset(key: number): number {
    return this.#text + (Math.imul(key, 0x9e3779b1) >>> 16);
  }

  /** Room that `composeGet` needs. */
  getBytes(keysPerGet: number): number {
    return 3 + keysPerGet * this.#pieceBytes + 2 + STEP_BYTES;
  }

  /** Writes `get k1 … kn\r\n` for the keys ring[first], ring[first + 1], … (indices under `mask`); returns its end. */
  composeGet(target: number, ring: Int32Array, first: number, mask: number, count: number): number {
    const view = this.#view;
    view.setInt32(target, 0x20746567, true); // "get "
    let at = target + 3;
    for (let index = 0; index < count; index++) {
      at = this.#piece(at, ring[(first + index) & mask]!, this.#pieceBytes);
    }
    view.setInt16(at, 0x0a0d, true);
    return at + 2;
  }

  /** Room that `composeSetHead` needs. */
  setHeadBytes(): number {
    return 3 + this.plan.keyBytes + 32 + STEP_BYTES;
  }

  /** Writes `set key 0 0 bytes\r\n`; the value and `\r\n` follow. Returns its end. */
  composeSetHead(target: number, key: number): number {
    const view = this.#view;
    view.setInt32(target, 0x20746573, true); // "set "
    let at = this.#piece(target + 3, key, this.plan.keyBytes + 4); // " key 0 "
    view.setInt16(at, 0x2030, true); // "0 "
    at += 2;
    const tail = this.headOffset(key) + VALUE_WORD.length + this.plan.keyBytes + 3;
    const bytes = this.headBytes[key]! - (VALUE_WORD.length + this.plan.keyBytes + 3);
    for (let index = 0; index < bytes; index++) this.#u8[at + index] = this.#u8[tail + index]!;
    return at + bytes;
  }

  /** Copies bytes of the key space within the arena. */
  copy(target: number, source: number, bytes: number): void {
    if (bytes >= NATIVE_BYTES_MIN) {
      this.#u8.copyWithin(target, source, source + bytes);
      return;
    }
    const view = this.#view;
    for (let index = 0; index < bytes; index += STEP_BYTES) {
      view.setFloat64(target + index, view.getFloat64(source + index, true), true);
    }
  }

  /** Whether `bytes` received bytes are those of the key space at `expected`. */
  equals(received: number, expected: number, bytes: number): boolean {
    if (bytes >= NATIVE_BYTES_MIN) {
      return this.#node.compare(this.#node, expected, expected + bytes, received, received + bytes) === 0;
    }
    if (bytes < STEP_BYTES) return this.#equalsShort(received, expected, bytes);
    const view = this.#view;
    const last = bytes - STEP_BYTES;
    for (let index = 0; index < last; index += STEP_BYTES) {
      if (view.getFloat64(received + index, true) !== view.getFloat64(expected + index, true)) return false;
    }
    return view.getFloat64(received + last, true) === view.getFloat64(expected + last, true);
  }

  #equalsShort(received: number, expected: number, bytes: number): boolean {
    for (let index = 0; index < bytes; index++) {
      if (this.#u8[received + index] !== this.#u8[expected + index]) return false;
    }
    return true;
  }

  /** Copies the bytes of a key's head from the blank before the key on; may write a step too far. */
  #piece(at: number, key: number, bytes: number): number {
    const view = this.#view;
    const source = this.headOffset(key) + VALUE_WORD.length - 1;
    for (let index = 0; index < bytes; index += STEP_BYTES) {
      view.setFloat64(at + index, view.getFloat64(source + index, true), true);
    }
    return at + bytes;
  }

  #writeHeads(): void {
    const { keys, keyBytes } = this.plan;
    const prefix = `${VALUE_WORD}${'k'.repeat(keyBytes - DIGITS)}`;
    const blank = Buffer.from(prefix, 'latin1');
    const tails = new Map<number, Buffer>();
    for (let key = 0; key < keys; key++) {
      let at = this.headOffset(key);
      this.#u8.set(blank, at);
      at += blank.length;
      for (let digit = DIGITS - 1, rest = key; digit >= 0; digit--, rest = Math.floor(rest / 10)) {
        this.#u8[at + digit] = 48 + (rest % 10);
      }
      at += DIGITS;
      const size = this.valueBytes[key]!;
      let tail = tails.get(size);
      if (tail === undefined) {
        tail = Buffer.from(` 0 ${size}\r\n`, 'latin1');
        tails.set(size, tail);
      }
      this.#u8.set(tail, at);
      this.headBytes[key] = blank.length + DIGITS + tail.length;
      // A fixed filler, not old memory: a step may read past the head, and must find ASCII there.
      this.#u8.fill(0x20, at + tail.length, this.headOffset(key) + this.#stride);
    }
  }
}

function strideOf(plan: KeySpacePlan): number {
  const head = VALUE_WORD.length + plan.keyBytes + 3 + String(largestSize(plan.sizes)).length + 2;
  return Math.ceil((head + STEP_BYTES) / STEP_BYTES) * STEP_BYTES;
}

function textBytes(plan: KeySpacePlan): number {
  return Math.ceil((VALUE_STARTS + largestSize(plan.sizes) + STEP_BYTES) / STEP_BYTES) * STEP_BYTES;
}

function assertPlan(plan: KeySpacePlan): void {
  if (!(plan.keys >= 1 && plan.keys <= KEYS_MAX))
    throw new BenchError('USAGE', `keys must be 1 to ${KEYS_MAX}`);
  if (!(plan.keyBytes >= KEY_BYTES_MIN && plan.keyBytes <= KEY_BYTES_MAX)) {
    throw new BenchError('USAGE', `key lengths must be ${KEY_BYTES_MIN} to ${KEY_BYTES_MAX} bytes`);
  }
}
