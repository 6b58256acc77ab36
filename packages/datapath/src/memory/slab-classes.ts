/**
 * The sizes of the slab classes (papers/nsdi13 6.2): from 64 bytes, growing by 1.07, up to a whole page.
 * Sizes are the exact geometric sequence rounded up to the alignment, so that 64 and 128 are both among them.
 */
import { DatapathError } from '../errors.ts';
import {
  ALIGN_BYTES,
  CHUNK_BYTES_MAX,
  CHUNK_BYTES_MIN,
  PAGE_BYTES,
  SLAB_CLASSES_MAX,
  SLAB_GROWTH,
} from '../limits.ts';

export interface SlabClassOptions {
  readonly growth?: number;
  readonly chunkBytesMin?: number;
}

export class SlabClasses {
  /** Chunk size by class; class 0 is not used, so that 0 can mean none. */
  readonly chunkBytes: Int32Array;
  readonly chunksPerPage: Int32Array;
  /** The largest class. */
  readonly last: number;
  /** Class by size in units of ALIGN_BYTES, rounded up. */
  readonly #bySize: Uint8Array;

  constructor(options: SlabClassOptions = {}) {
    const growth = options.growth ?? SLAB_GROWTH;
    const first = options.chunkBytesMin ?? CHUNK_BYTES_MIN;
    if (!(growth > 1 && growth <= 16)) {
      throw new DatapathError('ARGUMENT', 'slab classes', `growth factor ${growth} is not between 1 and 16`);
    }
    if (!(first >= CHUNK_BYTES_MIN && first <= CHUNK_BYTES_MAX / 2)) {
      throw new DatapathError(
        'ARGUMENT',
        'slab classes',
        `smallest chunk ${first} is not between ${CHUNK_BYTES_MIN} and ${CHUNK_BYTES_MAX / 2}`,
      );
    }
    const sizes = classSizes(first, growth);
    this.last = sizes.length - 1;
    this.chunkBytes = Int32Array.from(sizes);
    this.chunksPerPage = Int32Array.from(sizes, (bytes) =>
      bytes === 0 ? 0 : Math.floor(PAGE_BYTES / bytes),
    );
    this.#bySize = new Uint8Array(CHUNK_BYTES_MAX / ALIGN_BYTES + 1);
    for (let units = 0, index = 1; units < this.#bySize.length; units++) {
      while (units * ALIGN_BYTES > (this.chunkBytes[index] ?? CHUNK_BYTES_MAX)) index++;
      this.#bySize[units] = index;
    }
  }

  /** The smallest class whose chunks hold `bytes`; 0 when none does. */
  classFor(bytes: number): number {
    return bytes > CHUNK_BYTES_MAX ? 0 : this.#bySize[(bytes + ALIGN_BYTES - 1) >>> 3]!;
  }
}

function classSizes(first: number, growth: number): number[] {
  const sizes = [0];
  let previous = 0;
  for (let exact = first; exact <= CHUNK_BYTES_MAX / 2 && sizes.length < SLAB_CLASSES_MAX; exact *= growth) {
    // Rounding leaves a hair's breadth so that 64 * 1.07^n, which misses 128 by accumulated error, hits it.
    const bytes = Math.ceil(exact / ALIGN_BYTES - 1e-9) * ALIGN_BYTES;
    if (bytes > previous) sizes.push(bytes);
    previous = bytes;
  }
  return [...withoutWaste(sizes), CHUNK_BYTES_MAX];
}

/**
 * Of several classes of which a page holds the same number of chunks only the largest is useful, and it may
 * be as large as that number allows.
 */
function withoutWaste(sizes: readonly number[]): number[] {
  const useful: number[] = [0];
  for (let index = 1; index < sizes.length; index++) {
    const bytes = sizes[index]!;
    const perPage = Math.floor(PAGE_BYTES / bytes);
    const next = sizes[index + 1] ?? CHUNK_BYTES_MAX;
    if (perPage === Math.floor(PAGE_BYTES / next)) continue;
    const stretched = Math.floor(PAGE_BYTES / perPage / ALIGN_BYTES) * ALIGN_BYTES;
    useful.push(stretched < next ? Math.max(bytes, stretched) : bytes);
  }
  return useful;
}
