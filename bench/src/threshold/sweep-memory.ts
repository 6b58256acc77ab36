/** The memory of the sweep's server: for every buffer size as many counted buffers as a few caches hold. */
import {
  type Arena,
  MIB,
  mapArena,
  PAGE_BYTES,
  PageTable,
  pageAligned,
  SlabAllocator,
  SlabClasses,
} from '@larder/datapath';
import { CHUNK_HEADER_BYTES } from '../serialization/store/kv-store.ts';
import { BUFFER_SIZES } from './shapes.ts';

const NETWORK_BYTES: number = 64 * MIB;
const STATE_OFFSET: number = 512 * 1024;

export class SweepMemory {
  readonly arena: Arena;
  readonly allocator: SlabAllocator;
  /** Offsets of the buffers, by size, in an order that memory does not have. */
  readonly #buffers = new Map<number, Int32Array>();

  constructor(bytesPerSize: number) {
    const classes = new SlabClasses();
    const total = pageAligned(BUFFER_SIZES.length * bytesPerSize * 1.15) + NETWORK_BYTES;
    this.arena = mapArena(total + PAGE_BYTES).arena;
    this.allocator = new SlabAllocator(new PageTable(this.arena, 4096, 1), STATE_OFFSET, 1, classes);
    this.allocator.setPageLimit(total / PAGE_BYTES);
    for (const bytes of BUFFER_SIZES) this.#buffers.set(bytes, this.#fill(bytes, bytesPerSize));
  }

  #fill(bytes: number, total: number): Int32Array {
    const count = Math.floor(total / (bytes + CHUNK_HEADER_BYTES));
    const offsets = new Int32Array(count);
    const slabClass = this.allocator.classFor(bytes + CHUNK_HEADER_BYTES);
    for (let index = 0; index < count; index++) {
      const offset = this.allocator.allocate(slabClass) + CHUNK_HEADER_BYTES;
      this.arena.u8.fill(index, offset, offset + bytes);
      // Neighbours in memory are far apart in the list.
      offsets[scattered(index, count)] = offset;
    }
    return offsets;
  }

  /** The buffers of one size. */
  buffersOf(bytes: number): Int32Array | undefined {
    return this.#buffers.get(bytes);
  }
}

/** A permutation of 0..count-1: an odd multiplier modulo a power of two, walked until inside. */
function scattered(index: number, count: number): number {
  const mask = 2 ** Math.ceil(Math.log2(Math.max(2, count))) - 1;
  let place = index;
  do place = (Math.imul(place, 0x9e3779b1) + 0x7f4a7c15) & mask;
  while (place >= count);
  return place;
}
