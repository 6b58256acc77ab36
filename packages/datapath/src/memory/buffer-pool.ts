/**
 * Equal buffers for receiving and sending, taken from a slab allocator and kept in a last-in-first-out stack,
 * so that the buffer used next is the one most likely still in the CPU's cache. One pool per thread.
 */
import type { SlabAllocator } from './slab-allocator.ts';

/** Bytes between the start of a chunk and the buffer in it: the chunk's reference count, padded to a cache line. */
export const BUFFER_HEADER_BYTES: number = 64;

export class BufferPool {
  /** Usable bytes of one buffer. */
  readonly bytes: number;
  readonly #allocator: SlabAllocator;
  readonly #class: number;
  /** A stack in memory of its own: an array would give memory away and take it again as it shrinks and grows. */
  readonly #free: Float64Array;
  #freeCount = 0;

  /** Keeps at most `keep` unused buffers; more are given back to the allocator. */
  constructor(allocator: SlabAllocator, bytes: number, keep: number) {
    this.bytes = bytes;
    this.#allocator = allocator;
    this.#class = allocator.classFor(bytes + BUFFER_HEADER_BYTES);
    this.#free = new Float64Array(keep);
  }

  /** A buffer of `bytes` bytes, owned by the caller; 0 when memory is exhausted. */
  take(): number {
    if (this.#freeCount > 0) return this.#free[--this.#freeCount]!;
    const chunk = this.#allocator.allocate(this.#class);
    return chunk === 0 ? 0 : chunk + BUFFER_HEADER_BYTES;
  }

  /** Gives a buffer back. */
  give(offset: number): void {
    if (this.#freeCount < this.#free.length) this.#free[this.#freeCount++] = offset;
    else this.#allocator.release(offset - BUFFER_HEADER_BYTES);
  }

  /** Whether someone else holds a reference to the buffer, so that it must not be written to again. */
  isHeld(offset: number): boolean {
    return this.#allocator.references(offset - BUFFER_HEADER_BYTES) !== 1;
  }

  /** Gives back a buffer that someone may still hold. */
  letGo(offset: number): void {
    if (this.isHeld(offset)) this.#allocator.release(offset - BUFFER_HEADER_BYTES);
    else this.give(offset);
  }

  /** Gives all unused buffers back to the allocator. */
  drain(): void {
    while (this.#freeCount > 0) this.#allocator.release(this.#free[--this.#freeCount]! - BUFFER_HEADER_BYTES);
  }
}
