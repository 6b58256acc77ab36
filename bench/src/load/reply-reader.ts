/**
 * What one connection has asked for, and the state machine that checks every byte of the answers against it.
 *
 * The stream of replies may be split anywhere. Values are checked as they arrive; only an incomplete line is
 * left to be given again with what follows it.
 *
 * ```
 *   get   ┌──────────────────────────────┐
 *         ▼                              │
 *       line ── VALUE key 0 n ──▶ value ─┘      set   line ── STORED ──▶ answered
 *         └──── END ──▶ answered
 * ```
 */
import { BenchError } from '../errors.ts';
import type { KeySpace } from './key-space.ts';

export const GET = 1;
export const SET = 2;

const LF = 10;
const CR = 13;
const E = 69;
const V = 86;
const END_BYTES = 5;
const STORED_BYTES = 8;
const STORED_LOW = 0x524f5453; // "STOR"
const STORED_HIGH = 0x0a0d4445; // "ED\r\n"
const ND_CR_LF = 0x0a0d444e; // "ND\r\n"
const LINE_BYTES_MAX = 1024;

/** Told about every answered request, in the order in which they were asked. */
export interface ReplySink {
  /** `dueMs` is what was given to `expect`; `misses` of the `keys` asked for had no value. */
  answered(dueMs: number, keys: number, misses: number): void;
}

export class ReplyReader {
  readonly #space: KeySpace;
  readonly #sink: ReplySink;
  readonly #missesAllowed: boolean;
  readonly #anyOrder: boolean;
  readonly #view: DataView;
  readonly #u8: Uint8Array;
  /** Rings of what was asked: requests, and the keys of all requests one after another. */
  readonly keys: Int32Array;
  readonly keyMask: number;
  /** Where the next request's keys begin in `keys` (under `keyMask`). */
  keyNext = 0;
  readonly #operations: Uint8Array;
  readonly #counts: Int32Array;
  readonly #due: Float64Array;
  readonly #mask: number;
  #first = 0;
  #next = 0;
  #keyFirst = 0;
  /** Progress in the first request: keys passed, misses among them, and bytes of the current value checked, or -1. */
  #passed = 0;
  #misses = 0;
  #checked = -1;

  /** Room for `requests` requests of up to `keysPerRequest` keys. */
  constructor(
    space: KeySpace,
    sink: ReplySink,
    requests: number,
    keysPerRequest: number,
    missesAllowed: boolean,
    anyOrder: boolean = false,
  ) {
    this.#space = space;
    this.#sink = sink;
    this.#missesAllowed = missesAllowed;
    this.#anyOrder = anyOrder;
    this.#view = space.arena.view;
    this.#u8 = space.arena.u8;
    const slots = powerOfTwo(requests);
    this.keys = new Int32Array(powerOfTwo(slots * keysPerRequest));
    this.keyMask = this.keys.length - 1;
    this.#operations = new Uint8Array(slots);
    this.#counts = new Int32Array(slots);
    this.#due = new Float64Array(slots);
    this.#mask = slots - 1;
  }

  /** Requests not answered yet. */
  get outstanding(): number {
    return this.#next - this.#first;
  }

  /** Notes a request; its `count` keys are at `keyNext` in `keys` already. */
  expect(operation: number, count: number, dueMs: number): void {
    const slot = this.#next++ & this.#mask;
    this.#operations[slot] = operation;
    this.#counts[slot] = count;
    this.#due[slot] = dueMs;
    this.keyNext = (this.keyNext + count) & this.keyMask;
  }

