/** The servers' rows of all workers put together. */
import type { DestinationRow } from '../running-router.ts';
import { DESTINATION_COLUMNS, type SharedStatistics } from './shared-statistics.ts';

const STATE_NAMES = ['new', 'up', 'tko', 'closed'];
const STATE = 0;
const LATENCY: number = DESTINATION_COLUMNS.indexOf('latencyMs');

/** `labels[worker]` says what the rows of a worker are about. */
export function sumDestinations(
  shared: SharedStatistics,
  labels: readonly (readonly string[])[],
): readonly DestinationRow[] {
  const sums = new Map<string, Float64Array>();
  for (const [worker, names] of labels.entries()) {
    for (const [index, label] of (names ?? []).entries()) {
      const row = shared.row(worker, index);
      const sum = sums.get(label);
      if (sum === undefined) {
        sums.set(label, Float64Array.from(row));
        continue;
      }
      for (let column = 0; column < row.length; column++) {
        const isLargest = column === STATE || column === LATENCY;
        sum[column] = isLargest ? Math.max(sum[column]!, row[column]!) : sum[column]! + row[column]!;
      }
    }
  }
  return [...sums].map(([label, sum]) => {
    const entries = DESTINATION_COLUMNS.map((name, column) => [name, sum[column]!] as const);
    return {
      ...Object.fromEntries(entries),
      label,
      state: STATE_NAMES[sum[STATE]!] ?? 'new',
    } as DestinationRow;
  });
}
