/**
 * The evaluation of the planners: the supplement's figures 1 to 3 as tables and
 * charts with the paper's numbers beside ours, and what the issue asks of
 * replace, optimal and costs. Every section says whether its target is met.
 *
 *   node -C larder-source recovery-reads.bench.ts [section…] [--out folder]
 *
 * Sections: figure-1, figure-2, figure-3, quarter, model-array, model-density,
 * model-crs, optimal, costs, balance, online. All of them take several minutes.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { legalCodes } from '../codes/catalogue.ts';
import { crs } from '../codes/cauchy.ts';
import { type ErasureCode, isPrime } from '../codes/code.ts';
import { evenodd } from '../codes/evenodd.ts';
import { liber8tion } from '../codes/liber8tion.ts';
import { rdp } from '../codes/rdp.ts';
import { star } from '../codes/star.ts';
import { balanceRotation } from './balance.ts';
import type { Strategy } from './plan.ts';
import { plan } from './planner.ts';
import { createProblem } from './problem.ts';
import { type Chart, chartSvg } from './recovery-chart.ts';
import { replaceRows } from './replace.ts';
import { rowModelOptimum } from './row-model.ts';

interface RecoverySection {
  readonly name: string;
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What is known of the published curve, where there is one. */
  readonly published?: string;
  /** What was to be reached, and whether it was. */
  readonly target: string;
  readonly met: boolean;
  readonly charts: readonly Chart[];
}

const PRIMES_MAX = 97;
const MODEL_NODES_MAX = 16;
const MODEL_NODE_MS = 400;
const OPTIMAL_MS = 60_000;
/** A short search: what it does not prove is reported as a bound. */
const TRUE_OPTIMUM = { strategy: 'optimal', timeLimitMs: 150, memoryLimitBytes: 32 << 20 } as const;
const COST_VECTORS = 1000;
const PAPER_FIGURE_1 = [26.56, 29.17] as const;
const PAPER_FIGURE_3_ENUMERATION = { 2: [15.75, 25], 3: [19.75, 25] } as const;
const PAPER_FIGURE_3 = { 2: [15.75, 25], 3: [16.25, 22.22] } as const;

/** Percent saved over all data nodes, as the supplement counts. */
function saving(code: ErasureCode, strategy: Strategy): number {
  let reads = 0;
  let conventional = 0;
  for (let lostNode = 0; lostNode < code.nodes - code.tolerance; lostNode++) {
    const made = plan({ code, lostNode, strategy, timeLimitMs: OPTIMAL_MS });
    reads += made.reads.length;
    conventional += made.conventionalReads;
  }
  return 100 * (1 - reads / conventional);
}

const percent = (value: number): string => `${value.toFixed(2)}%`;
const range = (values: readonly number[]): [number, number] => [Math.min(...values), Math.max(...values)];
const near = (a: number, b: number): boolean => Math.abs(a - b) < 0.006;

function figure1(): RecoverySection {
  const ks = [3, 4, 5, 6, 7, 8];
  const replace = ks.map((k) => saving(liber8tion(k), 'replace'));
  const enumeration = ks.map((k) => saving(liber8tion(k), 'enumeration'));
  const optimal = ks.map((k) => saving(liber8tion(k), 'optimal'));
  const [least, most] = range(optimal);
  return {
    name: 'figure-1',
    title: 'Figure 1: Liber8tion, symbols read in percent of conventional recovery',
    columns: ['k', 'replace', 'enumeration', 'optimal', 'saved by optimal'],
    rows: ks.map((k, i) => [
      String(k),
      percent(100 - replace[i]!),
      percent(100 - enumeration[i]!),
      percent(100 - optimal[i]!),
      percent(optimal[i]!),
    ]),
    published:
      'The paper prints the range of its curve (26.56% at the least, 29.17% at the most, k = 3 to 8), not its points: dashed lines. It says that replace equals enumeration at every k; by our search replace reads 0.25 points more at k = 7 and 0.58 at k = 8, counted over all data nodes.',
    target: `the optimum saves ${PAPER_FIGURE_1.join('–')}% (paper); here ${percent(least)}–${percent(most)}`,
    met:
      near(least, PAPER_FIGURE_1[0]) &&
      near(most, PAPER_FIGURE_1[1]) &&
      enumeration.every((e, i) => near(e, optimal[i]!)),
    charts: [
      {
        title: 'Liber8tion: symbols read for one lost data node',
        unit: '% of conventional',
        categoryLabel: 'k',
        categories: ks.map(String),
        least: 60,
        series: [
          { label: 'conventional', values: ks.map(() => 100) },
          { label: 'replace', values: replace.map((value) => 100 - value) },
          { label: 'optimal = enumeration', values: optimal.map((value) => 100 - value) },
          { label: 'paper, least saving', values: ks.map(() => 100 - PAPER_FIGURE_1[0]), dashed: true },
          { label: 'paper, most saving', values: ks.map(() => 100 - PAPER_FIGURE_1[1]), dashed: true },
        ],
      },
    ],
  };
}

