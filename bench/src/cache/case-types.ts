/**
 * What a benchmark case is: data only. `cases.ts` lists them, `runners/` knows how each kind is measured.
 */
import type { KeySpacePlan, LoadAddress, LoopPlan, StreamPlan } from '../load/plan.ts';

export type ServerKind = 'larder' | 'memcached';

/** A server in a case: what differs from one Larder or memcached with one worker on the server CPU. */
export interface Contestant {
  readonly kind: ServerKind;
  /** Shown in tables when it is not clear from the kind. */
  readonly label?: string;
  readonly threads?: number;
  /** Forces Larder's transport. */
  readonly transport?: string;
  /** May use the load's CPU too (needed for two workers on a machine with two cores). */
  readonly allCpus?: boolean;
}

export type Metric = 'keysPerCpuSecond' | 'cpuPerKey' | 'p99Us';

/** A ratio subject / peer that the median must reach. */
export type Target = { readonly atLeast: number } | { readonly atMost: number };

/** A stream whose open loop's rate is a share of the peer's measured peak, if it has an open loop. */
export type CaseLoop = LoopPlan | { readonly kind: 'share'; readonly ofPeerPeak: number };
export interface CaseStream extends Omit<StreamPlan, 'loop'> {
  readonly loop: CaseLoop;
}

interface CaseBase {
  readonly name: string;
  readonly title: string;
  /** What is measured, in a sentence for the report. */
  readonly about: string;
}

/** Two servers in turn under the same load. */
export interface CompareCase extends CaseBase {
  readonly kind: 'compare';
  readonly space: KeySpacePlan;
  readonly stream: CaseStream;
  readonly reach: LoadAddress['kind'];
  readonly memoryMegabytes: number;
  readonly subject: Contestant;
  readonly peer: Contestant;
  readonly metric: Metric;
  readonly target: Target;
}

/** How many items two servers of equal memory hold, and what memory they use for it. */
export interface CapacityCase extends CaseBase {
  readonly kind: 'capacity';
  /** Larder with one worker unless it says otherwise. */
  readonly subject?: Contestant;
  /** More keys than fit. */
  readonly space: KeySpacePlan;
  readonly memoryMegabytes: number;
  readonly target: Target;
  /** Resident memory at most this share of the limit plus this constant. */
  readonly residentShareMax: number;
  readonly residentExtraMegabytes: number;
}

/** Pauses seen by a steady trickle of gets while the index grows. */
export interface GrowthCase extends CaseBase {
  readonly kind: 'growth';
  readonly space: KeySpacePlan;
  readonly memoryMegabytes: number;
  /** Keys stored before the trickle is watched, and keys stored when it ends. */
  readonly fromKeys: number;
  readonly untilKeys: number;
  readonly getsPerSecond: number;
  readonly pauseMsMax: number;
}

export type BenchCase = CompareCase | CapacityCase | GrowthCase;
