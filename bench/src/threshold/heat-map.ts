/** The heat map of a sweep, as text and as a picture: by how much references are better (+) or worse (−). */
import { Svg } from '../report/svg.ts';
import { gainOf } from './derive.ts';
import type { TargetResult } from './shapes.ts';
import type { ThresholdReport } from './stored.ts';

const TITLES: Readonly<Record<string, string>> = {
  nic: 'simulated NIC',
  'uring-tcp': 'io_uring, TCP',
  'epoll-tcp': 'epoll, TCP',
  'uring-udp': 'io_uring, UDP',
  'epoll-udp': 'epoll, UDP',
};

export function titleOf(target: string): string {
  return TITLES[target] ?? target;
}

export function thresholdText(result: TargetResult): string {
  const { thresholdBytes } = result;
  return thresholdBytes === null ? 'copying is cheaper at every size' : `${thresholdBytes} bytes`;
}

function axes(result: TargetResult): { payloads: number[]; buffers: number[] } {
  const ascending = (values: number[]): number[] => [...new Set(values)].sort((one, other) => one - other);
  return {
    payloads: ascending(result.cells.map((cell) => cell.payloadBytes)),
    buffers: ascending(result.cells.map((cell) => cell.buffers)),
  };
}

function gainAt(result: TargetResult, payloadBytes: number, buffers: number): number | undefined {
  const found = result.cells.find((cell) => cell.payloadBytes === payloadBytes && cell.buffers === buffers);
  return found === undefined ? undefined : gainOf(found);
}

function percent(gain: number): string {
  const value = Math.round(gain * 100);
  return `${value > 0 ? '+' : ''}${value}%`;
}

/** A Markdown table; on a terminal it reads as well. */
export function heatTable(result: TargetResult): string {
  const { payloads, buffers } = axes(result);
  const lines = [
    `| buffers | ${payloads.map((bytes) => `${bytes} B`).join(' | ')} |`,
    `| ---: | ${payloads.map(() => '---:').join(' | ')} |`,
  ];
  for (const count of buffers) {
    const row = payloads.map((bytes) => {
      const gain = gainAt(result, bytes, count);
      return gain === undefined ? '' : percent(gain);
    });
    lines.push(`| ${count} | ${row.join(' | ')} |`);
  }
  return lines.join('\n');
}

const CELL_WIDTH = 62;
const CELL_HEIGHT = 26;
const LEFT = 60;
const TOP = 62;
const GAP = 56;
const COLUMNS = 2;
const WORSE = [194, 65, 12] as const;
const EQUAL = [248, 250, 252] as const;
const BETTER = [21, 128, 61] as const;
/** The gain at which the colour is full. */
const GAIN_FULL = 0.6;

function colour(gain: number): string {
  const end = gain < 0 ? WORSE : BETTER;
  const share = Math.min(1, Math.abs(gain) / GAIN_FULL);
  return `rgb(${EQUAL.map((value, index) => Math.round(value + (end[index]! - value) * share)).join(',')})`;
}

export function drawHeatMaps(report: ThresholdReport): string {
  const first = axes(report.targets[0]!);
  const width = LEFT + first.payloads.length * CELL_WIDTH;
  const height = TOP + first.buffers.length * CELL_HEIGHT + GAP;
  const rows = Math.ceil(report.targets.length / COLUMNS);
  const svg = new Svg(COLUMNS * (width + GAP), 40 + rows * height);
  const { machine } = report;
  svg.text(16, 22, 'References against copies: difference in throughput', {
    'font-size': 16,
    'font-weight': 600,
  });
  svg.text(
    16,
    38,
    `${machine.cpu}, Linux ${machine.kernel}, Node ${machine.node}, ${machine.date.slice(0, 10)}`,
    {
      'font-size': 11,
      fill: '#4a5568',
    },
  );
  report.targets.forEach((result, index) => {
    drawOne(svg, result, (index % COLUMNS) * (width + GAP), 40 + Math.floor(index / COLUMNS) * height);
  });
  return svg.toString();
}

function drawOne(svg: Svg, result: TargetResult, x: number, y: number): void {
  const { payloads, buffers } = axes(result);
  svg.text(x + LEFT, y + 20, `${titleOf(result.target)}: ${thresholdText(result)}`, { 'font-weight': 600 });
  payloads.forEach((bytes, column) => {
    svg.text(x + LEFT + (column + 0.5) * CELL_WIDTH, y + TOP - 8, `${bytes} B`, {
      'text-anchor': 'middle',
      'font-size': 11,
    });
  });
  svg.text(x + 4, y + TOP - 8, 'buffers', { 'font-size': 11 });
  buffers.forEach((count, row) => {
    const top = y + TOP + row * CELL_HEIGHT;
    svg.text(x + LEFT - 10, top + 17, String(count), { 'text-anchor': 'end', 'font-size': 11 });
    payloads.forEach((bytes, column) => {
      const gain = gainAt(result, bytes, count);
      if (gain === undefined) return;
      const left = x + LEFT + column * CELL_WIDTH;
      svg.rectangle(left, top, CELL_WIDTH - 2, CELL_HEIGHT - 2, { fill: colour(gain), stroke: '#cbd5e0' });
      svg.text(left + CELL_WIDTH / 2, top + 17, percent(gain), {
        'text-anchor': 'middle',
        'font-size': 11,
        fill: Math.abs(gain) > GAIN_FULL * 0.7 ? '#ffffff' : '#1f2937',
      });
    });
  });
}
