/** The threshold of a target, from its cells: every cell says something about the size of its buffers. */
import { type CopyThresholdSample, deriveCopyThreshold } from '@larder/datapath';
import { median } from '../harness/statistics.ts';
import { BUFFER_SIZES, bufferBytes, type Cell } from './shapes.ts';

/** By how much a reference is better than a copy (the paper's figure 5), in rounds that followed each other. */
export function gainOf(cell: Cell): number {
  return median(cell.copyNs.map((copyNs, round) => copyNs / cell.referenceNs[round]! - 1));
}

/** What a field of each size costs: the median over the cells with such fields, of the cost per field. */
export function samplesOf(cells: readonly Cell[]): CopyThresholdSample[] {
  return BUFFER_SIZES.map((bytes) => {
    const same = cells.filter((cell) => bufferBytes(cell) === bytes);
    const perField = (values: (cell: Cell) => readonly number[]): number =>
      median(same.map((cell) => median(values(cell)) / cell.buffers));
    return {
      bytes,
      copyNs: perField((cell) => cell.copyNs),
      referenceNs: perField((cell) => cell.referenceNs),
    };
  });
}

/** Null when copying is cheaper up to the largest size. */
export function thresholdOf(cells: readonly Cell[]): number | null {
  const bytes = deriveCopyThreshold(samplesOf(cells));
  return Number.isFinite(bytes) ? bytes : null;
}
