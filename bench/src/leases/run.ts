/**
 * `npm run bench -- leases`: how many queries reach the database, and how many stale values are set, with leases and
 * without them.
 *
 * ```
 *   4 processes × 50 callers ──▶ Larder ◀── deletes after updates ── updater
 *            └── misses ──▶ database stand-in (10 ms a query, counted) ◀──┘
 * ```
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Cache } from '@larder/client';
import { larderCommand } from '../cache/contestants.ts';
import { BenchError } from '../errors.ts';
import { type BenchMachine, describeBenchMachine } from '../harness/machine.ts';
import { Processes, requireProgram } from '../harness/processes.ts';
import { BenchServer } from '../harness/server.ts';
import { readOptions } from '../read-arguments.ts';
import { Svg } from '../report/svg.ts';
import { type LeaseResult, measureMode, Readers } from './measure.ts';
import { CALLERS, HOT_KEYS, MODES, PROCESSES, QUERY_MS, UPDATE_EVERY_MS } from './plan.ts';

const EVALUATION_FOLDER = fileURLToPath(new URL('../../../docs/evaluation', import.meta.url));
const NAME = 'client-leases';
/** The paper's week of the keys that suffered most: 17 k and 1.3 k queries a second at the peak. */
const PAPER_RATIO = 17 / 1.3;

const USAGE = `Usage: npm run bench -- leases [options]

Hot keys that are updated all the time, read by ${PROCESSES} processes with ${CALLERS} callers each: queries per second of the
database stand-in and stale sets, without leases, with leases, and with leases where stale values are accepted.

  --seconds <n>   of each way (default 4)
  --out <folder>  where ${NAME}.json, .svg and .md go (default: docs/evaluation)
  --no-write      write no files
  --help          this text
`;

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  seconds: { type: 'string', default: '4' },
  out: { type: 'string', default: EVALUATION_FOLDER },
  'no-write': { type: 'boolean' },
} as const;

interface LeaseReport {
  readonly machine: BenchMachine;
  readonly seconds: number;
  readonly results: readonly LeaseResult[];
}

function describe(result: LeaseResult): string {
  const { callsPerSecond, queriesPerSecond, queriesPerSecondPeak, p50Ms, p99Ms, updates, staleSets } = result;
  return [
    result.title.padEnd(40),
    `${Math.round(callsPerSecond)} calls/s`,
    `${Math.round(queriesPerSecond)} queries/s (peak ${Math.round(queriesPerSecondPeak)})`,
    `p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms`,
    `${staleSets} stale sets in ${updates} updates`,
  ].join('  ');
}

