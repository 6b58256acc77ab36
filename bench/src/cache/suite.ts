/**
 * Runs cases one after another and collects what came of them. A case that fails is reported as such; the
 * others are run all the same.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BenchError } from '../errors.ts';
import { describeMachine } from '../harness/machine.ts';
import { Processes, requireProgram } from '../harness/processes.ts';
import { describeCrossCheck, describeResult } from '../report/cache-tables.ts';
import type { BenchCase, CompareCase } from './case-types.ts';
import type { Commands } from './contestants.ts';
import type { BenchContext, BenchSettings } from './context.ts';
import { runCrossCheck } from './cross-check.ts';
import type { CaseResult, Report } from './results.ts';
import { runCapacity } from './runners/capacity.ts';
import { runCompare } from './runners/compare.ts';
import { runGrowth } from './runners/growth.ts';

export interface SuiteOptions {
  readonly settings: BenchSettings;
  readonly commands: Commands;
  readonly cases: readonly BenchCase[];
  /** The load of this case is sent by memcaslap too, and nothing else is run. */
  readonly crossCheck?: CompareCase;
  readonly say: (text: string) => void;
  readonly print: (text: string) => void;
}

const CROSS_CHECK_PROGRAM = 'memcaslap';

export async function runSuite(options: SuiteOptions): Promise<Report> {
  requireProgram('taskset', 'util-linux');
  requireProgram(options.commands.memcached.program, 'memcached');
  if (options.crossCheck !== undefined) requireProgram(CROSS_CHECK_PROGRAM, 'libmemcached-tools');
  const folder = mkdtempSync(join(tmpdir(), 'larder-bench-'));
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', removeFolder);
  const processes = new Processes();
  const { settings, commands, say, print } = options;
  const context: BenchContext = { processes, settings, commands, folder, say };
  const machine = describeMachine(commands.memcached.program);
  try {
    const base = { machine, seconds: settings.seconds, alternations: settings.alternations };
    if (options.crossCheck !== undefined) {
      const crossCheck = await runCrossCheck(context, options.crossCheck, CROSS_CHECK_PROGRAM);
      print(describeCrossCheck(crossCheck));
      return { ...base, cases: [], crossCheck };
    }
    const cases: CaseResult[] = [];
    for (const spec of options.cases) {
      const result = await runCase(context, spec);
      print(describeResult(result));
      cases.push(result);
    }
    return { ...base, cases };
  } finally {
    await processes.endAll();
    removeFolder();
    process.off('exit', removeFolder);
  }
}

async function runCase(context: BenchContext, spec: BenchCase): Promise<CaseResult> {
  try {
    if (spec.kind === 'compare') return await runCompare(context, spec);
    if (spec.kind === 'capacity') return await runCapacity(context, spec);
    return await runGrowth(context, spec);
  } catch (error) {
    await context.processes.endAll();
    return {
      kind: 'failed',
      name: spec.name,
      title: spec.title,
      about: spec.about,
      measuredAt: new Date().toISOString(),
      met: false,
      error: BenchError.from(error).message,
    };
  }
}
