/** Arena memory for tests, and a connection that keeps what was sent. */
import { Arena, MIB, PageTable, SlabAllocator, SlabClasses } from '@larder/datapath';
import type { SendTarget } from '../index.ts';

export function makeAllocator(pages: number = 16): SlabAllocator {
  const arena = Arena.portable((pages + 1) * MIB);
  const allocator = new SlabAllocator(new PageTable(arena, 64, 1), 64 * 1024, 1, new SlabClasses());
  allocator.setPageLimit(pages);
  return allocator;
}

/** A buffer with bytes in the arena: its first byte. */
export function place(allocator: SlabAllocator, bytes: Uint8Array): { owner: number; offset: number } {
  const owner = allocator.allocate(allocator.classFor(bytes.length + 64));
  allocator.arena.u8.set(bytes, owner + 64);
  return { owner, offset: owner + 64 };
}

/** Keeps the parts of what was sent; references stay until `complete`. */
export class RecordingTarget implements SendTarget {
  cursor = 0;
  readonly parts: { readonly kind: 'copied' | 'referenced'; readonly bytes: Uint8Array }[] = [];
  readonly owners: number[] = [];
  readonly #allocator: SlabAllocator;
  readonly #buffer: number;
  #reserved = 0;

  constructor(allocator: SlabAllocator) {
    this.#allocator = allocator;
    this.#buffer = allocator.allocate(allocator.classFor(64 * 1024));
  }

  reserve(): number {
    this.#flush();
    this.#reserved = this.#buffer + 64;
    this.cursor = this.#reserved;
    return this.#reserved;
  }

  copy(offset: number, bytes: number): void {
    this.#flush();
    this.parts.push({ kind: 'copied', bytes: this.#allocator.arena.u8.slice(offset, offset + bytes) });
  }

  writeBytes(bytes: Uint8Array): void {
    this.#flush();
    this.parts.push({ kind: 'copied', bytes: bytes.slice() });
  }

  reference(offset: number, bytes: number, owner: number): void {
    this.#flush();
    this.parts.push({ kind: 'referenced', bytes: this.#allocator.arena.u8.subarray(offset, offset + bytes) });
    this.owners.push(owner);
  }

  /** Everything that was sent, joined. */
  take(): Uint8Array {
    this.#flush();
    const joined = Buffer.concat(this.parts.map(({ bytes }) => bytes));
    this.parts.length = 0;
    return new Uint8Array(joined);
  }

  close(): void {
    this.#allocator.release(this.#buffer);
  }

  #flush(): void {
    if (this.cursor > this.#reserved) {
      const bytes = this.#allocator.arena.u8.slice(this.#reserved, this.cursor);
      this.parts.push({ kind: 'copied', bytes });
    }
    this.#reserved = this.cursor;
  }
}
