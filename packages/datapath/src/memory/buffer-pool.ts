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
  readonly #free: number[] = [];
  readonly #keep: number;

  /** Keeps at most `keep` unused buffers; more are given back to the allocator. */
  constructor(allocator: SlabAllocator, bytes: number, keep: number) {
    this.bytes = bytes;
    this.#allocator = allocator;
    this.#class = allocator.classFor(bytes + BUFFER_HEADER_BYTES);
    this.#keep = keep;
  }

  /** A buffer of `bytes` bytes, owned by the caller; 0 when memory is exhausted. */
  take(): number {
    const offset = this.#free.pop();
    if (offset !== undefined) return offset;
    const chunk = this.#allocator.allocate(this.#class);
    return chunk === 0 ? 0 : chunk + BUFFER_HEADER_BYTES;
  }

  /** Gives a buffer back. */
  give(offset: number): void {
    if (this.#free.length < this.#keep) this.#free.push(offset);
    else this.#allocator.release(offset - BUFFER_HEADER_BYTES);
  }

  /** Gives all unused buffers back to the allocator. */
  drain(): void {
    for (const offset of this.#free) this.#allocator.release(offset - BUFFER_HEADER_BYTES);
    this.#free.length = 0;
  }
}
