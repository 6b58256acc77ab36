/**
 * A cache benchmark in words: the lines printed after each case, and the page under docs/evaluation/.
 */
import {
  type CapacityResult,
  type CaseResult,
  type CompareResult,
  type CrossCheckResult,
  type GrowthResult,
  medianOf,
  type PauseMeasurement,
  type Report,
  type RunSummary,
  targetText,
} from '../cache/results.ts';

const METRIC_TITLES = {
  keysPerCpuSecond: 'keys per server CPU second',
  cpuPerKey: 'server CPU per key',
  p99Us: 'p99',
} as const;
/** Shares above which a measurement is called disturbed. Servers of several threads also wait for themselves. */
const WAITED_SHARE_MAX = 0.2;
const LOAD_WAITED_SHARE_MAX = 0.05;

export function formatCount(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)} M`;
  return value >= 1e4 ? `${Math.round(value / 1e3)} k` : String(Math.round(value));
}

export function formatMicroseconds(us: number): string {
  if (!Number.isFinite(us)) return '–';
  if (us >= 10_000) return `${(us / 1000).toFixed(1)} ms`;
  return us >= 100 ? `${Math.round(us)} µs` : `${us.toFixed(1)} µs`;
}

function verdict(met: boolean): string {
  return met ? 'met' : 'NOT MET';
}

/** What is printed when a case is done. */
export function describeResult(result: CaseResult): string {
  if (result.kind === 'compare') return describeCompare(result);
  if (result.kind === 'capacity') return describeCapacity(result);
  if (result.kind === 'growth') return describeGrowth(result);
  return `${result.name}: ${result.title}\n  failed: ${result.error}`;
}

function describeCompare(result: CompareResult): string {
  const lines = [`${result.name}: ${result.title}`];
  for (const { label, runs } of [result.peer, result.subject]) {
    const lost = runs.reduce((sum, run) => sum + run.lost, 0);
    lines.push(
      [
        `  ${label.padEnd(20)}`,
        `${formatCount(medianOf(runs, (run) => run.keysPerSecond)).padStart(8)} keys/s`,
        `${formatCount(medianOf(runs, (run) => run.keysPerCpuSecond)).padStart(8)} keys/CPU s`,
        `p50 ${formatMicroseconds(medianOf(runs, (run) => run.p50Us))}`,
        `p99 ${formatMicroseconds(medianOf(runs, (run) => run.p99Us))}`,
        `p999 ${formatMicroseconds(medianOf(runs, (run) => run.p999Us))}`,
        `server ${percent(medianOf(runs, (run) => run.serverBusy))}`,
        `load ${percent(medianOf(runs, (run) => run.loadBusy))}`,
        `waited ${percent(medianOf(runs, (run) => run.serverWaited))}`,
        ...(lost === 0 ? [] : [`lost ${lost}`]),
      ].join('  '),
    );
  }
  const { median, min, max } = result.ratio;
  lines.push(
    `  ratio of ${METRIC_TITLES[result.metric]}: ${median.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)}), target ${targetText(result.target)}: ${verdict(result.met)}`,
  );
  const note = disturbance(result);
  if (note !== '') lines.push(`  ${note}`);
  return lines.join('\n');
}

/** A warning when something else ran on the CPUs of the benchmark. */
function disturbance(result: CompareResult): string {
  const runs = [...result.peer.runs, ...result.subject.runs];
  const waited = Math.max(...runs.map((run) => run.serverWaited));
  const loadWaited = Math.max(...runs.map((run) => run.loadWaited));
  if (waited <= WAITED_SHARE_MAX && loadWaited <= LOAD_WAITED_SHARE_MAX) return '';
  return `Disturbed: something else had the CPU for up to ${percent(waited)} of a run when a server wanted it, ${percent(loadWaited)} when the load generator did.`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}

function describeCapacity(result: CapacityResult): string {
  const { items, residentMegabytes } = result;
  return [
    `${result.name}: ${result.title}`,
    `  memcached  ${items.memcached} items, ${residentMegabytes.memcached.toFixed(0)} MB resident`,
    `  larder     ${items.larder} items, ${residentMegabytes.larder.toFixed(0)} MB resident (at most ${result.residentMegabytesMax.toFixed(0)})`,
    `  ratio ${result.ratio.toFixed(3)}, target ${targetText(result.target)} and resident memory: ${verdict(result.met)}`,
  ].join('\n');
}

function describeGrowth(result: GrowthResult): string {
  const line = (label: string, pause: PauseMeasurement): string =>
    `  ${label.padEnd(10)} longest wait ${pause.steadyMaxMs.toFixed(2)} ms without growth, ${pause.growingMaxMs.toFixed(2)} ms with it` +
    ` (p99.9 ${pause.steadyP999Ms.toFixed(2)}, ${pause.growingP999Ms.toFixed(2)}); hash power ${pause.hashPowerBefore} to ${pause.hashPowerAfter};` +
    ` load generator away for at most ${pause.loadStallMs.toFixed(2)} ms;` +
    ` waited for a CPU: server ${percent(pause.serverWaited)}, load generator ${percent(pause.loadWaited)}` +
    (pause.serverLongestSliceMs === undefined
      ? ''
      : `; longest slice of maintenance ${pause.serverLongestSliceMs.toFixed(2)} ms`);
  return [
    `${result.name}: ${result.title}`,
    line('memcached', result.memcached),
    line('larder', result.larder),
    `  added by growth at most ${result.pauseMsMax} ms: ${verdict(result.met)}`,
  ].join('\n');
}

const STEERED =
  'In a network namespace with receive flow steering: each process pays for its own receiving, as between two machines. On plain loopback the sender pays for the receiver, which weighs the same on every server and hides what differs ([cache.md](cache.md)).';

/** The page that is committed beside the numbers. */
export function markdownReport(report: Report, name: string): string {
  const isSteered = name !== 'cache';
  const { machine } = report;
  const lines = [
    '# Cache server: side by side with memcached',
    '',
    `Written by \`npm run bench -- cache${isSteered ? ' --receive-steering' : ''}\`; the numbers behind it are in [${name}.json](${name}.json). How it is measured: [bench/README.md](../../bench/README.md).`,
    ...(isSteered ? ['', STEERED] : []),
    '',
    `- Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGigabytes} GB; ${machine.system}, Linux ${machine.kernel} (${machine.architecture})`,
    `- Software: Node.js ${machine.node}, ${machine.memcached}`,
    `- Date: ${machine.date.slice(0, 10)}; ${alternations(report)} alternations of ${report.seconds} s per server and case, server pinned to one core, load generator to another`,
    '',
    `![Ratios to memcached with their targets, and latency curves](${name}.svg)`,
    '',
  ];
  lines.push(...compareTable(report.cases), ...capacityTable(report.cases), ...growthTable(report.cases));
  lines.push(...failures(report.cases));
  if (report.crossCheck !== undefined) lines.push(...crossCheckSection(report.crossCheck));
  return `${lines.join('\n')}\n`;
}

