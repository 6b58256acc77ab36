/**
 * `npm run bench -- threshold`: from which size on is a reference cheaper than a copy (papers/sosp23 5)? Sweeps
 * payload and number of buffers over every transport, both ways in turns, with memory that no cache holds.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { availableTransports } from '@larder/datapath';
import { BenchError } from '../errors.ts';
import { lastLevelCacheBytes } from '../harness/cache-size.ts';
import { describeBenchMachine } from '../harness/machine.ts';
import { Processes } from '../harness/processes.ts';
import { positiveNumber, readArguments } from '../read-arguments.ts';
import { PeerProcess } from '../serialization/measure/peer-process.ts';
import { samplesOf, thresholdOf } from './derive.ts';
import { drawHeatMaps, heatTable, thresholdText, titleOf } from './heat-map.ts';
import { SweepLoad } from './load.ts';
import type { SweepCommand, SweepReply } from './server.ts';
import { type Cell, SHAPES, type Shape, TARGETS, type Target, type TargetResult } from './shapes.ts';
import type { ThresholdReport } from './stored.ts';

const USAGE = `Usage: npm run bench -- threshold [options] [target ...]

Sweeps total payload and number of buffers, copying all or referencing all, and derives the size from which
on a reference is cheaper. Targets: ${TARGETS.join(', ')}; none means all.

  --seconds <n>     measured time of one cell, one way, one round (default 0.06)
  --rounds <n>      rounds; the ways alternate (default 3)
  --server-cpu <n>  CPU of the server (default 0)
  --load-cpu <n>    CPU of the load (default 1)
  --quick           one short round
  --derive          measure nothing: derive thresholds and pages again from the stored cells
  --out <folder>    where threshold.json, .svg and .md go (default: docs/evaluation)
  --no-write        write no files
  --help            this text
`;

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  seconds: { type: 'string', default: '0.06' },
  rounds: { type: 'string', default: '3' },
  'server-cpu': { type: 'string', default: '0' },
  'load-cpu': { type: 'string', default: '1' },
  quick: { type: 'boolean', default: false },
  derive: { type: 'boolean', default: false },
  out: { type: 'string' },
  'no-write': { type: 'boolean', default: false },
} as const;

const EVALUATION: string = fileURLToPath(new URL('../../../docs/evaluation', import.meta.url));
/** Buffers of one size take this many caches; the sizes together, and all else, stay below 2 GiB. */
const CACHES_PER_SIZE = 5;
const BYTES_PER_SIZE_MAX: number = 192 * 2 ** 20;
const QUICK_SECONDS = 0.03;
const WARM_SECONDS = 0.3;
const ATTEMPTS = 5;

interface Settings {
  readonly targets: readonly Target[];
  readonly seconds: number;
  readonly rounds: number;
  readonly serverCpu: string;
}

type Measure = (shape: Shape, isReference: boolean, seconds: number) => Promise<number>;

export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments(args, OPTIONS);
  if (values.help === true) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (values.derive === true) {
    deriveAgain(values.out ?? EVALUATION);
    return 0;
  }
  const settings: Settings = {
    targets: selectTargets(positionals),
    seconds: values.quick === true ? QUICK_SECONDS : positiveNumber('--seconds', values.seconds),
    rounds: values.quick === true ? 1 : Math.ceil(positiveNumber('--rounds', values.rounds)),
    serverCpu: values['server-cpu']!,
  };
  pin(values['load-cpu']!);
  const processes = new Processes();
  const targets: TargetResult[] = [];
  try {
    for (const target of settings.targets) {
      const result = await sweep(processes, target, settings);
      process.stdout.write(`${titleOf(target)}: ${thresholdText(result)}\n${heatTable(result)}\n\n`);
      targets.push(result);
    }
  } finally {
    await processes.endAll();
  }
  const report: ThresholdReport = {
    machine: describeBenchMachine(),
    rounds: settings.rounds,
    seconds: settings.seconds,
    targets,
  };
  if (values['no-write'] !== true) write(values.out ?? EVALUATION, report);
  return 0;
}

function selectTargets(names: readonly string[]): Target[] {
  for (const name of names) {
    if (!TARGETS.some((target) => target.includes(name))) {
      throw new BenchError('USAGE', `no target is called "${name}"; there are: ${TARGETS.join(', ')}`);
    }
  }
  const available = new Set<string>(
    availableTransports().flatMap((each) => (each.available ? [each.kind] : [])),
  );
  const wanted = TARGETS.filter(
    (target) => names.length === 0 || names.some((name) => target.includes(name)),
  );
  return wanted.filter((target) => target === 'nic' || available.has(target.split('-')[0]!));
}

/** Keeps this process, which is the load, off the server's CPU. */
function pin(cpu: string): void {
  execFileSync('taskset', ['-acp', cpu, String(process.pid)], { stdio: 'ignore' });
}

