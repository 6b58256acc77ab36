/**
 * The picture of a cache benchmark: one bar per case with its ratio, the spread over the alternations and a
 * mark where the target is; below, the latency curves of the open-loop case.
 */
import type { CaseResult, CompareResult, Report, RunSummary } from '../cache/results.ts';
import { median } from '../harness/statistics.ts';
import { Svg } from './svg.ts';

const WIDTH = 860;
const MARGIN = 24;
const LABEL_WIDTH = 250;
const VALUE_WIDTH = 150;
const ROW_HEIGHT = 26;
const BAR_HEIGHT = 14;
const HEADER_HEIGHT = 64;
const CURVE_HEIGHT = 300;
/** Room on the axis for whiskers, beyond the longest bar. */
const HEADROOM = 1.15;
const MET = '#2f855a';
const MISSED = '#c05621';
const PEER = '#718096';
const GRID = '#e2e8f0';
const MARK = '#1a202c';
const MUTED = '#4a5568';

interface Bar {
  readonly title: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly target: number;
  readonly isCeiling: boolean;
  readonly met: boolean;
}

/** Results that are a ratio to a target. */
function barsOf(cases: readonly CaseResult[]): Bar[] {
  const bars: Bar[] = [];
  for (const result of cases) {
    if (result.kind !== 'compare' && result.kind !== 'capacity') continue;
    const { target, title, met } = result;
    const isCeiling = 'atMost' in target;
    const limit = 'atMost' in target ? target.atMost : target.atLeast;
    const ratio =
      result.kind === 'compare'
        ? result.ratio
        : { median: result.ratio, min: result.ratio, max: result.ratio };
    bars.push({ title, ...ratio, target: limit, isCeiling, met });
  }
  return bars;
}

export function drawReport(report: Report): string {
  const bars = barsOf(report.cases);
  const curves = report.cases.filter(
    (result): result is CompareResult => result.kind === 'compare' && result.ratePerSecond > 0,
  );
  const barsHeight = HEADER_HEIGHT + bars.length * ROW_HEIGHT + 40;
  const svg = new Svg(WIDTH, barsHeight + curves.length * (CURVE_HEIGHT + HEADER_HEIGHT) + MARGIN);
  svg.text(MARGIN, 28, 'Larder / memcached, side by side', { 'font-size': 17, 'font-weight': 600 });
  const { machine } = report;
  svg.text(
    MARGIN,
    46,
    `${machine.cpu}, Linux ${machine.kernel}, Node ${machine.node}, ${machine.memcached}, ${machine.date.slice(0, 10)}; median of ${report.alternations} alternations, whiskers: all of them`,
    { fill: MUTED, 'font-size': 11 },
  );
  if (bars.length > 0) drawBars(svg, bars, HEADER_HEIGHT);
  curves.forEach((result, index) => {
    drawCurves(svg, result, barsHeight + index * (CURVE_HEIGHT + HEADER_HEIGHT));
  });
  return svg.toString();
}

function drawBars(svg: Svg, bars: readonly Bar[], top: number): void {
  const left = MARGIN + LABEL_WIDTH;
  const right = WIDTH - MARGIN - VALUE_WIDTH;
  // A whisker that is far out (a latency in one bad run) must not make all bars small: it is cut off.
  const largest = Math.max(...bars.map((bar) => Math.max(bar.median, bar.target)), 1) * HEADROOM;
  const scale = (value: number): number =>
    left + (Math.min(value, largest * 1.04) / (largest * 1.04)) * (right - left);
  const bottom = top + bars.length * ROW_HEIGHT;
  for (let tick = 0; tick <= largest * 1.04; tick += 0.5) {
    const isOne = tick === 1;
    svg.line(scale(tick), top, scale(tick), bottom, {
      stroke: isOne ? PEER : GRID,
      'stroke-width': isOne ? 1.5 : 1,
    });
    svg.text(scale(tick), bottom + 16, tick.toFixed(1), {
      'text-anchor': 'middle',
      fill: MUTED,
      'font-size': 11,
    });
  }
  bars.forEach((bar, index) => {
    const y = top + index * ROW_HEIGHT;
    const middle = y + ROW_HEIGHT / 2;
    svg.text(left - 10, middle + 4, bar.title, { 'text-anchor': 'end' });
    svg.rectangle(left, middle - BAR_HEIGHT / 2, scale(bar.median) - left, BAR_HEIGHT, {
      fill: bar.met ? MET : MISSED,
      rx: 2,
    });
    svg.line(scale(bar.min), middle, scale(bar.max), middle, { stroke: MARK, 'stroke-width': 1.2 });
    svg.line(scale(bar.target), y + 2, scale(bar.target), y + ROW_HEIGHT - 2, {
      stroke: MARK,
      'stroke-width': 2.5,
    });
    const relation = bar.isCeiling ? '≤' : '≥';
    svg.text(right + 14, middle + 4, bar.median.toFixed(2), { 'font-weight': 600 });
    svg.text(right + 52, middle + 4, `target ${relation} ${bar.target} ${bar.met ? '✓' : '✗'}`, {
      fill: bar.met ? MET : MISSED,
    });
  });
}