  /** Checks the bytes [start, end) of the arena; returns the offset up to which they are done with. */
  read(start: number, end: number): number {
    let at = start;
    while (at < end) {
      if (this.#first === this.#next) this.#fail('bytes that nobody asked for', at, end);
      const slot = this.#first & this.#mask;
      const next =
        this.#operations[slot] === GET ? this.#readGet(at, end, slot) : this.#readSet(at, end, slot);
      if (next < 0) return -next;
      at = next;
    }
    return at;
  }

  /** As `read`, but one line or piece of a value; minus the offset when more bytes are needed. */
  #readGet(start: number, end: number, slot: number): number {
    if (this.#checked >= 0) return this.#readValue(start, end);
    const letter = this.#u8[start]!;
    if (letter === V) return this.#readHead(start, end, slot);
    if (letter !== E) this.#fail('not VALUE or END', start, end);
    if (end - start < END_BYTES) return -start;
    if (this.#view.getInt32(start + 1, true) !== ND_CR_LF) this.#fail('not END', start, end);
    const count = this.#counts[slot]!;
    const misses = this.#misses + count - this.#passed;
    if (misses !== 0 && !this.#missesAllowed) this.#fail(`${misses} of ${count} keys missing`, start, end);
    this.#finish(slot, misses);
    return start + END_BYTES;
  }

  #readHead(start: number, end: number, slot: number): number {
    const space = this.#space;
    const count = this.#counts[slot]!;
    if (this.#passed < count) {
      const key = this.keys[(this.#keyFirst + this.#passed) & this.keyMask]!;
      const bytes = space.headBytes[key]!;
      if (end - start >= bytes && space.equals(start, space.headOffset(key), bytes)) {
        this.#checked = 0;
        return start + bytes === end ? end : this.#readValue(start + bytes, end);
      }
    }
    return this.#readUnexpectedHead(start, end, count);
  }

  /** A head that is incomplete, or a later key's because the keys before it are missing. */
  #readUnexpectedHead(start: number, end: number, count: number): number {
    const lineFeed = this.#u8.subarray(start, end).indexOf(LF);
    if (lineFeed === -1) {
      if (end - start > LINE_BYTES_MAX) this.#fail('a line without end', start, end);
      return -start;
    }
    const bytes = lineFeed + 1;
    for (let index = this.#passed + 1; index < count; index++) {
      const key = this.keys[(this.#keyFirst + index) & this.keyMask]!;
      if (this.#space.headBytes[key] !== bytes) continue;
      if (!this.#space.equals(start, this.#space.headOffset(key), bytes)) continue;
      if (this.#anyOrder) {
        // The key trades places with the one that was expected here, which is still to come.
        const expected = (this.#keyFirst + this.#passed) & this.keyMask;
        this.keys[(this.#keyFirst + index) & this.keyMask] = this.keys[expected]!;
        this.keys[expected] = key;
        this.#checked = 0;
        return start + bytes;
      }
      if (!this.#missesAllowed) this.#fail(`${index - this.#passed} keys missing`, start, end);
      this.#misses += index - this.#passed;
      this.#passed = index;
      this.#checked = 0;
      return start + bytes;
    }
    return this.#fail('a value that was not asked for', start, end);
  }

  #readValue(start: number, end: number): number {
    const key = this.keys[(this.#keyFirst + this.#passed) & this.keyMask]!;
    const left = this.#space.valueBytes[key]! - this.#checked;
    const bytes = Math.min(left, end - start);
    if (bytes > 0) {
      if (!this.#space.equals(start, this.#space.valueOffset(key) + this.#checked, bytes)) {
        this.#fail(`wrong value of ${this.#space.keyText(key)} from byte ${this.#checked} on`, start, end);
      }
      this.#checked += bytes;
    }
    const tail = start + bytes;
    if (bytes < left) return tail;
    if (end - tail < 2) return tail === end && bytes > 0 ? tail : -tail;
    if (this.#u8[tail] !== CR || this.#u8[tail + 1] !== LF)
      this.#fail('a value of another length', start, end);
    this.#checked = -1;
    this.#passed++;
    return tail + 2;
  }

  #readSet(start: number, end: number, slot: number): number {
    if (end - start < STORED_BYTES) {
      if (this.#u8[end - 1] === LF) this.#fail('not STORED', start, end);
      return -start;
    }
    if (
      this.#view.getInt32(start, true) !== STORED_LOW ||
      this.#view.getInt32(start + 4, true) !== STORED_HIGH
    ) {
      this.#fail('not STORED', start, end);
    }
    this.#finish(slot, 0);
    return start + STORED_BYTES;
  }

  /** Forgets everything that was asked and not answered. */
  abandon(): void {
    this.#first = this.#next;
    this.#keyFirst = this.keyNext;
    this.#passed = 0;
    this.#misses = 0;
    this.#checked = -1;
  }

  #finish(slot: number, misses: number): void {
    const count = this.#counts[slot]!;
    this.#keyFirst = (this.#keyFirst + count) & this.keyMask;
    this.#passed = 0;
    this.#misses = 0;
    this.#first++;
    this.#sink.answered(this.#due[slot]!, count, misses);
  }

  #fail(text: string, start: number, end: number): never {
    const excerpt = this.#space.arena.node.toString('latin1', start, Math.min(end, start + 96));
    throw new BenchError('REPLY', `${text}: ${JSON.stringify(excerpt)}`);
  }
}

function powerOfTwo(count: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, count)));
}
