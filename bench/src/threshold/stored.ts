/** The stored result: what the last sweep on this machine found, for the benchmarks that use a threshold. */
import { readFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { fileURLToPath } from 'node:url';
import { COPY_THRESHOLD_DEFAULT } from '@larder/datapath';
import type { BenchMachine } from '../harness/machine.ts';
import type { Target, TargetResult } from './shapes.ts';

export interface ThresholdReport {
  readonly machine: BenchMachine;
  readonly rounds: number;
  readonly seconds: number;
  readonly targets: readonly TargetResult[];
}

const PATH: string = fileURLToPath(new URL('../../../docs/evaluation/threshold.json', import.meta.url));

/** The threshold for a target: measured on this machine, or the default. Infinity where copying always won. */
export function storedThreshold(target: Target): number {
  try {
    const report = JSON.parse(readFileSync(PATH, 'utf8')) as ThresholdReport;
    const isHere = report.machine.cpu === cpus()[0]?.model.trim() && report.machine.kernel === release();
    const found = report.targets.find((each) => each.target === target);
    if (isHere && found !== undefined) return found.thresholdBytes ?? Number.POSITIVE_INFINITY;
  } catch {
    // No sweep was made here.
  }
  return COPY_THRESHOLD_DEFAULT;
}
