/**
 * `npm run bench -- cache`: reads the command line, runs the cases, writes the report.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isSteered, runSteered } from '../harness/receive-steering.ts';
import { mergeReports, readReport, writeReport } from '../report/files.ts';
import type { BenchCase, CompareCase } from './case-types.ts';
import { CACHE_CASES } from './cases.ts';
import { type CommandLine, readCommandLine, USAGE } from './command-line.ts';
import { customCommand, larderCommand, memcachedCommand } from './contestants.ts';
import type { Report } from './results.ts';
import { targetText } from './results.ts';
import { runSuite } from './suite.ts';

const EVALUATION_FOLDER = fileURLToPath(new URL('../../../docs/evaluation', import.meta.url));
const CROSS_CHECK_CASE = 'get';

function listCases(cases: readonly BenchCase[]): string {
  return cases.map((spec) => `${spec.name.padEnd(22)}${spec.title.padEnd(38)}${goal(spec)}\n`).join('');
}

function goal(spec: BenchCase): string {
  if (spec.kind === 'growth') return `pause ≤ ${spec.pauseMsMax} ms`;
  const metric = spec.kind === 'compare' ? spec.metric : 'items';
  return `${metric} ${targetText(spec.target)}`;
}

async function runCases(line: CommandLine): Promise<number> {
  const say = (text: string): void => {
    process.stderr.write(`  … ${text}\n`);
  };
  const print = (text: string): void => {
    (line.json ? process.stderr : process.stdout).write(`${text}\n`);
  };
  const crossCheck = CACHE_CASES.find(
    (spec): spec is CompareCase => spec.name === CROSS_CHECK_CASE && spec.kind === 'compare',
  );
  const report = await runSuite({
    settings: line.settings,
    commands: {
      larder: line.larderCommand === undefined ? larderCommand() : customCommand(line.larderCommand),
      memcached: memcachedCommand(line.memcached),
    },
    cases: line.cases,
    ...(line.isCrossCheck && crossCheck !== undefined ? { crossCheck } : {}),
    say,
    print,
  });
  if (line.write) writeFiles(line, report, print);
  if (line.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  return report.cases.every((result) => result.met) ? 0 : 1;
}

function writeFiles(line: CommandLine, report: Report, print: (text: string) => void): void {
  const folder = line.out ?? EVALUATION_FOLDER;
  const names = CACHE_CASES.map((spec) => spec.name);
  const name = line.isSteered ? 'cache-steered' : 'cache';
  const merged = mergeReports(readReport(folder, name), report, names);
  for (const path of writeReport(folder, name, merged)) print(`wrote ${join(path)}`);
}

/** Exit status 0 when every target was met, 1 when one was missed or a case failed. */
export async function run(args: readonly string[]): Promise<number> {
  const line = readCommandLine(args);
  if (line.action === 'run' && line.isSteered && !isSteered()) return runSteered();
  if (line.action === 'run') return runCases(line);
  process.stdout.write(line.action === 'help' ? USAGE : listCases(CACHE_CASES));
  return 0;
}
