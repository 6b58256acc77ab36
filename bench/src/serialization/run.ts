/**
 * `npm run bench -- serialization`: a typed key-value server with every serializer, under the workloads of
 * papers/sosp23, over TCP, UDP and a simulated NIC. The exit status is 0 when every target was met.
 */
import { fileURLToPath } from 'node:url';
import { selectTransport } from '@larder/datapath';
import { BenchError } from '../errors.ts';
import { describeBenchMachine } from '../harness/machine.ts';
import { Processes, requireProgram } from '../harness/processes.ts';
import { positiveNumber, readArguments } from '../read-arguments.ts';
import { storedThreshold } from '../threshold/stored.ts';
import { type MeasureSettings, measureWorkload } from './measure/measure-workload.ts';
import { mergeReports, readReport, writeReport } from './report/files.ts';
import {
  contestantOf,
  MODE_TITLES,
  type Mode,
  type ModeResult,
  medianRate,
  ratioOf,
  type SerializationReport,
} from './report/results.ts';
import { targetLines } from './report/tables.ts';
import { CONTESTANT_ORDER, targetResults } from './report/targets.ts';
import { WORKLOADS } from './workloads/workload.ts';

const USAGE = `Usage: npm run bench -- serialization [options] [workload ...]

Runs a typed key-value server with every serializer under the same load and prints requests per second of
server CPU and the ratios. Workloads: ${WORKLOADS.map(({ name }) => name).join(', ')};
a part of a name will do, none means all.

  --modes <list>        nic, tcp, udp, tcp-one, udp-one (default: all; one in flight and latency for three workloads)
  --serializers <list>  contestants (default: ${CONTESTANT_ORDER.join(',')})
  --seconds <n>         measured time of one run (default 0.15)
  --rounds <n>          rounds in which the contestants take turns (default 2)
  --close-rounds <n>    rounds more of those near a target, in each of two new processes (default 3)
  --server-cpu <n>      CPU of the server (default 0)
  --load-cpu <n>        CPU of the load (default 1)
  --quick               one workload of each kind, shorter, nic and tcp only; writes nothing
  --out <folder>        where serialization.json, .svg and .md go (default: docs/evaluation)
  --no-write            write no files
  --help                this text
`;

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  modes: { type: 'string' },
  serializers: { type: 'string' },
  seconds: { type: 'string' },
  rounds: { type: 'string', default: '2' },
  'close-rounds': { type: 'string', default: '3' },
  'server-cpu': { type: 'string', default: '0' },
  'load-cpu': { type: 'string', default: '1' },
  quick: { type: 'boolean', default: false },
  out: { type: 'string' },
  'no-write': { type: 'boolean', default: false },
} as const;

const EVALUATION: string = fileURLToPath(new URL('../../../docs/evaluation', import.meta.url));
const MODES: readonly Mode[] = ['nic', 'tcp', 'udp', 'tcp-one', 'udp-one'];
/** Workloads that are also measured with one request in flight, and for latency. */
const CLOSE_LOOKS: readonly string[] = ['google-1-8', 'twitter', 'cdn'];
const QUICK: readonly string[] = ['google-1-8', 'twitter', 'cdn'];
/** Ours, and the peers that come close. */
const QUICK_SERIALIZERS: readonly string[] = [
  'larder',
  'larder-references',
  'larder-copies',
  'larder-list',
  'protobufjs',
  'flatbuffers',
  'none',
];
const QUICK_OBJECTS = 20_000;
const QUICK_REQUESTS = 60_000;
const ALL: number = 2 ** 31;
const SECONDS = 0.15;
const QUICK_SECONDS = 0.15;
const QUICK_ROUNDS = 3;
const WARMUP_SECONDS = 0.25;
/** New processes of those near a target. */
const CLOSE_PROCESSES = 2;

