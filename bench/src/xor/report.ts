/**
 * The report of the XOR benchmark as a page, a picture and text for the terminal.
 */
import { Svg } from '../report/svg.ts';
import type { XorReport, XorResult } from './results.ts';

const gigabytes = (value: number): string => value.toFixed(value < 10 ? 2 : 1);

export function describeXor(result: XorResult): string {
  const { larder, peer, ratio, ratioMin } = result;
  const goal = ratioMin === undefined ? 'no target' : `${result.met ? 'reached' : 'MISSED'}: ≥ ${ratioMin}`;
  return (
    `${result.name.padEnd(16)}${result.title.padEnd(44)}` +
    `${gigabytes(larder.gigabytesPerSecond.median).padStart(6)} GB/s  ` +
    `${peer.name} ${gigabytes(peer.gigabytesPerSecond.median)} GB/s  ` +
    `ratio ${ratio.median.toFixed(2)} (${goal})`
  );
}

export function xorPage(report: XorReport): string {
  const { machine } = report;
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rows = report.results.map((result) => {
    const { median, min, max } = result.ratio;
    return line([
      result.title,
      gigabytes(result.larder.gigabytesPerSecond.median),
      gigabytes(result.peer.gigabytesPerSecond.median),
      result.peer.text,
      `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`,
      result.ratioMin === undefined ? '–' : `≥ ${result.ratioMin}`,
      result.ratioMin === undefined ? '–' : result.met ? 'reached' : '**missed**',
    ]);
  });
  const columns = ['what', 'Larder, GB/s', 'peer, GB/s', 'peer', 'ratio (range)', 'to reach', ''];
  return [
    '# XOR kernels and encoding, side by side',
    '',
    'Written by `npm run bench -- xor`; the numbers behind it are in [xor.json](xor.json). GB/s are 10⁹ bytes of data (sources; parities are not counted) per second on one core. The contestants take turns within one run; the ratio is the median over the turns. Before that, both computed the same bytes where the code is the same.',
    '',
    '![GB/s of Larder and its peers](xor.svg)',
    '',
    line(columns),
    line(columns.map((_, i) => (i === 0 || i === 3 ? '---' : '---:'))),
    ...rows,
    '',
    '"A symbol has 512 KB" is the paper\'s chunk; its stripes (14 to 60 MB with parities) exceed or fill the shared cache, so memory sets the pace of both. "A node has 512 KB" is the same code on stripes of about 7 MB. Jerasure runs the faster of its two schedules with the packet size that is fastest here. Jerasure has no RDP and no STAR: it is given the same bit matrix.',
    '',
    ...report.skipped.map((reason) => `Not compared: ${reason}\n`),
    `Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGigabytes} GB, ${machine.system}, Linux ${machine.kernel}, Node.js ${machine.node}, ${machine.date.slice(0, 10)}. ${report.alternations} turns of ${report.milliseconds} ms each.`,
    '',
  ].join('\n');
}

const WIDTH = 860;
const ROW = 34;
const TOP = 56;
const LEFT = 300;
const RIGHT = 150;
const COLOURS = { larder: '#2563eb', peer: '#94a3b8' } as const;

/** Two bars per case, on one scale. */
export function drawXor(report: XorReport): string {
  const { results } = report;
  const svg = new Svg(WIDTH, TOP + results.length * ROW + 20);
  const most = Math.max(
    1,
    ...results.flatMap(({ larder, peer }) => [larder.gigabytesPerSecond.max, peer.gigabytesPerSecond.max]),
  );
  const scale = (WIDTH - LEFT - RIGHT) / most;
  svg.text(16, 26, 'Data per second on one core, GB/s', { 'font-size': 16, 'font-weight': 'bold' });
  for (const [i, [name, colour]] of [
    ['Larder', COLOURS.larder] as const,
    ['peer', COLOURS.peer] as const,
  ].entries()) {
    svg.rectangle(LEFT + i * 90, 34, 12, 12, { fill: colour });
    svg.text(LEFT + i * 90 + 18, 44, name);
  }
  for (const [i, result] of results.entries()) {
    const y = TOP + i * ROW;
    svg.text(LEFT - 10, y + 18, result.title, { 'text-anchor': 'end' });
    const bars = [
      [result.larder.gigabytesPerSecond.median, COLOURS.larder, ''],
      [result.peer.gigabytesPerSecond.median, COLOURS.peer, ` ${result.peer.name}`],
    ] as const;
    for (const [b, [value, colour, label]] of bars.entries()) {
      svg.rectangle(LEFT, y + 4 + b * 12, value * scale, 11, { fill: colour });
      svg.text(LEFT + value * scale + 5, y + 13 + b * 12, `${gigabytes(value)}${label}`, { 'font-size': 10 });
    }
    const { ratioMin } = result;
    const goal = ratioMin === undefined ? '' : ` (≥ ${ratioMin})`;
    const colour = result.met ? '#15803d' : '#b91c1c';
    svg.text(WIDTH - 12, y + 18, `× ${result.ratio.median.toFixed(2)}${goal}`, {
      'text-anchor': 'end',
      fill: colour,
    });
  }
  return svg.toString();
}