async function sweep(processes: Processes, target: Target, settings: Settings): Promise<TargetResult> {
  const server = new PeerProcess<SweepCommand, SweepReply>(
    processes,
    target,
    '../../threshold/server.ts',
    settings.serverCpu,
  );
  const bytesPerSize = Math.min(CACHES_PER_SIZE * lastLevelCacheBytes(), BYTES_PER_SIZE_MAX);
  const { port } = await server.ask({ kind: 'serve', target, bytesPerSize }, 'listening');
  const measure = await measurer(server, target, port);
  for (const isReference of [false, true]) await measure(SHAPES[0]!, isReference, WARM_SECONDS);
  const cells = SHAPES.map((shape) => ({ ...shape, copyNs: [] as number[], referenceNs: [] as number[] }));
  for (let round = 0; round < settings.rounds; round++) {
    for (const cell of cells) {
      cell.copyNs.push(await measured(measure, cell, false, settings.seconds));
      cell.referenceNs.push(await measured(measure, cell, true, settings.seconds));
    }
  }
  await server.kill();
  return { target, cells, thresholdBytes: thresholdOf(cells) };
}

/** Again when nothing was answered in the short time: a lost datagram stops a socket for longer. */
async function measured(
  measure: Measure,
  shape: Shape,
  isReference: boolean,
  seconds: number,
): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const nanoseconds = await measure(shape, isReference, seconds);
    if (Number.isFinite(nanoseconds)) return nanoseconds;
  }
  throw new BenchError('SERVER', 'no answers');
}

async function measurer(
  server: PeerProcess<SweepCommand, SweepReply>,
  target: Target,
  port: number,
): Promise<Measure> {
  if (target === 'nic') {
    return async ({ payloadBytes, buffers }, isReference, seconds) => {
      const shape = { payloadBytes, buffers };
      return (await server.ask({ kind: 'cell', shape, isReference, seconds }, 'measured')).nsPerRequest;
    };
  }
  const load = await SweepLoad.create();
  const protocol = target.endsWith('udp') ? 'udp' : 'tcp';
  return async (shape, isReference, seconds) =>
    load.cell(protocol, port, server.pid, shape, isReference, seconds);
}

function deriveAgain(folder: string): void {
  const stored = JSON.parse(readFileSync(join(folder, 'threshold.json'), 'utf8')) as ThresholdReport;
  const targets = stored.targets.map((result) => ({ ...result, thresholdBytes: thresholdOf(result.cells) }));
  for (const result of targets) process.stdout.write(`${titleOf(result.target)}: ${thresholdText(result)}\n`);
  write(folder, { ...stored, targets });
}

function write(folder: string, report: ThresholdReport): void {
  mkdirSync(folder, { recursive: true });
  const files: [name: string, text: string][] = [
    ['threshold.json', `${JSON.stringify(report, undefined, 1)}\n`],
    ['threshold.svg', drawHeatMaps(report)],
    ['threshold.md', markdown(report)],
  ];
  for (const [name, text] of files) {
    writeFileSync(join(folder, name), text);
    process.stdout.write(`wrote ${join(folder, name)}\n`);
  }
}

function markdown(report: ThresholdReport): string {
  const { machine } = report;
  const parts = [
    '# From which size on is a reference cheaper than a copy?',
    '',
    `\`npm run bench -- threshold\` on ${machine.cpu} (${machine.cores} cores), Linux ${machine.kernel}, Node ${machine.node}, ${machine.date.slice(0, 10)}. ` +
      `Difference in requests per second of server CPU between referencing every buffer and copying every buffer (papers: sosp23, figure 5); ` +
      `positive: references are better. Median of ${report.rounds} rounds, in which both ways alternate. The buffers of every size are five times the last-level cache, and none comes again before all others were sent.`,
    '',
    '![heat maps](threshold.svg)',
    '',
    '| over | threshold |',
    '| --- | --- |',
    ...report.targets.map((result) => `| ${titleOf(result.target)} | ${thresholdText(result)} |`),
    '',
  ];
  for (const result of report.targets) {
    parts.push(`## ${titleOf(result.target)}`, '', heatTable(result), '', ...costTable(result), '');
  }
  parts.push(
    'What follows from it, and why kernel sockets differ from a network card: see [serialization-findings.md](serialization-findings.md).',
    '',
  );
  return parts.join('\n');
}

/** What a field of a size costs, in nanoseconds, and so how the threshold came about. */
function costTable(result: TargetResult): string[] {
  const samples = samplesOf(result.cells as readonly Cell[]);
  return [
    `| ns per field | ${samples.map(({ bytes }) => `${bytes} B`).join(' | ')} |`,
    `| --- | ${samples.map(() => '---:').join(' | ')} |`,
    `| copied | ${samples.map(({ copyNs }) => Math.round(copyNs)).join(' | ')} |`,
    `| referenced | ${samples.map(({ referenceNs }) => Math.round(referenceNs)).join(' | ')} |`,
  ];
}