/** Cases that were run again may have been given more turns: `5`, or `5 to 7`. */
function alternations(report: Report): string {
  const counts = report.cases.flatMap((result) =>
    result.kind === 'compare' ? [result.peer.runs.length] : [],
  );
  if (counts.length === 0) return String(report.alternations);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return least === most ? String(least) : `${least} to ${most}`;
}

function compareTable(cases: readonly CaseResult[]): string[] {
  const rows = cases.filter((result): result is CompareResult => result.kind === 'compare');
  if (rows.length === 0) return [];
  const lines = [
    '## Throughput, CPU and latency',
    '',
    'Medians over the alternations. The ratio is the median of the pairwise ratios, with the lowest and the highest.',
    '',
    '| case | server | keys/s | keys per CPU s | p50 | p99 | p99.9 | ratio | target | |',
    '| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |',
  ];
  for (const result of rows) {
    const { median, min, max } = result.ratio;
    const ratio = `**${median.toFixed(2)}** (${min.toFixed(2)}–${max.toFixed(2)})`;
    lines.push(`| ${result.title} | ${result.peer.label} | ${cells(result.peer.runs)} | | | |`);
    lines.push(
      `| | ${result.subject.label} | ${cells(result.subject.runs)} | ${ratio} | ${targetText(result.target)} | ${verdict(result.met)} |`,
    );
  }
  lines.push(
    '',
    ...rows.map(
      (result) =>
        `- **${result.title}** (${METRIC_TITLES[result.metric]}): ${[result.about, lostNote(result), disturbance(result)].filter((text) => text !== '').join(' ')}`,
    ),
    '',
  );
  return lines;
}

function lostNote(result: CompareResult): string {
  const lost = (runs: readonly RunSummary[]): number => runs.reduce((sum, run) => sum + run.lost, 0);
  const [peer, subject] = [lost(result.peer.runs), lost(result.subject.runs)];
  return peer + subject === 0
    ? ''
    : `Datagrams lost: ${result.peer.label} ${peer}, ${result.subject.label} ${subject}.`;
}

