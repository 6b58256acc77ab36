/**
 * What a benchmark run produces: plain data, as written to `cache.json`.
 */
import type { Machine } from '../harness/machine.ts';
import { median, type Spread, spread } from '../harness/statistics.ts';
import { latencyAt } from '../load/latency.ts';
import type { LatencyPoint, RunResult } from '../load/plan.ts';
import type { Metric, Target } from './case-types.ts';

/** One measured run of one server. */
export interface RunSummary {
  readonly keysPerSecond: number;
  readonly keysPerCpuSecond: number;
  readonly cpuMicrosecondsPerKey: number;
  /** CPUs that the server, and the load generator, kept busy. */
  readonly serverBusy: number;
  readonly loadBusy: number;
  /** Shares of the time in which they were ready to run but something else had their CPU. */
  readonly serverWaited: number;
  readonly loadWaited: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly maxUs: number;
  readonly misses: number;
  readonly lost: number;
  /** Share of an open loop's requests during which the load generator itself was away. */
  readonly disturbed: number;
  readonly latency: readonly LatencyPoint[];
}

export interface ContestantResult {
  readonly label: string;
  readonly runs: readonly RunSummary[];
}

interface ResultBase {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly measuredAt: string;
  readonly met: boolean;
}

export interface CompareResult extends ResultBase {
  readonly kind: 'compare';
  readonly metric: Metric;
  readonly target: Target;
  readonly subject: ContestantResult;
  readonly peer: ContestantResult;
  /** Of the pairwise ratios subject / peer. */
  readonly ratio: Spread;
  /** Requests per second of the open loop; 0 for a closed one. */
  readonly ratePerSecond: number;
}

export interface CapacityResult extends ResultBase {
  readonly kind: 'capacity';
  readonly target: Target;
  readonly memoryMegabytes: number;
  readonly valueBytes: number;
  readonly stored: number;
  readonly items: { readonly larder: number; readonly memcached: number };
  readonly residentMegabytes: { readonly larder: number; readonly memcached: number };
  readonly residentMegabytesMax: number;
  readonly ratio: number;
}

export interface PauseMeasurement {
  /** Without and with growth of the index. */
  readonly steadyMaxMs: number;
  readonly steadyP999Ms: number;
  readonly growingMaxMs: number;
  readonly growingP999Ms: number;
  /** The load generator's own longest absence while the index grew. */
  readonly loadStallMs: number;
  /** Shares of the time in which something else had the CPU of the server, or of the load generator. */
  readonly serverWaited: number;
  readonly loadWaited: number;
  readonly setsPerSecond: number;
  /** The index's size as `stats` shows it, if it does. */
  readonly hashPowerBefore: string;
  readonly hashPowerAfter: string;
  /** What the server itself says about its longest slice of maintenance, if it does. */
  readonly serverLongestSliceMs?: number;
}

export interface GrowthResult extends ResultBase {
  readonly kind: 'growth';
  readonly pauseMsMax: number;
  readonly larder: PauseMeasurement;
  readonly memcached: PauseMeasurement;
}

export interface FailedResult extends ResultBase {
  readonly kind: 'failed';
  readonly error: string;
}

export type CaseResult = CompareResult | CapacityResult | GrowthResult | FailedResult;

export interface CrossCheckResult {
  readonly measuredAt: string;
  readonly tool: string;
  /** Server CPU microseconds per key under each generator. */
  readonly ours: Spread;
  readonly theirs: Spread;
  readonly oursKeysPerSecond: number;
  readonly theirsKeysPerSecond: number;
}

export interface Report {
  readonly machine: Machine;
  readonly seconds: number;
  readonly alternations: number;
  readonly cases: readonly CaseResult[];
  readonly crossCheck?: CrossCheckResult;
}

export function summarize(result: RunResult): RunSummary {
  const load = result.streams[0]!;
  const cpu = result.serverCpuSeconds;
  return {
    keysPerSecond: load.keys / result.seconds,
    keysPerCpuSecond: load.keys / cpu,
    cpuMicrosecondsPerKey: (cpu * 1e6) / load.keys,
    serverBusy: cpu / result.seconds,
    loadBusy: result.loadCpuSeconds / result.seconds,
    serverWaited: result.serverWaitedSeconds / result.seconds,
    loadWaited: result.loadWaitedSeconds / result.seconds,
    p50Us: latencyAt(load.latency, 50),
    p99Us: latencyAt(load.latency, 99),
    p999Us: latencyAt(load.latency, 99.9),
    maxUs: load.maxUs,
    misses: load.misses,
    lost: load.lost,
    disturbed: load.disturbed / Math.max(1, load.requests),
    latency: load.latency,
  };
}

export function metricOf(run: RunSummary, metric: Metric): number {
  if (metric === 'keysPerCpuSecond') return run.keysPerCpuSecond;
  return metric === 'cpuPerKey' ? run.cpuMicrosecondsPerKey : run.p99Us;
}

/** The ratios of runs that followed each other. */
export function ratioOf(subject: readonly RunSummary[], peer: readonly RunSummary[], metric: Metric): Spread {
  return spread(subject.map((run, index) => metricOf(run, metric) / metricOf(peer[index]!, metric)));
}

export function isMet(ratio: number, target: Target): boolean {
  return 'atLeast' in target ? ratio >= target.atLeast : ratio <= target.atMost;
}

export function targetText(target: Target): string {
  return 'atLeast' in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`;
}

/** The median over runs of one of their numbers. */
export function medianOf(runs: readonly RunSummary[], pick: (run: RunSummary) => number): number {
  return median(runs.map(pick));
}