function figure2(): RecoverySection {
  const primes = Array.from({ length: PRIMES_MAX + 1 }, (_, p) => p).filter((p) => p >= 3 && isPrime(p));
  const reads = primes.map((p) => plan({ code: star(p), lostNode: 0 }).reads.length);
  const bound = (p: number) => (2 / 3) * p * p - p;
  return {
    name: 'figure-2',
    title: 'Figure 2: STAR, symbols read per stripe for the first data node',
    columns: ['p', 'conventional', 'replace', 'of p²', 'theorem 3.1: ⅔p² − p', 'saved'],
    rows: primes.map((p, i) => [
      String(p),
      String(p * (p - 1)),
      String(reads[i]),
      (reads[i]! / p / p).toFixed(4),
      bound(p).toFixed(1),
      percent(100 * (1 - reads[i]! / (p * (p - 1)))),
    ]),
    published:
      'The paper prints the bound (theorem 3.1) and that replace stays below 0.69 p² for p < 1000; the points of its curve are not printed: dashed lines.',
    target: `replace reads less than 0.69 p² for all primes up to ${PRIMES_MAX}`,
    met: primes.every((p, i) => reads[i]! < 0.69 * p * p),
    charts: [
      {
        title: 'STAR: symbols read for one lost data node',
        unit: 'symbols per p²',
        categoryLabel: 'p',
        categories: primes.map(String),
        least: 0.3,
        series: [
          { label: 'conventional', values: primes.map((p) => (p - 1) / p) },
          { label: 'replace', values: primes.map((p, i) => reads[i]! / p / p) },
          { label: 'paper: below 0.69', values: primes.map(() => 0.69), dashed: true },
          { label: 'paper: lower bound', values: primes.map((p) => bound(p) / p / p), dashed: true },
        ],
      },
    ],
  };
}

function figure3(): RecoverySection {
  const rows: string[][] = [];
  const charts: Chart[] = [];
  let met = true;
  for (const m of [2, 3] as const) {
    const ks = Array.from({ length: 9 }, (_, i) => i + 2);
    const replace = ks.map((k) => saving(crs(k, m, 4), 'replace'));
    const optimal = ks.map((k) => saving(crs(k, m, 4), 'optimal'));
    for (const [i, k] of ks.entries()) {
      rows.push([`m = ${m}, ω = 4, k = ${k}`, percent(replace[i]!), percent(optimal[i]!)]);
    }
    const paper = PAPER_FIGURE_3[m];
    const exact = PAPER_FIGURE_3_ENUMERATION[m];
    rows.push([
      `paper, m = ${m}`,
      `${paper[0]}–${paper[1]}%`,
      m === 2 ? 'enumeration: the same' : `enumeration: ${exact[0]}–${exact[1]}%`,
    ]);
    if (m === 2) met &&= near(range(replace)[0], paper[0]) && near(range(replace)[1], paper[1]);
    met &&= replace.every((value, i) => value <= optimal[i]! + 1e-9);
    charts.push({
      title: `Cauchy Reed-Solomon, m = ${m}, ω = 4: symbols saved`,
      unit: '% of conventional',
      categoryLabel: 'k',
      categories: ks.map(String),
      series: [
        { label: 'replace', values: replace },
        { label: 'optimal', values: optimal },
        { label: 'paper: replace, least', values: ks.map(() => paper[0]), dashed: true },
        { label: 'paper: replace, most', values: ks.map(() => paper[1]), dashed: true },
        ...(m === 2
          ? []
          : [
              { label: 'paper: enumeration, least', values: ks.map(() => exact[0]), dashed: true },
              { label: 'paper: enumeration, most', values: ks.map(() => exact[1]), dashed: true },
            ]),
      ],
    });
  }
  return {
    name: 'figure-3',
    title: 'Figure 3: Cauchy Reed-Solomon (good), symbols saved over all data nodes',
    columns: ['code', 'replace', 'optimal'],
    rows,
    published:
      'The paper prints the ranges over the combinations of m, ω and k that it tried, but neither the points nor the list: dashed lines. For m = 2, ω = 4, k = 2 to 10 our range is the same to the digit. For m = 3 "optimal" is over all linear combinations, which the paper\'s enumeration of parity rows does not see; at k = 2 (five nodes) there is less to save than in anything the paper shows.',
    target: 'm = 2 saves 15.75–25.00% by replace, which is the optimum',
    met,
    charts,
  };
}

