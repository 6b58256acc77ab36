/** What the codec benchmark found, its targets, and its page. */
import type { BenchMachine } from '../harness/machine.ts';
import { median } from '../harness/statistics.ts';
import { Svg } from '../report/svg.ts';
import { MESSAGES, TARGET_MESSAGE } from './messages.ts';
import type { Allocations, CodecNumbers } from './process.ts';

export interface CodecResult {
  readonly serializer: string;
  readonly message: string;
  /** One for each round. */
  readonly runs: readonly CodecNumbers[];
  readonly allocations: Allocations;
}

export interface CodecReport {
  readonly machine: BenchMachine;
  readonly rounds: number;
  readonly seconds: number;
  readonly results: readonly CodecResult[];
}

export interface CodecTarget {
  readonly title: string;
  readonly value: number;
  readonly wanted: string;
  readonly met: boolean;
}

const ENCODE_RATIO = 1.5;
const DECODE_RATIO = 1;
const OBJECTS_MAX = 2;
const LARDER = 'larder';
const PROTOBUFJS = 'protobufjs';
const FINISH = 'protobufjs-finish';

function resultOf(report: CodecReport, serializer: string, message: string): CodecResult | undefined {
  return report.results.find((each) => each.serializer === serializer && each.message === message);
}

/** How many times as fast one is, in rounds that followed each other. */
function ratio(other: CodecResult, own: CodecResult, of: (numbers: CodecNumbers) => number): number {
  return median(own.runs.map((run, round) => of(other.runs[round]!) / of(run)));
}

export function codecTargets(report: CodecReport): CodecTarget[] {
  const own = resultOf(report, LARDER, TARGET_MESSAGE);
  const targets: CodecTarget[] = [];
  if (own === undefined) return targets;
  const add = (title: string, value: number, atLeast: number): void => {
    targets.push({ title, value, wanted: `≥ ${atLeast}`, met: value >= atLeast });
  };
  for (const peer of [PROTOBUFJS, FINISH]) {
    const other = resultOf(report, peer, TARGET_MESSAGE);
    if (other === undefined) continue;
    add(
      `encode getM of 8 values, against ${peer}`,
      ratio(other, own, (run) => run.encodeNs),
      ENCODE_RATIO,
    );
    add(
      `decode and read all of it, against ${peer}`,
      ratio(other, own, (run) => run.decodeNs),
      DECODE_RATIO,
    );
  }
  const objects = own.allocations.encodeObjects;
  targets.push({
    title: 'JavaScript objects per encoded getM of 8 values',
    value: objects,
    wanted: `≤ ${OBJECTS_MAX}`,
    met: objects <= OBJECTS_MAX,
  });
  return targets;
}

function table(
  report: CodecReport,
  names: readonly string[],
  cell: (result: CodecResult) => string,
): string[] {
  const rows = names.map((name) => {
    const cells = MESSAGES.map((message) => {
      const result = resultOf(report, name, message.name);
      return result === undefined ? '' : cell(result);
    });
    return `| ${name} | ${cells.join(' | ')} |`;
  });
  return [
    `| | ${MESSAGES.map(({ title }) => title).join(' | ')} |`,
    `| --- |${MESSAGES.map(() => ' ---: |').join('')}`,
    ...rows,
  ];
}

export function codecMarkdown(report: CodecReport): string {
  const { machine } = report;
  const names = [...new Set(report.results.map(({ serializer }) => serializer))];
  const medianOf = (result: CodecResult, of: (run: CodecNumbers) => number): string =>
    Math.round(median(result.runs.map(of))).toString();
  return [
    '# Encoding and decoding alone',
    '',
    `\`npm run bench -- codec\` on ${machine.cpu}, Linux ${machine.kernel}, Node ${machine.node}, ${machine.date.slice(0, 10)}; replies \`{ id, repeated bytes vals }\` of the key-value server. Everything is in the caches here; what large values cost in life is in [serialization.md](serialization.md). Median of ${report.rounds} rounds.`,
    '',
    'Encoding writes to the memory that would be sent; Larder’s references are posted and given back. Decoding reads every value far enough to use its bytes. `protobufjs` writes into the sent memory through its public buffer and position, `protobufjs-finish` is its documented use.',
    '',
    '![codec](codec.svg)',
    '',
    '| target | value | wanted | |',
    '| --- | ---: | ---: | --- |',
    ...codecTargets(report).map(
      ({ title, value, wanted, met }) =>
        `| ${title} | ${value.toFixed(2)} | ${wanted} | ${met ? 'met' : '**missed**'} |`,
    ),
    '',
    '## Encode, ns per message',
    '',
    ...table(report, names, (result) => medianOf(result, (run) => run.encodeNs)),
    '',
    '## Decode and read all, ns per message',
    '',
    ...table(report, names, (result) => medianOf(result, (run) => run.decodeNs)),
    '',
    '## Bytes allocated per encoded message',
    '',
    ...table(report, names, (result) => Math.max(0, Math.round(result.allocations.encodeBytes)).toString()),
    '',
    '## Bytes allocated per decoded message',
    '',
    ...table(report, names, (result) => Math.max(0, Math.round(result.allocations.decodeBytes)).toString()),
    '',
    '## JavaScript objects per encoded message',
    '',
    ...table(report, names, (result) => result.allocations.encodeObjects.toFixed(1)),
    '',
  ].join('\n');
}

const WIDTH = 900;
const LEFT = 170;
const ROW = 15;

/** Bars of encode and decode times, a block per message. */
export function drawCodec(report: CodecReport): string {
  const names = [...new Set(report.results.map(({ serializer }) => serializer))];
  const block = 34 + names.length * ROW;
  const svg = new Svg(WIDTH, 50 + MESSAGES.length * block);
  svg.text(16, 24, 'Nanoseconds per message: encode (dark), decode and read all (light)', {
    'font-size': 16,
    'font-weight': 600,
  });
  MESSAGES.forEach((message, index) => {
    const top = 50 + index * block;
    svg.text(16, top + 12, message.title, { 'font-weight': 600 });
    const shown = names.flatMap((name) => resultOf(report, name, message.name) ?? []);
    const times = shown.map((result) => ({
      name: result.serializer,
      encode: median(result.runs.map((run) => run.encodeNs)),
      decode: median(result.runs.map((run) => run.decodeNs)),
    }));
    // Bars end at four times the middle: the slowest would make all others small.
    const limit = 4 * median(times.map(({ encode }) => encode));
    const scale = (WIDTH - LEFT - 150) / (2 * limit);
    times.forEach(({ name, encode, decode }, row) => {
      const y = top + 20 + row * ROW;
      const own = name.startsWith(LARDER);
      const first = Math.min(encode, limit) * scale;
      const second = Math.min(decode, limit) * scale;
      svg.text(LEFT - 8, y + 10, name, { 'text-anchor': 'end', 'font-size': 11 });
      svg.rectangle(LEFT, y, first, ROW - 3, { fill: own ? '#15803d' : '#c2410c' });
      svg.rectangle(LEFT + first, y, second, ROW - 3, { fill: own ? '#86efac' : '#fdba74' });
      svg.text(LEFT + first + second + 6, y + 10, `${Math.round(encode)} + ${Math.round(decode)}`, {
        'font-size': 11,
      });
    });
  });
  return svg.toString();
}
