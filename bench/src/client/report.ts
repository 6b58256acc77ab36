/** The client benchmark in words and as a picture: what is printed, and the page under docs/evaluation/. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatCount } from '../report/cache-tables.ts';
import { Svg } from '../report/svg.ts';
import { type ClientReport, type ClientResult, type ClientRuns, medianCpu, medianRate } from './results.ts';
import { KEYS, VALUE_CHARACTERS } from './workload.ts';

const NAME = 'client';
const WIDTH = 820;
const MARGIN = 24;
const LABEL_WIDTH = 130;
const VALUE_WIDTH = 190;
const ROW_HEIGHT = 22;
const BAR_HEIGHT = 14;
const GROUP_GAP = 34;
const TOP = 58;
const OWN = '#2b6cb0';
const PEER = '#a0aec0';
const MUTED = '#4a5568';

function verdict(result: ClientResult): string {
  if (result.target === undefined) return '';
  return `, target ≥ ${result.target}: ${result.met ? 'met' : 'NOT MET'}`;
}

function rateText(runs: ClientRuns): string {
  return `${formatCount(medianRate(runs))}/s, ${medianCpu(runs).toFixed(2)} µs`;
}

function ratioText({ ratio }: ClientResult): string {
  return `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)} to ${ratio.max.toFixed(2)})`;
}

/** What is printed when a number of callers is done. */
export function describeClientResult(result: ClientResult): string {
  const lines = result.clients.map(
    (runs) =>
      `  ${runs.client.padEnd(16)}${formatCount(medianRate(runs)).padStart(8)} gets/s  ${medianCpu(runs).toFixed(2).padStart(6)} µs CPU per get`,
  );
  return [
    `${result.callers} callers`,
    ...lines,
    `  ratio to ${result.bestPeer}: ${ratioText(result)}${verdict(result)}`,
  ].join('\n');
}

function clientPage(report: ClientReport): string {
  const { machine, results } = report;
  const names = results[0]?.clients.map(({ client, version }) => `${client} ${version}`) ?? [];
  const rows = results.map((result) => {
    const cells = [
      String(result.callers),
      ...result.clients.map(rateText),
      `**${ratioText(result)}**`,
      result.cpuRatio.toFixed(2),
      result.target === undefined ? '' : `≥ ${result.target}: ${result.met ? 'met' : 'NOT MET'}`,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '# The client beside other clients of Node.js',
    '',
    `Written by \`npm run bench -- client\`; do not edit. Numbers in \`${NAME}.json\`, picture in \`${NAME}.svg\`.`,
    '',
    `![gets per second](${NAME}.svg)`,
    '',
    `${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}, ${machine.system}, Node ${machine.node}, ${machine.date.slice(0, 10)}. Server of all: ${report.server}.`,
    `Each client is one Node.js process on a CPU of its own with its defaults and one connection; the server has the other CPU. Callers ask for one of ${KEYS} keys (values of ${VALUE_CHARACTERS} characters), compare the value with what was stored, and ask for the next one; so many do that at the same time. Runs of ${report.milliseconds} ms alternate, ${report.rounds} rounds; ratios are taken within a round, their median decides.`,
    '',
    `| callers | ${names.join(' | ')} | gets/s by the best other one's | CPU per get: best other by Larder | target |`,
    `| ---: |${' ---: |'.repeat(names.length)} ---: | ---: | --- |`,
    ...rows,
    '',
    'Gets per second and CPU time of the client process per get. With one caller every get is a round trip of its own, so that what is compared is latency; with many, Larder makes one multiget of what is asked for in one turn of the event loop, while the others send a request for each.',
    '',
  ].join('\n');
}

function drawClientReport(report: ClientReport): string {
  const { results } = report;
  const rows = results.reduce((count, { clients }) => count + clients.length, 0);
  const height = TOP + rows * ROW_HEIGHT + results.length * GROUP_GAP + MARGIN;
  const svg = new Svg(WIDTH, height);
  svg.text(MARGIN, 28, 'Gets per second of one Node.js process', { 'font-size': 16, 'font-weight': 600 });
  svg.text(MARGIN, 46, `server: ${report.server}; CPU time per get at the right`, { fill: MUTED });
  const barMax = WIDTH - 2 * MARGIN - LABEL_WIDTH - VALUE_WIDTH;
  let y = TOP;
  for (const result of results) {
    // Each group has its own scale: batching makes the groups differ by more than a picture can show.
    const most = Math.max(...result.clients.map(medianRate));
    y += GROUP_GAP - ROW_HEIGHT / 2;
    svg.text(
      MARGIN,
      y,
      `${result.callers} concurrent callers: ${result.ratio.median.toFixed(2)} × ${result.bestPeer}`,
      {
        'font-weight': 600,
      },
    );
    y += ROW_HEIGHT / 2;
    for (const runs of result.clients) {
      const width = (barMax * medianRate(runs)) / most;
      svg.text(MARGIN + LABEL_WIDTH - 8, y + BAR_HEIGHT - 2, runs.client, { 'text-anchor': 'end' });
      svg.rectangle(MARGIN + LABEL_WIDTH, y, width, BAR_HEIGHT, {
        fill: runs.client === 'larder' ? OWN : PEER,
      });
      svg.text(MARGIN + LABEL_WIDTH + width + 8, y + BAR_HEIGHT - 2, rateText(runs), { fill: MUTED });
      y += ROW_HEIGHT;
    }
  }
  return svg.toString();
}

/** Writes `client.json`, `client.svg` and `client.md`; returns their paths. */
export function writeClientReport(folder: string, report: ClientReport): string[] {
  mkdirSync(folder, { recursive: true });
  const files: [name: string, text: string][] = [
    [`${NAME}.json`, `${JSON.stringify(report, undefined, 1)}\n`],
    [`${NAME}.svg`, drawClientReport(report)],
    [`${NAME}.md`, clientPage(report)],
  ];
  return files.map(([file, text]) => {
    const path = join(folder, file);
    writeFileSync(path, text);
    return path;
  });
}
