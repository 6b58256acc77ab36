/**
 * The reference counts of an allocator that one thread alone uses. An atomic addition waits until the cache line
 * that it changes has come from memory, some 100 ns for a buffer that nobody looked at lately; a plain one lets
 * the processor go on. Where every buffer of a message is counted, that is most of what a reference costs.
 */
import type { Arena } from './arena.ts';
import type { SlabAllocator } from './slab-allocator.ts';

export class SoloCounts {
  readonly arena: Arena;
  readonly #allocator: SlabAllocator;
  readonly #i32: Int32Array;

  /** No other thread may retain or release chunks of the allocator. */
  constructor(allocator: SlabAllocator) {
    this.arena = allocator.arena;
    this.#allocator = allocator;
    this.#i32 = allocator.arena.i32;
  }

  /** The chunk that some bytes lie in, -1 when they lie in none: see SlabAllocator. */
  recover(pointer: number | Uint8Array, bytes: number = 1): number {
    return this.#allocator.recover(pointer, bytes);
  }

  references(chunk: number): number {
    return this.#i32[chunk / 4]!;
  }

  retain(chunk: number): void {
    this.#i32[chunk / 4]!++;
  }

  /** Drops a reference; the last one frees the chunk. Returns whether it did. */
  release(chunk: number): boolean {
    const left = this.#i32[chunk / 4]! - 1;
    if (left !== 0) {
      this.#i32[chunk / 4] = left;
      return false;
    }
    this.#allocator.free(chunk);
    return true;
  }

  chunkBytesOf(chunk: number): number {
    return this.#allocator.chunkBytesOf(chunk);
  }

  classFor(bytes: number): number {
    return this.#allocator.classFor(bytes);
  }

  allocate(slabClass: number): number {
    return this.#allocator.allocate(slabClass);
  }
}