/** Percentiles on an axis of rareness: 0, 90, 99, 99.9 … are equally far apart. */
function rareness(percentile: number): number {
  return -Math.log10(1 - percentile / 100);
}

function drawCurves(svg: Svg, result: CompareResult, top: number): void {
  const left = MARGIN + 60;
  const right = WIDTH - MARGIN - 110;
  const bottom = top + CURVE_HEIGHT;
  svg.text(MARGIN, top, result.title, { 'font-size': 14, 'font-weight': 600 });
  svg.text(
    MARGIN,
    top + 17,
    `${result.ratePerSecond} gets/s arriving at random; microseconds by percentile`,
    {
      fill: MUTED,
      'font-size': 11,
    },
  );
  const curves = [
    { label: result.peer.label, color: PEER, points: medianCurve(result.peer.runs) },
    { label: result.subject.label, color: MET, points: medianCurve(result.subject.runs) },
  ];
  const values = curves.flatMap((curve) => curve.points.map(([, us]) => us));
  if (values.length === 0) return;
  const low = Math.floor(Math.log10(Math.max(1, Math.min(...values))));
  const high = Math.ceil(Math.log10(Math.max(...values)));
  const x = (percentile: number): number => left + (rareness(percentile) / rareness(99.999)) * (right - left);
  const y = (us: number): number =>
    bottom - ((Math.log10(Math.max(us, 10 ** low)) - low) / Math.max(1, high - low)) * (CURVE_HEIGHT - 40);
  for (let decade = low; decade <= high; decade++) {
    svg.line(left, y(10 ** decade), right, y(10 ** decade), { stroke: GRID });
    svg.text(left - 8, y(10 ** decade) + 4, `${10 ** decade} µs`, {
      'text-anchor': 'end',
      fill: MUTED,
      'font-size': 11,
    });
  }
  for (const percentile of [0, 90, 99, 99.9, 99.99, 99.999]) {
    svg.line(x(percentile), bottom, x(percentile), top + 40, { stroke: GRID });
    svg.text(x(percentile), bottom + 16, `${percentile}%`, {
      'text-anchor': 'middle',
      fill: MUTED,
      'font-size': 11,
    });
  }
  const ends: number[] = [];
  // From the top down, so that labels that are moved apart keep the order of their curves.
  const byEnd = curves.toSorted((one, other) => lastOf(other.points) - lastOf(one.points));
  for (const { label, color, points } of byEnd) {
    const path = points.map(([percentile, us]) => [x(percentile), y(us)] as const);
    svg.path(path, { stroke: color, 'stroke-width': 2 });
    let end = path.at(-1)![1] + 4;
    // Labels of curves that end close together are moved apart.
    while (ends.some((other) => Math.abs(other - end) < 14)) end += 14;
    ends.push(end);
    svg.text(right + 8, end, label, { fill: color, 'font-weight': 600 });
  }
}

function lastOf(points: readonly (readonly [percentile: number, us: number])[]): number {
  return points.at(-1)?.[1] ?? 0;
}

/** The median over runs at each percentile, up to the last that the axis shows. */
function medianCurve(runs: readonly RunSummary[]): [percentile: number, us: number][] {
  const first = runs[0]?.latency ?? [];
  return first
    .map(([percentile], index): [number, number] => [
      percentile,
      median(runs.map((run) => run.latency[index]?.[1] ?? Number.NaN)),
    ])
    .filter(([percentile, us]) => percentile <= 99.999 && Number.isFinite(us));
}
