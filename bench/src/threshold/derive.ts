/** The threshold of a target, from its cells: every cell says something about the size of its buffers. */
import { type CopyThresholdSample, deriveCopyThreshold } from '@larder/datapath';
import { median } from '../harness/statistics.ts';
import { BUFFER_SIZES, bufferBytes, type Cell } from './shapes.ts';

/**
 * By so much of the request a reference has to be better. Copying where it would have been a little better loses
 * little; and a sweep does not see everything that a reference costs: its replies are all of one kind, while in life
 * short and long values are mixed, and code that goes both ways is a little slower than code that goes one.
 */
const GAIN_LEAST = 0.03;

/** By how much a reference is better than a copy (the paper's figure 5), in rounds that followed each other. */
export function gainOf(cell: Cell): number {
  return median(cell.copyNs.map((copyNs, round) => copyNs / cell.referenceNs[round]! - 1));
}

/**
 * What a field of each size costs copied, and how much less or more it costs referenced, in the cells with such
 * fields: what three quarters of them gain, since a threshold is for every shape. What a request costs by itself is
 * in both ways of a cell, and so not in the difference.
 */
export function samplesOf(cells: readonly Cell[]): CopyThresholdSample[] {
  return BUFFER_SIZES.map((bytes) => {
    const same = cells.filter((cell) => bufferBytes(cell) === bytes);
    const copyNs = median(same.map((cell) => median(cell.copyNs) / cell.buffers));
    const gainNs = lowerQuartile(
      same.map((cell) => {
        const copyCost = median(cell.copyNs);
        return (copyCost * (1 - GAIN_LEAST) - median(cell.referenceNs)) / cell.buffers;
      }),
    );
    return { bytes, copyNs, referenceNs: copyNs - gainNs };
  });
}

function lowerQuartile(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor((sorted.length - 1) / 4)]!;
}

/** Null when copying is cheaper up to the largest size. */
export function thresholdOf(cells: readonly Cell[]): number | null {
  const bytes = deriveCopyThreshold(samplesOf(cells));
  return Number.isFinite(bytes) ? bytes : null;
}
