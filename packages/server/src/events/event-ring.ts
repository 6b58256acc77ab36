/**
 * A broadcast ring in shared memory: one writer (a worker), any number of readers (workers that have
 * watchers), each with its own cursor. The writer never waits; a reader that falls more than the ring behind
 * has lost records and is told so.
 *
 * ```
 *   words   [0 reserved][1 written][bytes of the ring ...]
 *   record  [category mask u32][text bytes u32][text, padded to 4 bytes]      (a record may wrap)
 * ```
 *
 * Positions only grow and wrap as 32-bit integers. The writer announces a record in `reserved` before it
 * touches its bytes and in `written` after: a reader copies a record and then looks at `reserved` once more,
 * to see whether the bytes were being replaced meanwhile.
 */
import { EVENT_RING_BYTES } from '../limits.ts';

const RESERVED = 0;
const WRITTEN = 1;
const HEADER_WORDS = 2;
const RECORD_HEADER_BYTES = 8;
const MASK = EVENT_RING_BYTES - 1;
/** The longest text of one record; longer ones are cut. */
export const EVENT_TEXT_BYTES_MAX: number = 2048;

export const EVENT_RING_TOTAL_BYTES: number = HEADER_WORDS * 4 + EVENT_RING_BYTES;

class RingMemory {
  readonly words: Int32Array;
  readonly bytes: Uint8Array;

  constructor(buffer: SharedArrayBuffer, byteOffset: number) {
    this.words = new Int32Array(buffer, byteOffset, HEADER_WORDS);
    this.bytes = new Uint8Array(buffer, byteOffset + HEADER_WORDS * 4, EVENT_RING_BYTES);
  }

  writeU32(position: number, value: number): void {
    const at = position & MASK;
    // Records are aligned to 4 bytes and so is the ring's length: a word never wraps.
    this.bytes[at] = value & 0xff;
    this.bytes[at + 1] = (value >>> 8) & 0xff;
    this.bytes[at + 2] = (value >>> 16) & 0xff;
    this.bytes[at + 3] = value >>> 24;
  }

  readU32(position: number): number {
    const at = position & MASK;
    const bytes = this.bytes;
    return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
  }
}

function padded(bytes: number): number {
  return (bytes + 3) & ~3;
}

export class EventWriter {
  readonly #ring: RingMemory;

  constructor(buffer: SharedArrayBuffer, byteOffset: number) {
    this.#ring = new RingMemory(buffer, byteOffset);
  }

  /** Appends a record. `text` is Latin-1 (one byte a character). */
  write(category: number, text: string): void {
    const ring = this.#ring;
    const length = Math.min(text.length, EVENT_TEXT_BYTES_MAX);
    const start = ring.words[WRITTEN]!;
    const end = (start + RECORD_HEADER_BYTES + padded(length)) | 0;
    Atomics.store(ring.words, RESERVED, end);
    ring.writeU32(start, category);
    ring.writeU32(start + 4, length);
    for (let index = 0; index < length; index++) {
      ring.bytes[(start + RECORD_HEADER_BYTES + index) & MASK] = text.charCodeAt(index);
    }
    Atomics.store(ring.words, WRITTEN, end);
  }
}

export class EventReader {
  readonly #ring: RingMemory;
  #cursor: number;

  /** Starts behind everything written so far. */
  constructor(buffer: SharedArrayBuffer, byteOffset: number) {
    this.#ring = new RingMemory(buffer, byteOffset);
    this.#cursor = Atomics.load(this.#ring.words, WRITTEN);
  }

  /** Moves the cursor behind everything written so far. */
  skipAll(): void {
    this.#cursor = Atomics.load(this.#ring.words, WRITTEN);
  }

  /**
   * Gives every record written since the last call to `onRecord`. Returns whether records were lost because
   * the writer lapped this reader.
   */
  read(onRecord: (category: number, text: string) => void): boolean {
    const ring = this.#ring;
    for (;;) {
      const written = Atomics.load(ring.words, WRITTEN);
      if (this.#cursor === written) return false;
      if (this.#lapped()) break;
      const category = ring.readU32(this.#cursor);
      const length = Math.min(ring.readU32(this.#cursor + 4), EVENT_TEXT_BYTES_MAX);
      const text = this.#text(this.#cursor + RECORD_HEADER_BYTES, length);
      if (this.#lapped()) break;
      this.#cursor = (this.#cursor + RECORD_HEADER_BYTES + padded(length)) | 0;
      onRecord(category, text);
    }
    this.skipAll();
    return true;
  }

  #lapped(): boolean {
    return ((Atomics.load(this.#ring.words, RESERVED) - this.#cursor) | 0) > EVENT_RING_BYTES;
  }

  #text(position: number, length: number): string {
    const start = position & MASK;
    const end = start + length;
    const bytes = this.#ring.bytes;
    if (end <= EVENT_RING_BYTES) return latin1(bytes.subarray(start, end));
    return latin1(bytes.subarray(start)) + latin1(bytes.subarray(0, end - EVENT_RING_BYTES));
  }
}

/** A copy is decoded: another thread may write to the ring meanwhile. */
function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
