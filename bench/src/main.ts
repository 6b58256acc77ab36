/**
 * `npm run bench`: reads the command line, runs the cases, writes the report. The exit status is 0 when every
 * target was met, 1 when one was missed or a case failed, 2 for a command that makes no sense or a missing
 * tool.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchCase, CompareCase } from './cache/case-types.ts';
import { CACHE_CASES } from './cache/cases.ts';
import { customCommand, larderCommand, memcachedCommand } from './cache/contestants.ts';
import type { Report } from './cache/results.ts';
import { targetText } from './cache/results.ts';
import { runSuite } from './cache/suite.ts';
import { type CommandLine, readCommandLine, USAGE } from './command-line.ts';
import { BenchError } from './errors.ts';
import { mergeReports, readReport, writeReport } from './report/files.ts';

const EVALUATION_FOLDER = fileURLToPath(new URL('../../docs/evaluation', import.meta.url));
const CROSS_CHECK_CASE = 'get';

function listCases(cases: readonly BenchCase[]): string {
  return cases.map((spec) => `${spec.name.padEnd(22)}${spec.title.padEnd(38)}${goal(spec)}\n`).join('');
}

function goal(spec: BenchCase): string {
  if (spec.kind === 'growth') return `pause ≤ ${spec.pauseMsMax} ms`;
  const metric = spec.kind === 'compare' ? spec.metric : 'items';
  return `${metric} ${targetText(spec.target)}`;
}

async function run(line: CommandLine): Promise<number> {
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
  const merged = mergeReports(readReport(folder), report, names);
  for (const path of writeReport(folder, merged)) print(`wrote ${join(path)}`);
}

try {
  const line = readCommandLine(process.argv.slice(2));
  if (line.action === 'help') process.stdout.write(USAGE);
  else if (line.action === 'list') process.stdout.write(listCases(CACHE_CASES));
  else process.exitCode = await run(line);
} catch (error) {
  const failure = BenchError.from(error);
  process.stderr.write(`bench: ${failure.message}\n`);
  if (failure.code === 'USAGE') process.stderr.write('Try: npm run bench -- --help\n');
  process.exitCode = failure.code === 'USAGE' || failure.code === 'MISSING' ? 2 : 1;
}
