/** The buffer that a transport reads into: another one when a handler holds what was read before. */
import { DatapathError } from '../errors.ts';
import { BUFFER_HEADER_BYTES } from '../memory/buffer-pool.ts';
import type { SlabAllocator } from '../memory/slab-allocator.ts';

export class ReceiveBuffer {
  /** Arena offset of its first byte. */
  offset: number;
  readonly #allocator: SlabAllocator;
  readonly #class: number;

  /** Throws `ENOMEM` when the allocator has no room for it. */
  constructor(allocator: SlabAllocator, bytes: number) {
    this.#allocator = allocator;
    this.#class = allocator.classFor(bytes + BUFFER_HEADER_BYTES);
    const chunk = allocator.allocate(this.#class);
    if (chunk === 0) throw new DatapathError('ENOMEM', 'transport', 'no memory to receive into');
    this.offset = chunk + BUFFER_HEADER_BYTES;
  }

  /** Whether it may be written to; when it is held, another one takes its place unless memory is exhausted. */
  prepare(): boolean {
    const held = this.offset - BUFFER_HEADER_BYTES;
    if (this.#allocator.references(held) === 1) return true;
    const chunk = this.#allocator.allocate(this.#class);
    if (chunk === 0) return false;
    this.#allocator.release(held);
    this.offset = chunk + BUFFER_HEADER_BYTES;
    return true;
  }

  close(): void {
    this.#allocator.release(this.offset - BUFFER_HEADER_BYTES);
  }
}