function quarter(): RecoverySection {
  const rows: string[][] = [];
  let met = true;
  for (const p of [5, 7, 11, 13, 17, 31]) {
    const values = [saving(rdp(p), 'replace'), saving(evenodd(p), 'replace')];
    rows.push([String(p), ...values.map(percent)]);
    met &&= near(values[0]!, 25) && values[1]! > 19.9 && values[1]! <= 25;
  }
  return {
    name: 'quarter',
    title: 'RDP and EVENODD: the known quarter',
    columns: ['p', 'RDP saves', 'EVENODD saves'],
    rows,
    target: 'RDP exactly a quarter, EVENODD towards it',
    met,
    charts: [],
  };
}

function evaluatedCodes(nodesMax: number): ErasureCode[] {
  const all = legalCodes({ nodesMax, shortened: 'tightest', extraBits: 0, parityNodesMax: 4 });
  return [...all].filter(
    (code) => code.nodes - code.tolerance >= 2 && code.name !== 'rs' && code.name !== 'crs-original',
  );
}

/** At most so many lost nodes of a code are tried, spread evenly. */
const MODEL_NODES_TRIED = 2;

function triedNodes(code: ErasureCode): number[] {
  const count = Math.min(code.nodes, MODEL_NODES_TRIED);
  return Array.from({ length: count }, (_, i) => Math.floor((i * code.nodes) / count));
}

function model(name: string, kind: string, families: readonly string[]): RecoverySection {
  const rows: string[][] = [];
  let gaps = 0;
  let unproven = 0;
  const codes = evaluatedCodes(MODEL_NODES_MAX).filter((code) => families.includes(code.name));
  for (const code of codes) {
    const found = { replace: 0, model: 0, best: 0, bound: 0, proven: true };
    for (const node of triedNodes(code)) {
      const problem = createProblem({ code, lostNodes: [node] });
      const known = replaceRows(problem, 'total');
      const deadline = performance.now() + MODEL_NODE_MS;
      const exact = rowModelOptimum(problem, known, () => performance.now() > deadline);
      const optimal = plan({ code, lostNode: node, ...TRUE_OPTIMUM });
      found.replace += plan({ code, lostNode: node }).reads.length;
      found.model += exact.value;
      found.best += optimal.value;
      found.bound += optimal.optimality.lowerBound;
      found.proven &&= exact.proven;
    }
    gaps += found.replace / found.model - 1;
    if (!found.proven) unproven++;
    rows.push([
      code.id,
      String(found.replace),
      `${found.model}${found.proven ? '' : ' (best met)'}`,
      percent(100 * (found.replace / found.model - 1)),
      String(found.best),
      percent(100 * (found.replace / found.best - 1)),
      found.bound >= found.best - 1e-9 ? 'proven' : `≥ ${found.bound.toFixed(0)}`,
    ]);
  }
  const mean = (100 * gaps) / codes.length;
  return {
    name,
    title: `Replace against the optimum of its own model and the true one, ${kind}: reads summed over up to ${MODEL_NODES_TRIED} lost nodes, n ≤ ${MODEL_NODES_MAX}`,
    columns: ['code', 'replace', 'best of its model', 'gap', 'best over all combinations', 'gap', 'optimum'],
    rows,
    target: `within 2% of its model on average: ${percent(mean)} over ${codes.length} codes (${unproven} models not searched to the end)`,
    met: mean <= 2,
    charts: [],
  };
}

