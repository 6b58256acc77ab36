/** What a router benchmark produces: plain data, as written to `router.json`. */
import type { RunSummary } from '../cache/results.ts';
import type { Machine } from '../harness/machine.ts';
import { median, type Spread, spread } from '../harness/statistics.ts';
import type { RouterCase } from './cases.ts';

export interface RouterMachine extends Machine {
  readonly twemproxy: string;
}

export interface RouterResult {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly metric: RouterCase['metric'];
  readonly target: number;
  readonly isGoal: boolean;
  readonly keysPerGet: number;
  readonly measuredAt: string;
  readonly larder: readonly RunSummary[];
  readonly twemproxy: readonly RunSummary[];
  /** The same load on one server without a proxy; only where the latency added is asked for. */
  readonly direct: readonly RunSummary[];
  /** Larder / twemproxy, over runs that followed each other. */
  readonly ratio: Spread;
  readonly met: boolean;
}

export interface RouterReport {
  readonly machine: RouterMachine;
  readonly transport: string;
  readonly servers: number;
  readonly seconds: number;
  readonly alternations: number;
  readonly cases: readonly RouterResult[];
}

export interface RouterRuns {
  readonly larder: readonly RunSummary[];
  readonly twemproxy: readonly RunSummary[];
  readonly direct: readonly RunSummary[];
}

export function isLatency(spec: { readonly metric: RouterCase['metric'] }): boolean {
  return spec.metric === 'addedP50Us';
}

/** The metric of one run; what a proxy adds is counted from the median of the runs without one. */
export function metricOf(
  spec: { readonly metric: RouterCase['metric']; readonly keysPerGet: number },
  run: RunSummary,
  direct: readonly RunSummary[],
): number {
  if (!isLatency(spec)) return run.keysPerCpuSecond / spec.keysPerGet;
  return run.p50Us - median(direct.map((each) => each.p50Us));
}

export function judge(spec: RouterCase, runs: RouterRuns): RouterResult {
  const facts = { metric: spec.metric, keysPerGet: spec.stream.keysPerGet };
  const ratio = spread(
    runs.larder.map(
      (run, index) =>
        metricOf(facts, run, runs.direct) / metricOf(facts, runs.twemproxy[index]!, runs.direct),
    ),
  );
  const { name, title, about, target, isGoal } = spec;
  return {
    name,
    title,
    about,
    target,
    isGoal,
    ...facts,
    measuredAt: new Date().toISOString(),
    ...runs,
    ratio,
    met: isLatency(spec) ? ratio.median <= target : ratio.median >= target,
  };
}
