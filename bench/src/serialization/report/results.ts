/** What a run of the benchmark leaves behind: numbers per workload, mode and contestant, in rounds. */
import type { BenchMachine } from '../../harness/machine.ts';
import { median } from '../../harness/statistics.ts';
import type { RunNumbers } from '../plan.ts';

/** (a) sockets with many requests in flight, (b) one in flight, (c) the simulated NIC; and latency at a fixed load. */
export type Mode = 'nic' | 'tcp' | 'udp' | 'tcp-one' | 'udp-one';

export const MODE_TITLES: Readonly<Record<Mode, string>> = {
  nic: '(c) simulated NIC',
  tcp: '(a) TCP, 16 in flight per connection',
  udp: '(a) UDP, 16 in flight per socket',
  'tcp-one': '(b) TCP, one in flight per connection',
  'udp-one': '(b) UDP, one in flight per socket',
};

/** 1.57 ranges between the quartiles, over the root of the number. */
const NOTCH = 1.57;

export interface ContestantResult {
  readonly serializer: string;
  /** One for each round, in the order of the rounds. */
  readonly runs: readonly RunNumbers[];
}

export interface ModeResult {
  readonly workload: string;
  readonly mode: Mode;
  readonly contestants: readonly ContestantResult[];
}

export interface LatencyResult {
  readonly workload: string;
  readonly ratePerSecond: number;
  readonly contestants: readonly { readonly serializer: string; readonly run: RunNumbers }[];
}

export interface SerializationReport {
  readonly machine: BenchMachine;
  /** Rounds of all contestants, and of those near a target, in new processes. */
  readonly rounds: number;
  readonly closeRounds: number;
  readonly seconds: number;
  /** From which size on the hybrid one referenced; null for never. */
  readonly thresholds: Readonly<Record<string, number | null>>;
  readonly modes: readonly ModeResult[];
  readonly latencies: readonly LatencyResult[];
}

function perCpuSecond(run: RunNumbers): number {
  return run.requests / run.cpuSeconds;
}

export function perSecond(run: RunNumbers): number {
  return run.requests / run.seconds;
}

export function contestantOf(result: ModeResult, serializer: string): ContestantResult | undefined {
  return result.contestants.find((each) => each.serializer === serializer);
}

export function medianRate(contestant: ContestantResult): number {
  return median(contestant.runs.map(perCpuSecond));
}

/** The median over the rounds of the ratio of two contestants, each pair measured one after the other. */
export function ratioOf(one: ContestantResult, other: ContestantResult): number {
  return median(ratiosOf(one, other));
}

/**
 * By how much that median may be off: half the length of a notch (McGill, Tukey and Larsen 1978), which about 95 of
 * 100 times holds the median of endless rounds. Infinite for a single round.
 */
export function ratioUncertainty(one: ContestantResult, other: ContestantResult): number {
  const ratios = ratiosOf(one, other).sort((a, b) => a - b);
  if (ratios.length < 2) return Number.POSITIVE_INFINITY;
  const half = Math.floor(ratios.length / 2);
  const range = median(ratios.slice(-half)) - median(ratios.slice(0, half));
  return (NOTCH * range) / Math.sqrt(ratios.length);
}

/** In rounds that both were in: those near a target are in more. */
function ratiosOf(one: ContestantResult, other: ContestantResult): number[] {
  const rounds = Math.min(one.runs.length, other.runs.length);
  return Array.from(
    { length: rounds },
    (_, round) => perCpuSecond(one.runs[round]!) / perCpuSecond(other.runs[round]!),
  );
}

/** The contestant among `names` with the highest median. */
export function bestOf(result: ModeResult, names: readonly string[]): ContestantResult | undefined {
  const candidates = result.contestants.filter((each) => names.includes(each.serializer));
  return candidates.toSorted((one, other) => medianRate(other) - medianRate(one))[0];
}
