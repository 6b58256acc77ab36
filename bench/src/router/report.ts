/** A router benchmark in words and as a picture: what is printed, and the page under docs/evaluation/. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { medianOf, type RunSummary } from '../cache/results.ts';
import { formatCount, formatMicroseconds } from '../report/cache-tables.ts';
import { Svg } from '../report/svg.ts';
import { ROUTER_CASES } from './cases.ts';
import { isLatency, type RouterReport, type RouterResult } from './results.ts';

const NAME = 'router';
const WIDTH = 820;
const MARGIN = 24;
const LABEL_WIDTH = 250;
const VALUE_WIDTH = 170;
const ROW_HEIGHT = 28;
const BAR_HEIGHT = 14;
const TOP = 64;
const MET = '#2f855a';
const MISSED = '#c05621';
const MUTED = '#4a5568';
const GRID = '#e2e8f0';
const MARK = '#1a202c';

function goalText(result: RouterResult): string {
  const goal = `${isLatency(result) ? '≤' : '≥'} ${result.target}`;
  return result.isGoal ? goal : `(${goal})`;
}

function verdict(result: RouterResult): string {
  return result.met ? 'met' : 'NOT MET';
}

/** What is printed when a case is done. */
export function describeRouterResult(result: RouterResult): string {
  const line = (label: string, runs: readonly RunSummary[]): string =>
    [
      `  ${label.padEnd(12)}`,
      `${formatCount(medianOf(runs, (run) => run.keysPerSecond) / result.keysPerGet).padStart(8)} requests/s`,
      `${formatCount(medianOf(runs, (run) => run.keysPerCpuSecond) / result.keysPerGet).padStart(8)} requests/CPU s`,
      `p50 ${formatMicroseconds(medianOf(runs, (run) => run.p50Us))}`,
      `p99 ${formatMicroseconds(medianOf(runs, (run) => run.p99Us))}`,
      `busy ${Math.round(100 * medianOf(runs, (run) => run.serverBusy))}%`,
      `load ${Math.round(100 * medianOf(runs, (run) => run.loadBusy))}%`,
    ].join('  ');
  const { median, min, max } = result.ratio;
  const what = isLatency(result) ? 'p50' : 'requests per CPU second';
  return [
    `${result.name}: ${result.title}`,
    ...(result.direct.length === 0 ? [] : [line('no proxy', result.direct)]),
    line('twemproxy', result.twemproxy),
    line('larder', result.larder),
    `  ratio of ${what}: ${median.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)}), target ${goalText(result)}: ${verdict(result)}`,
  ].join('\n');
}

function row(result: RouterResult): string {
  const rate = (runs: readonly RunSummary[]): string =>
    formatCount(medianOf(runs, (run) => run.keysPerCpuSecond) / result.keysPerGet);
  const p50 = (runs: readonly RunSummary[]): string => formatMicroseconds(medianOf(runs, (run) => run.p50Us));
  const { median, min, max } = result.ratio;
  const cells = [
    result.title,
    rate(result.twemproxy),
    rate(result.larder),
    result.direct.length === 0 ? '–' : p50(result.direct),
    p50(result.twemproxy),
    p50(result.larder),
    `**${median.toFixed(2)}** (${min.toFixed(2)}–${max.toFixed(2)})`,
    goalText(result),
    verdict(result),
  ];
  return `| ${cells.join(' | ')} |`;
}

function routerPage(report: RouterReport): string {
  const { machine } = report;
  return [
    '# The router beside twemproxy',
    '',
    'Written by `npm run bench -- router`; do not edit. Numbers in `router.json`, picture in `router.svg`.',
    '',
    '![ratios](router.svg)',
    '',
    `${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}, ${machine.system}, Node ${machine.node}, ${machine.twemproxy}, ${machine.memcached}, ${machine.date.slice(0, 10)}.`,
    `Each proxy has one thread on a CPU of its own, and one connection to each of ${report.servers} memcached servers, which share the other CPU with the load generator. Larder's transport: ${report.transport}. Runs of ${report.seconds} s alternate (${report.alternations} each); a ratio is taken between runs that followed each other, its median decides. Every reply is verified byte for byte.`,
    '',
    '| case | twemproxy, requests per CPU s | Larder, requests per CPU s | p50 without a proxy | p50 twemproxy | p50 Larder | ratio | target | |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |',
    ...report.cases.map(row),
    '',
    "Ratios of the first kind are Larder / twemproxy in requests per second of the proxy's own CPU time (more is better); of the latency cases, in microseconds of the median (less is better): what both proxies add is added to the same median without a proxy, which is shown beside them. Targets in brackets are not the issue's; the case is there to look at.",
    '',
    ...report.cases.map((result) => `- **${result.title}**: ${result.about}`),
    '',
  ].join('\n');
}

