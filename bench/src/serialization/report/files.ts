/** The files of the study. A run of some workloads renews those in a report of the same machine, and keeps the others. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawSerialization } from './chart.ts';
import type { SerializationReport } from './results.ts';
import { markdownReport } from './tables.ts';

const NAME = 'serialization';

export function readReport(folder: string): SerializationReport | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, `${NAME}.json`), 'utf8')) as SerializationReport;
  } catch {
    return undefined;
  }
}

/** The new results, and the earlier ones of workloads and modes that were not measured now. */
export function mergeReports(
  earlier: SerializationReport | undefined,
  now: SerializationReport,
  workloads: readonly string[],
): SerializationReport {
  const fields = ['cpu', 'cores', 'kernel', 'node'] as const;
  if (earlier === undefined || fields.some((field) => earlier.machine[field] !== now.machine[field]))
    return now;
  const modes = [
    ...now.modes,
    ...earlier.modes.filter(
      (old) => !now.modes.some((result) => result.workload === old.workload && result.mode === old.mode),
    ),
  ];
  const latencies = [
    ...now.latencies,
    ...earlier.latencies.filter((old) => !now.latencies.some((each) => each.workload === old.workload)),
  ];
  const order = (name: string): number => workloads.indexOf(name);
  return {
    ...now,
    modes: modes.toSorted((one, other) => order(one.workload) - order(other.workload)),
    latencies: latencies.toSorted((one, other) => order(one.workload) - order(other.workload)),
  };
}

/** Writes `serialization.json`, `.svg` and `.md`; returns their paths. */
export function writeReport(folder: string, report: SerializationReport): string[] {
  mkdirSync(folder, { recursive: true });
  const files: [name: string, text: string][] = [
    [`${NAME}.json`, `${JSON.stringify(report, undefined, 1)}\n`],
    [`${NAME}.svg`, drawSerialization(report)],
    [`${NAME}.md`, markdownReport(report)],
  ];
  return files.map(([name, text]) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  });
}
