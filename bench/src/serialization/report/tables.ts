/** The report of the study as Markdown: tables like the paper's, targets, and where the numbers come from. */

import { median } from '../../harness/statistics.ts';
import { latencyAt } from '../../load/latency.ts';
import { NO_SERIALIZER, PEER_NAMES } from '../serializers/registry.ts';
import { WORKLOADS } from '../workloads/workload.ts';
import {
  bestOf,
  type ContestantResult,
  contestantOf,
  type LatencyResult,
  MODE_TITLES,
  type Mode,
  type ModeResult,
  medianRate,
  perSecond,
  ratioOf,
  type SerializationReport,
} from './results.ts';
import { CONTESTANT_ORDER, type TargetResult, targetResults } from './targets.ts';

const MODE_ORDER: readonly Mode[] = ['nic', 'tcp', 'udp', 'tcp-one', 'udp-one'];
const LARDER = 'larder';

function workloadTitle(name: string): string {
  return WORKLOADS.find((each) => each.name === name)?.title ?? name;
}

function thousands(value: number): string {
  return value >= 100_000 ? (value / 1000).toFixed(0) : (value / 1000).toFixed(1);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [
    `| ${head.join(' | ')} |`,
    `| --- |${head
      .slice(1)
      .map(() => ' ---: |')
      .join('')}`,
    ...rows.map((row) => `| ${row.join(' | ')} |`),
  ];
}

/** Contestants down, workloads across; a cell per pair. */
function matrix(
  results: readonly ModeResult[],
  names: readonly string[],
  cell: (result: ModeResult, name: string) => string,
): string[] {
  const rows = names
    .filter((name) => results.some((result) => contestantOf(result, name) !== undefined))
    .map((name) => [name, ...results.map((result) => cell(result, name))]);
  return table(['', ...results.map((result) => workloadTitle(result.workload))], rows);
}

function modeSection(mode: Mode, results: readonly ModeResult[]): string[] {
  const rate = (result: ModeResult, name: string): string => {
    const found = contestantOf(result, name);
    return found === undefined ? '' : thousands(medianRate(found));
  };
  const ratio = (result: ModeResult, name: string): string => {
    const found = contestantOf(result, name);
    const own = contestantOf(result, LARDER);
    return found === undefined || own === undefined ? '' : ratioOf(own, found).toFixed(2);
  };
  const wall = (result: ModeResult, name: string): string => {
    const found = contestantOf(result, name);
    return found === undefined ? '' : thousands(median(found.runs.map(perSecond)));
  };
  const lines = [
    `## ${MODE_TITLES[mode]}`,
    '',
    'Thousands of requests per second of the server’s CPU time:',
    '',
    ...matrix(results, CONTESTANT_ORDER, rate),
    '',
    'Larder’s hybrid as a multiple of each:',
    '',
    ...matrix(results, CONTESTANT_ORDER.slice(1), ratio),
    '',
  ];
  if (mode !== 'nic') {
    lines.push(
      'Thousands of requests per second (of the clock):',
      '',
      ...matrix(results, CONTESTANT_ORDER, wall),
      '',
    );
  }
  return lines;
}

function latencySection(latencies: readonly LatencyResult[]): string[] {
  if (latencies.length === 0) return [];
  const lines = [
    '## Latency at a fixed load, TCP',
    '',
    'Requests arrive at random, at half of the rate that the middle of the contestants reaches; 99th percentile from when a request was due, in microseconds:',
    '',
  ];
  const names = CONTESTANT_ORDER.filter((name) =>
    latencies.some((latency) => latency.contestants.some((each) => each.serializer === name)),
  );
  const rows = names.map((name) => [
    name,
    ...latencies.map((latency) => {
      const run = latency.contestants.find((each) => each.serializer === name)?.run;
      return run === undefined ? '' : latencyAt(run.latency, 99).toFixed(0);
    }),
  ]);
  const head = latencies.map(
    (latency) => `${workloadTitle(latency.workload)}, ${Math.round(latency.ratePerSecond / 1000)} k/s`,
  );
  return [...lines, ...table(['', ...head], rows), ''];
}

/** Met or missed, one line each. */
export function targetLines(targets: readonly TargetResult[]): string[] {
  return targets.map(
    ({ title, workload, mode, ratio, uncertainty, atLeast, met }) =>
      `${met ? 'met   ' : 'MISSED'} ${ratio.toFixed(2)} ± ${uncertainty.toFixed(2)} (≥ ${atLeast}) ${mode.padEnd(4)} ${workload}: against ${title}`,
  );
}

function verdict({ met, ratio, uncertainty, atLeast }: TargetResult): string {
  if (met) return 'met';
  return ratio + uncertainty >= atLeast ? '**missed**, within ±' : '**missed**';
}