export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments(args, OPTIONS);
  if (values.help === true) {
    process.stdout.write(USAGE);
    return 0;
  }
  requireProgram('taskset', 'util-linux');
  const isQuick = values.quick === true;
  const seconds =
    values.seconds === undefined
      ? isQuick
        ? QUICK_SECONDS
        : SECONDS
      : positiveNumber('--seconds', values.seconds);
  const kind = selectTransport(undefined, {});
  if (kind === 'node') throw new BenchError('MISSING', 'needs io_uring or epoll');
  const settings: MeasureSettings = {
    serializers: list(
      '--serializers',
      values.serializers,
      CONTESTANT_ORDER,
      isQuick ? QUICK_SERIALIZERS : CONTESTANT_ORDER,
    ),
    rounds: isQuick ? QUICK_ROUNDS : Math.ceil(positiveNumber('--rounds', values.rounds)),
    closeProcesses: isQuick ? 0 : CLOSE_PROCESSES,
    closeRounds: Math.ceil(positiveNumber('--close-rounds', values['close-rounds'])),
    seconds,
    warmupSeconds: WARMUP_SECONDS,
    serverCpu: values['server-cpu']!,
    loadCpu: values['load-cpu']!,
    objectsMax: isQuick ? QUICK_OBJECTS : ALL,
    requestsMax: isQuick ? QUICK_REQUESTS : ALL,
    transport: kind,
    thresholds: {
      nic: storedThreshold('nic'),
      tcp: storedThreshold(`${kind}-tcp`),
      udp: storedThreshold(`${kind}-udp`),
    },
    say: (text) => process.stderr.write(`  … ${text}\n`),
  };
  const workloads = selectWorkloads(positionals, isQuick);
  const modes = list('--modes', values.modes, MODES, isQuick ? ['nic', 'tcp'] : MODES) as Mode[];
  const report = await measureAll(workloads, modes, settings, values.modes !== undefined);
  const targets = targetResults(report);
  process.stdout.write(`${targetLines(targets).join('\n')}\n`);
  if (!isQuick && values['no-write'] !== true) {
    const folder = values.out ?? EVALUATION;
    const names = WORKLOADS.map(({ name }) => name);
    const merged = mergeReports(readReport(folder), report, names);
    for (const path of writeReport(folder, merged)) process.stdout.write(`wrote ${path}\n`);
  }
  return targets.every(({ met }) => met) ? 0 : 1;
}

async function measureAll(
  workloads: readonly string[],
  modes: readonly Mode[],
  settings: MeasureSettings,
  areModesChosen: boolean,
): Promise<SerializationReport> {
  const processes = new Processes();
  const results: ModeResult[] = [];
  const latencies: SerializationReport['latencies'][number][] = [];
  try {
    for (const workload of workloads) {
      const isClose = CLOSE_LOOKS.includes(workload);
      const wanted = modes.filter((mode) => areModesChosen || isClose || !mode.endsWith('-one'));
      const plan = { workload, modes: wanted, latency: isClose && modes.includes('tcp-one') };
      const found = await measureWorkload(processes, plan, settings);
      for (const result of found.modes) process.stdout.write(`${modeText(result)}\n`);
      results.push(...found.modes);
      latencies.push(...found.latencies);
    }
  } finally {
    await processes.endAll();
  }
  const finite = (bytes: number): number | null => (Number.isFinite(bytes) ? bytes : null);
  const { nic, tcp, udp } = settings.thresholds;
  return {
    machine: describeBenchMachine(),
    rounds: settings.rounds,
    closeRounds: settings.closeProcesses * settings.closeRounds,
    seconds: settings.seconds,
    thresholds: { nic: finite(nic), tcp: finite(tcp), udp: finite(udp) },
    modes: results,
    latencies,
  };
}

function modeText(result: ModeResult): string {
  const own = contestantOf(result, 'larder');
  const lines = result.contestants.map((each) => {
    const rate = `${(medianRate(each) / 1000).toFixed(0).padStart(7)} k per CPU second`;
    const ratio = own === undefined || own === each ? '' : ` Larder is ${ratioOf(own, each).toFixed(2)}`;
    const lost = each.runs.reduce((sum, { lost: count }) => sum + count, 0);
    return `  ${each.serializer.padEnd(20)}${rate}${ratio}${lost > 0 ? ` (${lost} datagrams lost)` : ''}`;
  });
  return `${result.workload}, ${MODE_TITLES[result.mode]}\n${lines.join('\n')}`;
}

function list(
  name: string,
  text: string | undefined,
  known: readonly string[],
  absent: readonly string[],
): readonly string[] {
  if (text === undefined) return absent;
  const names = text.split(',');
  const unknown = names.find((each) => !known.includes(each));
  if (unknown !== undefined) {
    throw new BenchError('USAGE', `${name}: "${unknown}" is none of ${known.join(', ')}`);
  }
  return names;
}

function selectWorkloads(filters: readonly string[], isQuick: boolean): string[] {
  const names = WORKLOADS.map(({ name }) => name);
  if (filters.length === 0) return isQuick ? [...QUICK] : names;
  const matches = (name: string, filter: string): boolean =>
    filter.startsWith('=') ? name === filter.slice(1) : name.includes(filter);
  for (const filter of filters) {
    if (!names.some((name) => matches(name, filter))) {
      throw new BenchError('USAGE', `no workload is called "${filter}"; there are: ${names.join(', ')}`);
    }
  }
  return names.filter((name) => filters.some((filter) => matches(name, filter)));
}
