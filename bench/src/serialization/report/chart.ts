/** The picture of the study: for every workload and mode, how many times each peer Larder's hybrid is. */
import { Svg } from '../../report/svg.ts';
import { NO_SERIALIZER, PEER_NAMES } from '../serializers/registry.ts';
import { WORKLOADS } from '../workloads/workload.ts';
import {
  contestantOf,
  MODE_TITLES,
  type Mode,
  type ModeResult,
  medianRate,
  type SerializationReport,
} from './results.ts';

const WIDTH = 1000;
const LEFT = 190;
const RIGHT = 40;
const ROW = 14;
const HEAD = 24;
const MODES: readonly Mode[] = ['nic', 'tcp', 'udp'];
const COLOURS: Readonly<Record<string, string>> = {
  larder: '#15803d',
  'larder-references': '#65a30d',
  'larder-copies': '#a3e635',
  'larder-list': '#bef264',
  none: '#94a3b8',
};
const PEER_COLOUR = '#c2410c';

const SHOWN: readonly string[] = [
  'larder',
  'larder-references',
  'larder-copies',
  'larder-list',
  ...PEER_NAMES,
  NO_SERIALIZER,
];

function rowsOf(result: ModeResult): { name: string; rate: number }[] {
  return SHOWN.flatMap((name) => {
    const found = contestantOf(result, name);
    return found === undefined ? [] : [{ name, rate: medianRate(found) }];
  });
}

export function drawSerialization(report: SerializationReport): string {
  const shown = report.modes.filter((result) => MODES.includes(result.mode));
  const height = 60 + shown.reduce((sum, result) => sum + HEAD + rowsOf(result).length * ROW + 10, 0);
  const svg = new Svg(WIDTH, height);
  const { machine } = report;
  svg.text(16, 24, 'Requests per second of server CPU', { 'font-size': 17, 'font-weight': 600 });
  svg.text(
    16,
    42,
    `${machine.cpu}, Linux ${machine.kernel}, Node ${machine.node}, ${machine.date.slice(0, 10)}; green: Larder, grey: no serialization; in brackets: Larder as a multiple`,
    { 'font-size': 11, fill: '#4a5568' },
  );
  let y = 60;
  for (const result of shown) {
    y = drawMode(svg, result, y);
  }
  return svg.toString();
}

function drawMode(svg: Svg, result: ModeResult, top: number): number {
  const rows = rowsOf(result);
  const title = WORKLOADS.find((each) => each.name === result.workload)?.title ?? result.workload;
  svg.text(16, top + 14, `${title}, ${MODE_TITLES[result.mode]}`, { 'font-weight': 600 });
  // No serialization can be far ahead; its bar is cut off rather than making the others small.
  const best = Math.max(...rows.filter(({ name }) => name !== NO_SERIALIZER).map(({ rate }) => rate));
  const own = rows.find(({ name }) => name === 'larder')?.rate;
  const scale = (WIDTH - LEFT - RIGHT - 150) / (best * 1.1);
  rows.forEach(({ name, rate }, index) => {
    const y = top + HEAD + index * ROW;
    const width = Math.min(rate, best * 1.1) * scale;
    svg.text(LEFT - 8, y + 10, name, { 'text-anchor': 'end', 'font-size': 11 });
    svg.rectangle(LEFT, y + 1, width, ROW - 3, { fill: COLOURS[name] ?? PEER_COLOUR, rx: 1.5 });
    const multiple = own === undefined || name === 'larder' ? '' : ` (${(own / rate).toFixed(2)})`;
    svg.text(LEFT + width + 6, y + 10, `${Math.round(rate / 1000)} k${multiple}`, { 'font-size': 11 });
  });
  return top + HEAD + rows.length * ROW + 10;
}
