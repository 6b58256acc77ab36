/**
 * What was asked of each slab class: one block of doubles per thread in shared memory, as the other counters
 * (`counters.ts`), with a row for every class.
 *
 * ```
 *   thread block   [class 0: 16 doubles][class 1][…][last class]
 * ```
 */
import { type Arena, SLAB_CLASSES_MAX } from '@larder/datapath';

/** Index of each counter in a class's row. The first three are by LRU segment, in the order of `Segment`. */
export const ClassRequest = {
  hitsHot: 0,
  hitsWarm: 1,
  hitsCold: 2,
  sets: 3,
  deletes: 4,
  increments: 5,
  decrements: 6,
  casHits: 7,
  casMismatches: 8,
  touches: 9,
} as const;
export type ClassRequest = keyof typeof ClassRequest;

/** A whole number of cache lines, so that a row is found by a shift. */
const ROW_DOUBLES_SHIFT = 4;
const ROW_DOUBLES: number = 1 << ROW_DOUBLES_SHIFT;

export type ClassRequestTotals = Readonly<Record<ClassRequest, number>>;

/** Bytes of one thread's block: room for every class there may be, so that memory looks the same whatever they are. */
export const CLASS_REQUEST_BLOCK_BYTES: number = (SLAB_CLASSES_MAX + 1) * ROW_DOUBLES * 8;

/** Index, from the start of a block, of a class's counter. */
export function classRequestIndex(slabClass: number, counter: number): number {
  return (slabClass << ROW_DOUBLES_SHIFT) + counter;
}

/** Sums one class's row over all threads; `offset` is the byte offset of the first block. */
export function sumClassRequests(
  arena: Arena,
  offset: number,
  threads: number,
  slabClass: number,
): ClassRequestTotals {
  const sums: Partial<Record<ClassRequest, number>> = {};
  const blockDoubles = CLASS_REQUEST_BLOCK_BYTES / 8;
  for (const [name, counter] of Object.entries(ClassRequest) as [ClassRequest, number][]) {
    let sum = 0;
    for (let thread = 0; thread < threads; thread++) {
      sum += arena.f64[offset / 8 + thread * blockDoubles + classRequestIndex(slabClass, counter)]!;
    }
    sums[name] = sum;
  }
  return sums as ClassRequestTotals;
}
