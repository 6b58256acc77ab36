/**
 * The memory of the sweep's server, laid out as the store of a key-value server is: buffers that are counted, and
 * entries that say where they lie.
 *
 * ```
 *   entries of a size   [offset, bytes][offset, bytes] ...     neighbours here are far apart in memory
 *   buffers             [references][-][-][-][bytes ...]       several last-level caches of each size
 * ```
 */
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
import { BenchError } from '../errors.ts';
import { CHUNK_HEADER_BYTES } from '../serialization/store/kv-store.ts';
import { BUFFER_SIZES } from './shapes.ts';

const NETWORK_BYTES: number = 64 * MIB;
const STATE_OFFSET: number = 512 * 1024;
const PAIR_BYTES = 8;
/** What rounding up to slab classes adds at most. */
const SLAB_WASTE = 1.15;

/** The buffers of one size: `count` (offset, bytes) pairs from word `first` of the arena on. */
export interface SizeEntries {
  readonly first: number;
  readonly count: number;
}

export class SweepMemory {
  readonly arena: Arena;
  readonly allocator: SlabAllocator;
  readonly #entries: ReadonlyMap<number, SizeEntries>;

  constructor(bytesPerSize: number) {
    const counts = BUFFER_SIZES.map((bytes) => Math.floor(bytesPerSize / (bytes + CHUNK_HEADER_BYTES)));
    const entryBytes = pageAligned(counts.reduce((sum, count) => sum + count * PAIR_BYTES, 0));
    const total = pageAligned(BUFFER_SIZES.length * bytesPerSize * SLAB_WASTE) + NETWORK_BYTES;
    // As the store of the serialization benchmark has them.
    this.arena = mapArena(PAGE_BYTES + entryBytes + total, { hugePages: true }).arena;
    const pages = new PageTable(this.arena, 4096, 1 + entryBytes / PAGE_BYTES);
    this.allocator = new SlabAllocator(pages, STATE_OFFSET, 1, new SlabClasses());
    this.allocator.setPageLimit(total / PAGE_BYTES);
    let first = PAGE_BYTES / 4;
    this.#entries = new Map(
      BUFFER_SIZES.map((bytes, index) => {
        const entries = { first, count: counts[index]! };
        this.#fill(bytes, entries);
        first += (entries.count * PAIR_BYTES) / 4;
        return [bytes, entries];
      }),
    );
  }

  #fill(bytes: number, { first, count }: SizeEntries): void {
    const { i32, u8 } = this.arena;
    const slabClass = this.allocator.classFor(bytes + CHUNK_HEADER_BYTES);
    for (let index = 0; index < count; index++) {
      const chunk = this.allocator.allocate(slabClass);
      if (chunk === 0) throw new BenchError('SERVER', `no memory for ${count} buffers of ${bytes} bytes`);
      const offset = chunk + CHUNK_HEADER_BYTES;
      u8.fill(index, offset, offset + bytes);
      const pair = first + 2 * scattered(index, count);
      i32[pair] = offset;
      i32[pair + 1] = bytes;
    }
  }

  /** The buffers of one size. */
  entriesOf(bytes: number): SizeEntries | undefined {
    return this.#entries.get(bytes);
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
