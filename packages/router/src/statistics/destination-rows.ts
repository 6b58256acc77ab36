/** The servers' rows of all workers put together. */
import type { DestinationRow, RouteRow } from '../running-router.ts';
import type { RouteServers } from '../workers/messages.ts';
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

/** The routes of the configuration, with the numbers of their servers. */
export function sumRoutes(
  routes: readonly RouteServers[],
  destinations: readonly DestinationRow[],
): readonly RouteRow[] {
  const byLabel = new Map(destinations.map((row) => [row.label, row]));
  return routes.map(({ name, labels }) => {
    const rows = labels.flatMap((label) => byLabel.get(label) ?? []);
    const sum = (pick: (row: DestinationRow) => number): number =>
      rows.reduce((all, row) => all + pick(row), 0);
    const requests = sum((row) => row.requests);
    return {
      name,
      servers: rows.length,
      serversUp: rows.filter(({ state }) => state === 'up' || state === 'new').length,
      requests,
      failures: sum((row) => row.failures + row.refused),
      latencyMs: sum((row) => row.latencyMs * row.requests) / Math.max(1, requests),
    };
  });
}
