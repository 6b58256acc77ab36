/**
 * The files of a report: numbers, picture and page. A run of some cases renews those in a report of the same
 * machine and keeps the others.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Report } from '../cache/results.ts';
import type { Machine } from '../harness/machine.ts';
import { drawReport } from './cache-chart.ts';
import { markdownReport } from './cache-tables.ts';

/** Writes `<name>.json`, `<name>.svg` and `<name>.md`; returns their paths. */
export function writeReport(folder: string, name: string, report: Report): string[] {
  mkdirSync(folder, { recursive: true });
  const files: [name: string, text: string][] = [
    [`${name}.json`, `${JSON.stringify(report, undefined, 1)}\n`],
    [`${name}.svg`, drawReport(report)],
    [`${name}.md`, markdownReport(report, name)],
  ];
  return files.map(([file, text]) => {
    const path = join(folder, file);
    writeFileSync(path, text);
    return path;
  });
}

export function readReport(folder: string, name: string): Report | undefined {
  let text: string;
  try {
    text = readFileSync(join(folder, `${name}.json`), 'utf8');
  } catch {
    return undefined;
  }
  return JSON.parse(text) as Report;
}

/** The new results, and the earlier ones of cases that were not run now, in the order of `names`. */
export function mergeReports(earlier: Report | undefined, now: Report, names: readonly string[]): Report {
  if (earlier === undefined || !isSameMachine(earlier.machine, now.machine)) return now;
  const results = new Map(earlier.cases.map((result) => [result.name, result]));
  for (const result of now.cases) results.set(result.name, result);
  const cases = names.flatMap((name) => results.get(name) ?? []);
  const crossCheck = now.crossCheck ?? earlier.crossCheck;
  return { ...now, cases, ...(crossCheck === undefined ? {} : { crossCheck }) };
}

function isSameMachine(one: Machine, other: Machine): boolean {
  const fields: readonly (keyof Machine)[] = ['cpu', 'cores', 'kernel', 'node', 'memcached'];
  return fields.every((field) => one[field] === other[field]);
}
