/** From measured costs to a threshold (papers/sosp23 5): the size from which on a reference is cheaper. */

/** What sending one part of this size costs. */
export interface CopyThresholdSample {
  readonly bytes: number;
  readonly copyNs: number;
  readonly referenceNs: number;
}

/**
 * Where the costs cross, between the largest size for which copying is cheaper and the next: found by taking the
 * difference for linear in between. `Infinity` when copying the largest is still cheaper; the smallest size when
 * referencing always is. Samples are in the order of size; a single size that falls out of line among cheaper
 * references (a disturbed measurement) is passed over.
 */
export function deriveCopyThreshold(samples: readonly CopyThresholdSample[]): number {
  const gains = samples.map(({ copyNs, referenceNs }) => copyNs - referenceNs);
  const isOutlier = (index: number): boolean =>
    gains[index]! < 0 &&
    (gains[index - 1] ?? -1) >= 0 &&
    (gains[index - 2] ?? -1) >= 0 &&
    (gains[index + 1] ?? -1) >= 0;
  let last = -1;
  for (let index = 0; index < samples.length; index++) {
    if (gains[index]! < 0 && !isOutlier(index)) last = index;
  }
  if (last === samples.length - 1) return Number.POSITIVE_INFINITY;
  if (last === -1) return samples[0]!.bytes;
  const below = samples[last]!;
  const above = samples[last + 1]!;
  const share = -gains[last]! / (gains[last + 1]! - gains[last]!);
  return Math.round(below.bytes + share * (above.bytes - below.bytes));
}
