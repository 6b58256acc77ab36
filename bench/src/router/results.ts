/** What a router benchmark produces: plain data, as written to `router.json`. */
import type { RunSummary } from '../cache/results.ts';
import type { Machine } from '../harness/machine.ts';
import { type Spread, spread } from '../harness/statistics.ts';
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
  return spec.metric === 'p50Us';
}

/** The metric of one run. What both proxies are added to is the same, so that their medians can be compared. */
function metricOf(
  spec: { readonly metric: RouterCase['metric']; readonly keysPerGet: number },
  run: RunSummary,
): number {
  return isLatency(spec) ? run.p50Us : run.keysPerCpuSecond / spec.keysPerGet;
}

export function judge(spec: RouterCase, runs: RouterRuns): RouterResult {
  const facts = { metric: spec.metric, keysPerGet: spec.stream.keysPerGet };
  const ratio = spread(
    runs.larder.map((run, index) => metricOf(facts, run) / metricOf(facts, runs.twemproxy[index]!)),
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