function targetSection(targets: readonly TargetResult[]): string[] {
  const rows = targets.map((target) => [
    `${workloadTitle(target.workload)}, ${MODE_TITLES[target.mode]}`,
    target.title,
    target.ratio.toFixed(2),
    target.uncertainty.toFixed(2),
    `≥ ${target.atLeast}`,
    verdict(target),
  ]);
  const met = targets.filter((target) => target.met).length;
  return [
    '## Targets',
    '',
    `${met} of ${targets.length} met. A ratio is the median over rounds of requests per second of server CPU, Larder’s hybrid over the other; ± is half a notch: about 95 of 100 times the median of endless rounds is within it.`,
    '',
    ...table(['workload and mode', 'against', 'ratio', '±', 'target', ''], rows),
    '',
  ];
}

/** `none` sends the values without any format: nothing is faster over the same transport, whatever its target. */
function ceilingSection(modes: readonly ModeResult[]): string[] {
  const rows = modes.flatMap((result) => {
    const [own, none, best, es] = [
      contestantOf(result, LARDER),
      contestantOf(result, NO_SERIALIZER),
      bestOf(result, PEER_NAMES),
      contestantOf(result, 'protobuf-es'),
    ];
    if (own === undefined || none === undefined || best === undefined || result.mode.endsWith('-one'))
      return [];
    const over = (one: ContestantResult, other: ContestantResult | undefined): string =>
      other === undefined ? '' : ratioOf(one, other).toFixed(2);
    const title = `${workloadTitle(result.workload)}, ${MODE_TITLES[result.mode]}`;
    return [[title, best.serializer, over(own, best), over(none, best), over(own, es), over(none, es)]];
  });
  if (rows.length === 0) return [];
  const head = [
    '',
    'best peer',
    'Larder / best',
    'none / best',
    'Larder / protobuf-es',
    'none / protobuf-es',
  ];
  return [
    '## What Larder reaches, and what anybody could',
    '',
    '`none` sends the values without any format: nothing can be faster over the same transport. Its ratio is the ceiling of every target.',
    '',
    ...table(head, rows),
    '',
  ];
}

/** Tables 1, 2, 4 and 5 of the paper, with its columns, from mode (c). */
function paperSection(report: SerializationReport): string[] {
  const nic = report.modes.filter((result) => result.mode === 'nic');
  const google = nic.filter((result) => result.workload.startsWith('google-'));
  const cdn = nic.filter((result) => result.workload === 'cdn');
  const passes = nic.filter((result) => ['google-1-4', 'twitter', 'ycsb-4x1024'].includes(result.workload));
  const rate = (result: ModeResult, name: string): string => {
    const found = contestantOf(result, name);
    return found === undefined ? '' : thousands(medianRate(found));
  };
  const section = (title: string, results: readonly ModeResult[], names: readonly string[]): string[] =>
    results.length === 0 ? [] : [`### ${title}`, '', ...matrix(results, names, rate), ''];
  return [
    '## The paper’s tables, over the simulated NIC',
    '',
    'Thousands of requests per second of CPU; the paper’s figures (one core, 100 GbE, Rust) stand in sosp23.',
    '',
    ...section('Table 1: Google sizes', google, [
      LARDER,
      'protobufjs',
      'protobuf-es',
      'capnp-es',
      'flatbuffers',
    ]),
    ...section('Table 2: CDN images', cdn, ['capnp-es', 'flatbuffers', 'protobuf-es', 'protobufjs', LARDER]),
    ...section('Table 4: hybrid and its halves', google, [LARDER, 'larder-references', 'larder-copies']),
    ...section('Table 5: with and without serialize-and-send', passes, [LARDER, 'larder-list']),
  ];
}

export function markdownReport(report: SerializationReport): string {
  const { machine } = report;
  const thresholds = Object.entries(report.thresholds)
    .map(([over, bytes]) => `${over} ${bytes === null ? 'never' : `${bytes} B`}`)
    .join(', ');
  const lines = [
    '# Serialization: Larder and what a TypeScript developer could have picked',
    '',
    `\`npm run bench -- serialization\` on ${machine.cpu} (${machine.cores} cores), Linux ${machine.kernel}, Node ${machine.node}, ${machine.date.slice(0, 10)}.`,
    `Median of ${report.rounds} rounds of ${report.seconds} s in which the contestants take turns, and of ${report.closeRounds} more, in new processes, of those near a target; server on one core, load on the other.`,
    `The hybrid one references from these sizes on (\`npm run bench -- threshold\`): ${thresholds}.`,
    '',
    'The server is a minimal typed key-value server of the benchmark’s own on Larder’s datapath, the same for every serializer, since the product’s RPC server speaks only Larder. How it works and how each peer is used: [bench/README.md](../../bench/README.md). What is behind the numbers, and how far they can be trusted: [serialization-findings.md](serialization-findings.md). Encoding and decoding alone: [codec.md](codec.md).',
    '',
    '![ratios](serialization.svg)',
    '',
    ...targetSection(targetResults(report)),
    ...ceilingSection(report.modes),
    ...paperSection(report),
  ];
  for (const mode of MODE_ORDER) {
    const results = report.modes.filter((result) => result.mode === mode);
    if (results.length > 0) lines.push(...modeSection(mode, results));
  }
  lines.push(...latencySection(report.latencies));
  return lines.join('\n');
}