function optimal(): RecoverySection {
  const rows: string[][] = [];
  let met = true;
  for (const code of [crs(10, 3, 4), crs(12, 4, 4), crs(12, 4, 5), rdp(11), star(7), star(11)]) {
    const begun = performance.now();
    const made = plan({ code, lostNode: 0, strategy: 'optimal', timeLimitMs: OPTIMAL_MS });
    const seconds = (performance.now() - begun) / 1000;
    const { proven, lowerBound } = made.optimality;
    rows.push([
      code.id,
      String(code.checks.rows),
      String(made.conventionalReads),
      String(plan({ code, lostNode: 0 }).reads.length),
      String(made.reads.length),
      proven ? 'proven' : `≥ ${lowerBound} (gap ${percent(100 * (1 - lowerBound / made.value))})`,
      `${seconds.toFixed(1)} s`,
    ]);
    // RDP and CRS(12,4) with ω = 5 are shown beside what the target names.
    met &&= proven || !(code.id.includes('w=4') || code.id === 'star(p=7,k=7)');
  }
  return {
    name: 'optimal',
    title: 'The true minimum where enumeration could not finish, first node lost',
    columns: ['code', 'mω', 'conventional', 'replace', 'optimal', 'proof', 'time'],
    rows,
    target: 'proven within 60 s for CRS(10,3) and CRS(12,4) with ω = 4; STAR p = 11 proven or its gap',
    met,
    charts: [],
  };
}

/** Numbers in 0..1 from a fixed seed. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state / 2 ** 32;
  };
}

function costs(): RecoverySection {
  const rows: string[][] = [];
  const next = randomNumbers(2014);
  let worse = 0;
  for (const code of evaluatedCodes(12).filter((candidate) => candidate.nodes >= 5)) {
    const sums = { evenTotal: 0, total: 0, evenSlowest: 0, slowest: 0 };
    for (let vector = 0; vector < COST_VECTORS; vector++) {
      const lostNode = Math.floor(next() * code.nodes);
      const values = Array.from({ length: code.nodes }, () => 0.25 + 4 * next());
      const perNode = plan({ code, lostNode }).readsPerNode.map((reads, node) => reads * values[node]!);
      const evenTotal = perNode.reduce((a, b) => a + b, 0);
      const evenSlowest = Math.max(...perNode);
      const total = plan({ code, lostNode, costs: values }).totalCost;
      const slowest = plan({ code, lostNode, costs: values, objective: 'slowest' }).slowestCost;
      if (total > evenTotal + 1e-9 || slowest > evenSlowest + 1e-9) worse++;
      sums.evenTotal += evenTotal;
      sums.total += total;
      sums.evenSlowest += evenSlowest;
      sums.slowest += slowest;
    }
    rows.push([
      code.id,
      percent(100 * (1 - sums.total / sums.evenTotal)),
      percent(100 * (1 - sums.slowest / sums.evenSlowest)),
    ]);
  }
  return {
    name: 'costs',
    title: `Costs per node: mean gain of the heterogeneous plan over the homogeneous one, ${COST_VECTORS} random vectors per code`,
    columns: ['code', 'total cost', "slowest node's time"],
    rows,
    target: `never worse than the homogeneous plan in its objective: ${worse} times`,
    met: worse === 0,
    charts: [],
  };
}

function balance(): RecoverySection {
  const rows: string[][] = [];
  let worst = 0;
  for (const code of evaluatedCodes(MODEL_NODES_MAX)) {
    const { plans, imbalance, reads } = balanceRotation(code, 0);
    const least = plans.reduce(
      (sum, made) => sum + plan({ code, lostNode: made.lost[0]! / code.rows }).reads.length,
      0,
    );
    worst = Math.max(worst, imbalance);
    rows.push([code.id, String(plans.length), percent(100 * imbalance), percent(100 * (reads / least - 1))]);
  }
  return {
    name: 'balance',
    title: 'Reads per surviving machine over rotated stripes',
    columns: ['code', 'stripes of the cycle', 'largest deviation', 'reads more than unbalanced'],
    rows,
    target: `even within 5%: ${percent(100 * worst)}`,
    met: worst <= 0.05,
    charts: [],
  };
}

function online(): RecoverySection {
  const limits: [ErasureCode, number][] = [
    [rdp(13), 10],
    [evenodd(13), 10],
    [crs(12, 4, 4), 10],
    [crs(13, 3, 4), 10],
    [star(11), 10],
    [star(13), 100],
  ];
  const rows: string[][] = [];
  let met = true;
  for (const [code, limitMs] of limits) {
    for (let i = 0; i < 30; i++) plan({ code, lostNode: i % code.nodes });
    const times = Array.from({ length: 100 }, (_, i) => {
      const begun = performance.now();
      plan({ code, lostNode: i % code.nodes });
      return performance.now() - begun;
    }).sort((a, b) => a - b);
    rows.push([code.id, `${times[50]!.toFixed(2)} ms`, `${times[98]!.toFixed(2)} ms`, `≤ ${limitMs} ms`]);
    met &&= times[50]! <= limitMs;
  }
  return {
    name: 'online',
    title: 'Planning time of replace after warm-up',
    columns: ['code', 'median', '99%', 'to reach'],
    rows,
    target: '10 ms at n ≤ 16, 100 ms for STAR p = 13',
    met,
    charts: [],
  };
}

const recoverySections: Readonly<Record<string, () => RecoverySection>> = {
  'figure-1': figure1,
  'figure-2': figure2,
  'figure-3': figure3,
  quarter,
  'model-array': () => model('model-array', 'array codes', ['rdp', 'evenodd', 'star', 'xcode', 'hdp']),
  'model-density': () =>
    model('model-density', 'minimum density codes', ['liber8tion', 'liberation', 'blaum-roth']),
  'model-crs': () => model('model-crs', 'Cauchy Reed-Solomon', ['crs']),
  optimal,
  costs,
  balance,
  online,
};

/** A section as Markdown; charts are linked by the names that `writeCharts` gives them. */
function sectionMarkdown(section: RecoverySection): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    `## ${section.title}`,
    '',
    line(section.columns),
    line(section.columns.map((_, i) => (i === 0 ? '---' : '---:'))),
    ...section.rows.map(line),
    '',
    ...section.charts.flatMap((chart, i) => [`![${chart.title}](${chartName(section, i)})`, '']),
    ...(section.published === undefined ? [] : [section.published, '']),
    `${section.met ? 'Reached' : 'MISSED'}: ${section.target}.`,
    '',
  ].join('\n');
}

