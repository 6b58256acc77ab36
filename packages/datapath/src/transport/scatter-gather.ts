/**
 * Output that has not been taken by the kernel, as a list of parts: copied bytes in send buffers, and
 * references into memory that someone else owns.
 *
 * ```
 *   entry = [offset][bytes][tag]       tag ≥ 0    a reference; the tag is its owner
 *                                      tag = -1   copied; more of the same send buffer follows
 *                                      tag < -1   copied; the last part of the send buffer at offset -tag
 *                                      tag < -OBJECTS   bytes of their own, of number -OBJECTS - tag; the offset is in them
 * ```
 *
 * The entries lie in one growing ring of numbers. What was sent is consumed from the front, across part
 * boundaries; whoever owns a part hears of it exactly once, when its last byte is gone or the list is
 * cleared.
 */
import { IOVEC_WORDS, putIovec } from '../sys/messages.ts';

const STRIDE = 3;
const ENTRIES_INITIAL = 16;
/** The tag of copied bytes whose send buffer is still in use. */
export const COPIED: number = -1;
/** Above all arena offsets. */
const OBJECTS = 2 ** 40;

/** Hears what is no longer needed. */
export interface ReleaseSink {
  releaseOwner(owner: number): void;
  releaseBuffer(buffer: number): void;
}

export class ScatterGatherQueue {
  /** Parts in the list. */
  count = 0;
  /** Bytes in the list. */
  bytes = 0;
  /** Bytes of the parts that the last `fill` wrote. */
  filledBytes = 0;
  /** Bytes outside of the arena, for the transport that can send them. */
  #objects: Map<number, Uint8Array> | null = null;
  #nextObject = 1;
  #entries: Float64Array = new Float64Array(ENTRIES_INITIAL * STRIDE);
  #mask = ENTRIES_INITIAL - 1;
  #head = 0;

  push(offset: number, bytes: number, tag: number): void {
    if (this.count > this.#mask) this.#grow();
    const index = ((this.#head + this.count) & this.#mask) * STRIDE;
    const entries = this.#entries;
    entries[index] = offset;
    entries[index + 1] = bytes;
    entries[index + 2] = tag;
    this.count++;
    this.bytes += bytes;
  }

  /** Bytes outside of the arena, which must stay as they are until they are sent. */
  pushObject(bytes: Uint8Array): void {
    this.#objects ??= new Map();
    this.#objects.set(this.#nextObject, bytes);
    this.push(0, bytes.length, -OBJECTS - this.#nextObject++);
  }

  /** Takes sent bytes off the front and reports parts that are through; returns bytes beyond the list. */
  consume(sent: number, sink: ReleaseSink): number {
    const entries = this.#entries;
    let left = sent;
    while (this.count > 0) {
      const index = this.#head * STRIDE;
      const bytes = entries[index + 1]!;
      if (bytes > left) {
        entries[index] = entries[index]! + left;
        entries[index + 1] = bytes - left;
        this.bytes -= left;
        return 0;
      }
      left -= bytes;
      this.bytes -= bytes;
      this.#head = (this.#head + 1) & this.#mask;
      this.count--;
      const tag = entries[index + 2]!;
      if (tag >= 0) sink.releaseOwner(tag);
      else if (tag < -OBJECTS) this.#objects!.delete(-OBJECTS - tag);
      else if (tag !== COPIED) sink.releaseBuffer(-tag);
    }
    return left;
  }

  /**
   * Writes iovecs for the first parts, at most `entriesMax`, to words[index...]; `address` is that of offset
   * 0. Returns how many; `filledBytes` is their sum.
   */
  fill(words: Int32Array, index: number, address: number, entriesMax: number): number {
    const entries = this.#entries;
    let written = 0;
    let sum = 0;
    for (let part = 0; part < this.count && written < entriesMax; part++) {
      const entry = ((this.#head + part) & this.#mask) * STRIDE;
      const bytes = entries[entry + 1]!;
      if (bytes === 0) continue;
      putIovec(words, index + written * IOVEC_WORDS, address + entries[entry]!, bytes);
      sum += bytes;
      written++;
    }
    this.filledBytes = sum;
    return written;
  }

  /** The bytes of a part when they do not lie in the arena. */
  objectAt(part: number): Uint8Array | undefined {
    if (this.#objects === null) return undefined;
    return this.#objects.get(-OBJECTS - this.#entries[((this.#head + part) & this.#mask) * STRIDE + 2]!);
  }

  /** Offset, bytes and owner (negative for copied bytes) of a part, for transports without iovecs. */
  offsetAt(part: number): number {
    return this.#entries[((this.#head + part) & this.#mask) * STRIDE]!;
  }

  bytesAt(part: number): number {
    return this.#entries[((this.#head + part) & this.#mask) * STRIDE + 1]!;
  }

  /** Whether a part lies in a send buffer, and is not a reference. */
  isCopied(part: number): boolean {
    return this.#entries[((this.#head + part) & this.#mask) * STRIDE + 2]! < 0;
  }

  /** The length of the longest referenced part among the first `entriesMax`. */
  longestReference(entriesMax: number): number {
    let longest = 0;
    const last = Math.min(this.count, entriesMax);
    for (let part = 0; part < last; part++) {
      const index = ((this.#head + part) & this.#mask) * STRIDE;
      if (this.#entries[index + 2]! >= 0) longest = Math.max(longest, this.#entries[index + 1]!);
    }
    return longest;
  }

  /** Drops everything and reports every part. */
  clear(sink: ReleaseSink): void {
    this.consume(this.bytes, sink);
  }

  #grow(): void {
    const capacity = this.#mask + 1;
    const next = new Float64Array(capacity * 2 * STRIDE);
    for (let part = 0; part < this.count; part++) {
      const index = ((this.#head + part) & this.#mask) * STRIDE;
      next.set(this.#entries.subarray(index, index + STRIDE), part * STRIDE);
    }
    this.#entries = next;
    this.#mask = capacity * 2 - 1;
    this.#head = 0;
  }
}