function drawRouter(report: RouterReport): string {
  const svg = new Svg(WIDTH, TOP + report.cases.length * ROW_HEIGHT + 48);
  const { machine } = report;
  svg.text(MARGIN, 28, 'Larder router / twemproxy', { 'font-size': 17, 'font-weight': 600 });
  const facts = `${machine.cpu}, Node ${machine.node}, ${machine.twemproxy}, ${machine.date.slice(0, 10)}`;
  svg.text(MARGIN, 46, `${facts}; median, whiskers: all alternations`, { fill: MUTED, 'font-size': 11 });
  const left = MARGIN + LABEL_WIDTH;
  const right = WIDTH - MARGIN - VALUE_WIDTH;
  const largest = 1.2 * Math.max(...report.cases.map((each) => Math.max(each.ratio.median, each.target)), 1);
  const scale = (value: number): number =>
    left + (Math.max(0, Math.min(value, largest)) / largest) * (right - left);
  const bottom = TOP + report.cases.length * ROW_HEIGHT;
  for (let tick = 0; tick <= largest; tick += 0.5) {
    svg.line(scale(tick), TOP, scale(tick), bottom, { stroke: GRID, 'stroke-width': tick === 1 ? 2 : 1 });
    svg.text(scale(tick), bottom + 16, tick.toFixed(1), {
      'text-anchor': 'middle',
      fill: MUTED,
      'font-size': 11,
    });
  }
  report.cases.forEach((result, index) => {
    const middle = TOP + index * ROW_HEIGHT + ROW_HEIGHT / 2;
    const { ratio, target } = result;
    const fill = result.met ? MET : MISSED;
    svg.text(left - 10, middle + 4, result.title, { 'text-anchor': 'end' });
    svg.rectangle(left, middle - BAR_HEIGHT / 2, scale(ratio.median) - left, BAR_HEIGHT, { fill, rx: 2 });
    svg.line(scale(ratio.min), middle, scale(ratio.max), middle, { stroke: MARK, 'stroke-width': 1.2 });
    svg.line(scale(target), middle - 12, scale(target), middle + 12, { stroke: MARK, 'stroke-width': 2.5 });
    svg.text(right + 14, middle + 4, ratio.median.toFixed(2), { 'font-weight': 600 });
    svg.text(right + 54, middle + 4, `target ${goalText(result)} ${result.met ? '✓' : '✗'}`, { fill });
  });
  return svg.toString();
}

/** Writes the three files; cases that were not run now are kept from an earlier report of the same machine. */
export function writeRouterReport(folder: string, report: RouterReport): string[] {
  mkdirSync(folder, { recursive: true });
  const merged = mergeWith(folder, report);
  const files: [name: string, text: string][] = [
    [`${NAME}.json`, `${JSON.stringify(merged, undefined, 1)}\n`],
    [`${NAME}.svg`, drawRouter(merged)],
    [`${NAME}.md`, routerPage(merged)],
  ];
  return files.map(([name, text]) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  });
}

function mergeWith(folder: string, report: RouterReport): RouterReport {
  let earlier: RouterReport;
  try {
    earlier = JSON.parse(readFileSync(join(folder, `${NAME}.json`), 'utf8')) as RouterReport;
  } catch {
    return report;
  }
  const isSame =
    earlier.transport === report.transport &&
    (['cpu', 'cores', 'kernel', 'node', 'memcached', 'twemproxy'] as const).every(
      (field) => earlier.machine[field] === report.machine[field],
    );
  if (!isSame) return report;
  const results = new Map([...earlier.cases, ...report.cases].map((result) => [result.name, result]));
  return { ...report, cases: ROUTER_CASES.flatMap((spec) => results.get(spec.name) ?? []) };
}