function chartName(section: RecoverySection, index: number): string {
  return `recovery-reads-${section.name}${section.charts.length > 1 ? `-${index + 1}` : ''}.svg`;
}

const PAGE_HEAD =
  '# Recovery reads\n\nWritten by `npm run bench -- recovery-reads --all`; the numbers are in [recovery-reads.json](recovery-reads.json). Figures are those of the supplement of "On the Speedup of Recovery in Large-Scale Erasure-Coded Storage Systems"; reads are counted in symbols per stripe.\n';

/** The sections of an earlier run that are not run now stay. */
function mergeSections(folder: string, now: readonly RecoverySection[]): RecoverySection[] {
  const path = join(folder, 'recovery-reads.json');
  const earlier = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as RecoverySection[]) : [];
  const byName = new Map([...earlier, ...now].map((section) => [section.name, section]));
  return Object.keys(recoverySections).flatMap((name) => byName.get(name) ?? []);
}

/** Runs sections by name (all when none is given); returns whether all targets were met. */
function runRecoveryReads(names: readonly string[], folder: string | undefined): boolean {
  const chosen = names.length > 0 ? names : Object.keys(recoverySections);
  const sections = chosen.map((name) => {
    const run = recoverySections[name];
    if (!run) throw new Error(`unknown section "${name}": ${Object.keys(recoverySections).join(', ')}`);
    const section = run();
    process.stdout.write(`${sectionMarkdown(section)}\n`);
    return section;
  });
  if (folder !== undefined) {
    mkdirSync(folder, { recursive: true });
    const all = mergeSections(folder, sections);
    for (const section of sections) {
      for (const [i, chart] of section.charts.entries()) {
        writeFileSync(join(folder, chartName(section, i)), chartSvg(chart));
      }
    }
    writeFileSync(join(folder, 'recovery-reads.md'), [PAGE_HEAD, ...all.map(sectionMarkdown)].join('\n'));
    writeFileSync(join(folder, 'recovery-reads.json'), `${JSON.stringify(all, undefined, 1)}\n`);
  }
  return sections.every((section) => section.met);
}

if (import.meta.main) {
  const words = process.argv.slice(2);
  const at = words.indexOf('--out');
  const folder = at < 0 ? undefined : words[at + 1];
  const names = words.filter((_, i) => at < 0 || (i !== at && i !== at + 1));
  process.exitCode = runRecoveryReads(names, folder) ? 0 : 1;
}