function page(report: LeaseReport): string {
  const { machine, results, seconds } = report;
  const [without, ...withLeases] = results;
  const rows = results.map((result) => {
    const {
      title,
      callsPerSecond,
      queriesPerSecond,
      queriesPerSecondPeak,
      p50Ms,
      p99Ms,
      updates,
      staleSets,
    } = result;
    const cells = [
      title,
      Math.round(callsPerSecond),
      Math.round(queriesPerSecond),
      Math.round(queriesPerSecondPeak),
      `${p50Ms.toFixed(2)} / ${p99Ms.toFixed(2)}`,
      `${staleSets} of ${updates}`,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const ratios = withLeases.map(
    ({ title, queriesPerSecondPeak }) =>
      `${title}: ${(without!.queriesPerSecondPeak / queriesPerSecondPeak).toFixed(1)} times fewer at the peak`,
  );
  return [
    '# Leases: queries that reach the database',
    '',
    `Written by \`npm run bench -- leases\`; do not edit. Numbers in \`${NAME}.json\`.`,
    '',
    `![queries per second](${NAME}.svg)`,
    '',
    `${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}, Node ${machine.node}, ${machine.date.slice(0, 10)}. ${HOT_KEYS} hot keys, each updated and deleted every ${UPDATE_EVERY_MS} ms; ${PROCESSES} processes with ${CALLERS} callers each read them through one Larder server; a query takes ${QUERY_MS} ms. ${seconds} s each.`,
    '',
    '| way | calls/s | queries/s | queries/s at the peak | p50 / p99 of a call, ms | updates that found a stale set |',
    '| --- | ---: | ---: | ---: | ---: | ---: |',
    ...rows,
    '',
    `${ratios.join('; ')}. The paper's figure for a week of its worst keys is ${PAPER_RATIO.toFixed(0)} times fewer (17 k/s to 1.3 k/s, nsdi13 3.2.1). A stale set is a value in the cache that is older than what the update before had made true: a query that an update overtook, and whose result was set after the delete.`,
    '',
  ].join('\n');
}

function picture({ results }: LeaseReport): string {
  const svg = new Svg(820, 60 + results.length * 44);
  svg.text(24, 28, 'Queries per second at the database: mean, and peak', {
    'font-size': 16,
    'font-weight': 600,
  });
  const most = Math.max(...results.map((result) => result.queriesPerSecondPeak));
  for (const [index, result] of results.entries()) {
    const y = 52 + index * 44;
    const width = (value: number): number => (400 * value) / most;
    svg.text(240, y + 14, result.title, { 'text-anchor': 'end' });
    svg.rectangle(250, y, width(result.queriesPerSecondPeak), 12, { fill: '#a0aec0' });
    svg.rectangle(250, y + 12, width(result.queriesPerSecond), 12, { fill: '#2b6cb0' });
    svg.text(
      258 + width(result.queriesPerSecondPeak),
      y + 14,
      `${Math.round(result.queriesPerSecond)}, peak ${Math.round(result.queriesPerSecondPeak)}`,
      { fill: '#4a5568' },
    );
  }
  return svg.toString();
}

async function measureAll(processes: Processes, folder: string, seconds: number): Promise<LeaseReport> {
  const settings = { memoryMegabytes: 128, threads: 1, cpus: '0', reach: 'tcp' } as const;
  const server = await BenchServer.start(processes, larderCommand(), settings, folder);
  const { host, port } = server.streamAddress as { readonly host: string; readonly port: number };
  await using cache = await Cache.connect({ servers: `${host}:${port}`, throwOnTrouble: true });
  const readers = await Readers.start(processes, `${host}:${port}`, '1');
  // Once without counting, so that everything is compiled.
  await measureMode(readers, cache, 'leases', 500);
  const results: LeaseResult[] = [];
  for (const mode of MODES) {
    const result = await measureMode(readers, cache, mode, seconds * 1000);
    process.stdout.write(`${describe(result)}\n`);
    results.push(result);
  }
  return { machine: describeBenchMachine(), seconds, results };
}

export async function run(args: readonly string[]): Promise<number> {
  const values = readOptions(args, OPTIONS);
  if (values.help === true) {
    process.stdout.write(USAGE);
    return 0;
  }
  const seconds = Number(values.seconds);
  if (!(seconds >= 0.5 && seconds <= 600)) {
    throw new BenchError('USAGE', `--seconds is a number from 0.5 to 600, not "${values.seconds}"`);
  }
  requireProgram('taskset', 'util-linux');
  const folder = mkdtempSync(join(tmpdir(), 'larder-bench-'));
  const processes = new Processes();
  try {
    const report = await measureAll(processes, folder, seconds);
    if (values['no-write'] !== true) {
      mkdirSync(values.out, { recursive: true });
      writeFileSync(join(values.out, `${NAME}.json`), `${JSON.stringify(report, undefined, 1)}\n`);
      writeFileSync(join(values.out, `${NAME}.md`), page(report));
      writeFileSync(join(values.out, `${NAME}.svg`), picture(report));
      process.stdout.write(`wrote ${join(values.out, NAME)}.{json,md,svg}\n`);
    }
    const [without, leases] = report.results;
    return leases!.queriesPerSecondPeak < without!.queriesPerSecondPeak && leases!.staleSets === 0 ? 0 : 1;
  } finally {
    await processes.endAll();
    rmSync(folder, { recursive: true, force: true });
  }
}