function cells(runs: readonly RunSummary[]): string {
  return [
    formatCount(medianOf(runs, (run) => run.keysPerSecond)),
    formatCount(medianOf(runs, (run) => run.keysPerCpuSecond)),
    formatMicroseconds(medianOf(runs, (run) => run.p50Us)),
    formatMicroseconds(medianOf(runs, (run) => run.p99Us)),
    formatMicroseconds(medianOf(runs, (run) => run.p999Us)),
  ].join(' | ');
}

function capacityTable(cases: readonly CaseResult[]): string[] {
  const rows = cases.filter((result): result is CapacityResult => result.kind === 'capacity');
  if (rows.length === 0) return [];
  return [
    '## Items held and resident memory',
    '',
    '| case | values | stored | memcached holds | Larder holds | ratio | target | memcached resident | Larder resident | at most | |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |',
    ...rows.map(
      (result) =>
        `| ${result.title} | ${result.valueBytes} B | ${result.stored} | ${result.items.memcached} | ${result.items.larder} | **${result.ratio.toFixed(2)}** | ${targetText(result.target)} | ${result.residentMegabytes.memcached.toFixed(0)} MB | ${result.residentMegabytes.larder.toFixed(0)} MB | ${result.residentMegabytesMax.toFixed(0)} MB | ${verdict(result.met)} |`,
    ),
    '',
  ];
}

function growthTable(cases: readonly CaseResult[]): string[] {
  const rows = cases.filter((result): result is GrowthResult => result.kind === 'growth');
  if (rows.length === 0) return [];
  const lines = [
    '## Pauses while the index grows',
    '',
    'The longest (and p99.9) wait of a steady trickle of gets while sets run at full speed: of keys that are there already, and of new ones until the index has grown.',
    '',
    '| server | no growth | growing | hash power | sets/s | load generator away | longest slice of maintenance |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
  ];
  for (const result of rows) {
    for (const [label, pause] of [
      ['memcached', result.memcached],
      ['Larder', result.larder],
    ] as const) {
      const slice =
        pause.serverLongestSliceMs === undefined ? '–' : `${pause.serverLongestSliceMs.toFixed(2)} ms`;
      lines.push(
        `| ${label} | ${pause.steadyMaxMs.toFixed(2)} (${pause.steadyP999Ms.toFixed(2)}) ms | ${pause.growingMaxMs.toFixed(2)} (${pause.growingP999Ms.toFixed(2)}) ms | ${pause.hashPowerBefore} → ${pause.hashPowerAfter} | ${formatCount(pause.setsPerSecond)} | ${pause.loadStallMs.toFixed(2)} ms | ${slice} |`,
      );
    }
    lines.push('', `Added by growth, at most ${result.pauseMsMax} ms: ${verdict(result.met)}.`, '');
  }
  return lines;
}

function failures(cases: readonly CaseResult[]): string[] {
  const rows = cases.filter((result) => result.kind === 'failed');
  if (rows.length === 0) return [];
  return ['## Failed', '', ...rows.map((result) => `- ${result.title}: ${result.error}`), ''];
}

/** What is printed when the cross-check is done. */
export function describeCrossCheck(check: CrossCheckResult): string {
  return [
    "cross-check: server CPU per key under our load generator's and a third party's gets",
    `  ours        ${check.ours.median.toFixed(2)} µs (${check.ours.min.toFixed(2)} to ${check.ours.max.toFixed(2)}), ${formatCount(check.oursKeysPerSecond)} keys/s`,
    `  theirs      ${check.theirs.median.toFixed(2)} µs (${check.theirs.min.toFixed(2)} to ${check.theirs.max.toFixed(2)}), ${formatCount(check.theirsKeysPerSecond)} keys/s (${check.tool})`,
  ].join('\n');
}

function crossCheckSection(check: CrossCheckResult): string[] {
  const range = (spread: { median: number; min: number; max: number }): string =>
    `${spread.median.toFixed(2)} µs (${spread.min.toFixed(2)}–${spread.max.toFixed(2)})`;
  const difference = (check.ours.median / check.theirs.median - 1) * 100;
  return [
    '## Cross-check of the load generator',
    '',
    `Single gets of 32-byte values, 50 connections, one in flight, against the same memcached; server CPU time per key. Measured ${check.measuredAt.slice(0, 10)}.`,
    '',
    '| generator | server CPU per key | keys/s |',
    '| --- | ---: | ---: |',
    `| Larder's | ${range(check.ours)} | ${formatCount(check.oursKeysPerSecond)} |`,
    `| ${check.tool} | ${range(check.theirs)} | ${formatCount(check.theirsKeysPerSecond)} |`,
    '',
    `The two differ by ${difference.toFixed(1)}%.`,
    '',
  ];
}
