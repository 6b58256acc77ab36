/** What the admin pages show of a server: `/stats.json`, and the metrics, which are loaded by the first scrape. */
import type { AdminSource } from '@larder/host';
import type { StatisticsRow } from '../session/statistics-source.ts';
import { latencyQuantile } from '../statistics/latency-histogram.ts';
import type { ServerFacts, ServerStatistics } from '../statistics/server-statistics.ts';
import { latencyByCommand } from '../statistics/shared-latency.ts';
import type { SharedState } from '../workers/shared-state.ts';

export function adminSource(
  facts: ServerFacts,
  shared: SharedState,
  statistics: ServerStatistics,
): Omit<AdminSource, 'health'> {
  const { version, transport } = facts;
  return {
    title: 'Larder',
    statistics: () => ({
      version,
      transport,
      general: section(statistics.general()),
      items: section(statistics.items()),
      slabs: section(statistics.slabs()),
      settings: section(statistics.settings()),
      latency: latencySection(shared),
    }),
    metrics: async () => {
      const { createMetrics } = await import('./metrics.ts');
      return createMetrics({
        version,
        transport,
        general: () => new Map(statistics.general()),
        latencies: () => latencyByCommand(shared),
      });
    },
  };
}

/** Rows as an object. */
function section(rows: Iterable<StatisticsRow>): Record<string, string | number> {
  return Object.fromEntries([...rows].map(([name, value]) => [name, jsonValue(value)]));
}

function latencySection(shared: SharedState): Record<string, unknown> {
  const latency: Record<string, unknown> = {};
  for (const [command, summary] of latencyByCommand(shared)) {
    latency[command] = {
      sampled: summary.count,
      meanNanoseconds: Math.round(summary.sumNanoseconds / summary.count),
      p50Nanoseconds: latencyQuantile(summary, 0.5),
      p99Nanoseconds: latencyQuantile(summary, 0.99),
      p999Nanoseconds: latencyQuantile(summary, 0.999),
    };
  }
  return latency;
}

/** 64-bit numbers that JSON cannot hold stay strings. */
export function jsonValue(value: string | number | bigint): string | number {
  if (typeof value === 'bigint')
    return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value);
  if (typeof value === 'number' || !/^-?\d{1,15}$/.test(value)) return value;
  return Number(value);
}
