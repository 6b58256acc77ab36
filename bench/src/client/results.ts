/** What the client benchmark measures and keeps. */
import type { Machine } from '../harness/machine.ts';
import { median, type Spread, spread } from '../harness/statistics.ts';
import type { ClientName } from './contestants.ts';

/** What a client's process is asked to do. */
export interface RunOrder {
  readonly callers: number;
  readonly milliseconds: number;
}

/** What it did. */
export interface RunOutcome {
  readonly gets: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

export interface ClientRun {
  readonly getsPerSecond: number;
  readonly cpuMicrosecondsPerGet: number;
}

export interface ClientRuns {
  readonly client: ClientName;
  readonly version: string;
  readonly runs: readonly ClientRun[];
}

/** One number of callers. */
export interface ClientResult {
  readonly callers: number;
  readonly clients: readonly ClientRuns[];
  /** The peer with the most gets per second. */
  readonly bestPeer: ClientName;
  /** Larder's gets per second by the best peer's of the same round. */
  readonly ratio: Spread;
  /** The best peer's CPU time per get by Larder's. */
  readonly cpuRatio: number;
  readonly target: number | undefined;
  readonly met: boolean;
}

export interface ClientReport {
  readonly machine: Machine;
  readonly server: string;
  readonly milliseconds: number;
  readonly rounds: number;
  readonly results: readonly ClientResult[];
}

/** The target, at this number of callers. */
const TARGET_CALLERS: number = 32;
const TARGET_RATIO: number = 2;

export function medianRate({ runs }: ClientRuns): number {
  return median(runs.map((run) => run.getsPerSecond));
}

export function medianCpu({ runs }: ClientRuns): number {
  return median(runs.map((run) => run.cpuMicrosecondsPerGet));
}

export function clientRun({ gets, seconds, cpuSeconds }: RunOutcome): ClientRun {
  return { getsPerSecond: gets / seconds, cpuMicrosecondsPerGet: (cpuSeconds * 1e6) / gets };
}

export function summarize(callers: number, clients: readonly ClientRuns[]): ClientResult {
  const own = clients.find(({ client }) => client === 'larder')!;
  const peers = clients.filter((each) => each !== own);
  const best = peers.reduce((one, other) => (medianRate(other) > medianRate(one) ? other : one));
  const ratio = spread(own.runs.map((run, round) => run.getsPerSecond / best.runs[round]!.getsPerSecond));
  const target = callers === TARGET_CALLERS ? TARGET_RATIO : undefined;
  return {
    callers,
    clients,
    bestPeer: best.client,
    ratio,
    cpuRatio: Math.min(...peers.map(medianCpu)) / medianCpu(own),
    target,
    met: target === undefined || ratio.median >= target,
  };
}
