/**
 * `stats detail` for all workers: gets, hits, sets and deletes by key prefix, in a hash table in shared
 * memory with linear probing. A bounded number of prefixes is kept, so that random keys cannot fill the
 * memory; what comes after that is counted under no prefix at all.
 *
 * ```
 *   slot   [get][hit][set][delete] (i64)  [state: 0 empty, 1 used][prefix bytes][prefix …]
 * ```
 *
 * Slots are taken under one lock and never given back except by `clear`; counts are atomic adds.
 */
import type { DetailStatistics } from '../session/statistics-source.ts';
import { Control } from '../workers/control.ts';

/** A power of two; three quarters of them are used at most. */
const SLOTS = 4096;
const PREFIXES_MAX = SLOTS * 0.75;
const PREFIX_BYTES_MAX = 250;
const SLOT_BYTES = 296;
const COUNTS = 4;
const STATE_WORD = 8;
const LENGTH_WORD = 9;
const TEXT_BYTE = 40;

export const DETAIL_TABLE_BYTES: number = SLOTS * SLOT_BYTES;

const GET = 0;
const HIT = 1;
const SET = 2;
const DELETE = 3;

export class DetailTable implements DetailStatistics {
  readonly #control: Int32Array;
  readonly #words: Int32Array;
  readonly #counts: BigInt64Array;
  readonly #bytes: Uint8Array;

  constructor(buffer: SharedArrayBuffer, byteOffset: number, control: Int32Array) {
    this.#control = control;
    this.#words = new Int32Array(buffer, byteOffset, DETAIL_TABLE_BYTES / 4);
    this.#counts = new BigInt64Array(buffer, byteOffset, DETAIL_TABLE_BYTES / 8);
    this.#bytes = new Uint8Array(buffer, byteOffset, DETAIL_TABLE_BYTES);
  }

  get enabled(): boolean {
    return this.#control[Control.detail] !== 0;
  }

  set enabled(enabled: boolean) {
    Atomics.store(this.#control, Control.detail, enabled ? 1 : 0);
  }

  recordGet(prefix: string, hit: boolean): void {
    const slot = this.#slot(prefix);
    if (slot < 0) return;
    this.#add(slot, GET);
    if (hit) this.#add(slot, HIT);
  }

  recordSet(prefix: string): void {
    const slot = this.#slot(prefix);
    if (slot >= 0) this.#add(slot, SET);
  }

  recordDelete(prefix: string): void {
    const slot = this.#slot(prefix);
    if (slot >= 0) this.#add(slot, DELETE);
  }

  clear(): void {
    this.#lock();
    this.#bytes.fill(0);
    Atomics.store(this.#control, Control.detailPrefixes, 0);
    this.#unlock();
  }

  *dump(): Iterable<string> {
    for (let slot = 0; slot < SLOTS; slot++) {
      if (!this.#isUsed(slot)) continue;
      const counts = Array.from(
        { length: COUNTS },
        (_, index) => this.#counts[this.#countIndex(slot) + index],
      );
      yield `PREFIX ${this.#prefix(slot)} get ${counts[GET]} hit ${counts[HIT]} set ${counts[SET]} del ${counts[DELETE]}`;
    }
  }

  #add(slot: number, which: number): void {
    Atomics.add(this.#counts, this.#countIndex(slot) + which, 1n);
  }

  /** The slot of a prefix, taken now if it is new; -1 when the table is full. */
  #slot(prefix: string): number {
    const found = this.#find(prefix);
    if (found >= 0 && this.#isUsed(found)) return found;
    this.#lock();
    try {
      return this.#take(prefix);
    } finally {
      this.#unlock();
    }
  }

  /** The slot that holds a prefix, or the empty one where it belongs; -1 when there is neither. */
  #find(prefix: string): number {
    const first = hash(prefix) & (SLOTS - 1);
    for (let step = 0; step < SLOTS; step++) {
      const slot = (first + step) & (SLOTS - 1);
      if (!this.#isUsed(slot) || this.#holds(slot, prefix)) return slot;
    }
    return -1;
  }

  #take(prefix: string): number {
    const slot = this.#find(prefix);
    if (slot < 0 || this.#isUsed(slot)) return slot;
    if (Atomics.load(this.#control, Control.detailPrefixes) >= PREFIXES_MAX) return -1;
    Atomics.add(this.#control, Control.detailPrefixes, 1);
    const length = Math.min(prefix.length, PREFIX_BYTES_MAX);
    const base = slot * SLOT_BYTES;
    this.#words[base / 4 + LENGTH_WORD] = length;
    for (let index = 0; index < length; index++)
      this.#bytes[base + TEXT_BYTE + index] = prefix.charCodeAt(index);
    Atomics.store(this.#words, base / 4 + STATE_WORD, 1);
    return slot;
  }

  #isUsed(slot: number): boolean {
    return Atomics.load(this.#words, (slot * SLOT_BYTES) / 4 + STATE_WORD) === 1;
  }

  #holds(slot: number, prefix: string): boolean {
    const base = slot * SLOT_BYTES;
    const length = Math.min(prefix.length, PREFIX_BYTES_MAX);
    if (this.#words[base / 4 + LENGTH_WORD] !== length) return false;
    for (let index = 0; index < length; index++) {
      if (this.#bytes[base + TEXT_BYTE + index] !== (prefix.charCodeAt(index) & 0xff)) return false;
    }
    return true;
  }

  #prefix(slot: number): string {
    const start = slot * SLOT_BYTES + TEXT_BYTE;
    const length = this.#words[(slot * SLOT_BYTES) / 4 + LENGTH_WORD]!;
    return Buffer.from(this.#bytes.slice(start, start + length)).toString('latin1');
  }

  #countIndex(slot: number): number {
    return (slot * SLOT_BYTES) / 8;
  }

  #lock(): void {
    while (Atomics.compareExchange(this.#control, Control.detailLock, 0, 1) !== 0);
  }

  #unlock(): void {
    Atomics.store(this.#control, Control.detailLock, 0);
  }
}

/** FNV-1a: prefixes are few and the table is bounded, so flooding it gains nothing. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ (text.charCodeAt(index) & 0xff), 0x01000193);
  }
  return value;
}
