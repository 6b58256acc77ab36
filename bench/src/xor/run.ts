/**
 * `npm run bench -- xor`: Larder's kernels beside ISA-L, Jerasure and @ronomon/reed-solomon, in turns.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { xorLevel } from '@larder/erasure';
import { BenchError } from '../errors.ts';
import { describeMachine } from '../harness/machine.ts';
import { spread } from '../harness/statistics.ts';
import { readArguments } from '../read-arguments.ts';
import { buildDriver, findCompiler } from './build-drivers.ts';
import { dataBytes, type EncodeCase, XOR_CASES, type XorCase } from './cases.ts';
import { type Contestant, driver, larder, ronomon } from './contestants.ts';
import { describeXor, drawXor, xorPage } from './report.ts';
import type { XorReport, XorResult } from './results.ts';
import { loadRonomon } from './ronomon.ts';

const EVALUATION_FOLDER = fileURLToPath(new URL('../../../docs/evaluation', import.meta.url));

const USAGE = `Usage: npm run bench -- xor [options] [case ...]

XOR of 4 to 12 sources beside ISA-L's xor_gen; encoding beside Jerasure's best schedule of the same bit matrix
and beside @ronomon/reed-solomon. GB/s of data on one core, in turns, with medians and ratios. A case is given
by its name or a part of it; none means all. The C drivers are built when a compiler and the libraries are
there (Debian: libisal-dev libjerasure-dev); what is not there is said and skipped.

  --list               list the cases and end
  --turns <n>          turns per contestant (default 9)
  --milliseconds <n>   measured time of one turn (default 60)
  --out <folder>       where xor.json, xor.svg and xor.md go (default: docs/evaluation)
  --no-write           write no files (a run of some cases writes none either, unless --out is given)
  --help               this text

LARDER_XOR=wasm-simd|wasm|reference forces Larder's kernels.
`;

type Prepare = (spec: XorCase) => Promise<Contestant>;

export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments(args, OPTIONS);
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const cases = XOR_CASES.filter(
    ({ name }) => positionals.length === 0 || positionals.some((part) => name.includes(part)),
  );
  if (cases.length === 0) throw new BenchError('USAGE', `no case matches "${positionals.join(' ')}"`);
  if (values.list) {
    for (const spec of cases) process.stdout.write(`${spec.name.padEnd(18)}${spec.title}\n`);
    return 0;
  }
  const turns = wholeNumber('--turns', values.turns, 9);
  const milliseconds = wholeNumber('--milliseconds', values.milliseconds, 60);
  const report = await runCases(cases, turns, milliseconds);
  const isWhole = cases.length === XOR_CASES.length;
  if (!values['no-write'] && (isWhole || values.out !== undefined)) {
    write(values.out ?? EVALUATION_FOLDER, report);
  }
  return report.results.every((result) => result.met) ? 0 : 1;
}

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  list: { type: 'boolean' },
  turns: { type: 'string' },
  milliseconds: { type: 'string' },
  out: { type: 'string' },
  'no-write': { type: 'boolean' },
} as const;

function wholeNumber(option: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new BenchError('USAGE', `${option} is a number, not "${text}"`);
  return Number(text);
}

async function runCases(cases: readonly XorCase[], turns: number, milliseconds: number): Promise<XorReport> {
  const folder = mkdtempSync(join(tmpdir(), 'larder-xor-'));
  try {
    const { peers, skipped } = preparePeers(folder, cases);
    for (const reason of skipped) process.stderr.write(`  … skipped: ${reason}\n`);
    process.stdout.write(`Larder's kernels: ${xorLevel()}\n`);
    const results: XorResult[] = [];
    for (const spec of cases) {
      const prepare = peers.get(spec.peer);
      if (!prepare) continue;
      const result = await compare(spec, prepare, turns, milliseconds);
      process.stdout.write(`${describeXor(result)}\n`);
      results.push(result);
    }
    const { memcached: _, ...machine } = describeMachine('memcached');
    return { machine, alternations: turns, milliseconds, results, skipped };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** How each peer is prepared for a case, and which cannot be. */
function preparePeers(
  folder: string,
  cases: readonly XorCase[],
): { peers: Map<string, Prepare>; skipped: string[] } {
  const peers = new Map<string, Prepare>();
  const skipped: string[] = [];
  const needed = new Set(cases.map((spec) => spec.peer));
  const compiler = findCompiler();
  for (const name of ['isal', 'jerasure'] as const) {
    if (!needed.has(name)) continue;
    const built = buildDriver(name, folder, compiler);
    if ('path' in built) peers.set(name, (spec) => driver(built.path, spec));
    else skipped.push(built.missing);
  }
  if (needed.has('ronomon')) {
    const library = loadRonomon();
    if (typeof library === 'string') skipped.push(library);
    else peers.set('ronomon', (spec) => ronomon(library, spec as EncodeCase));
  }
  return { peers, skipped };
}

async function compare(
  spec: XorCase,
  prepare: Prepare,
  turns: number,
  milliseconds: number,
): Promise<XorResult> {
  const peer = await prepare(spec);
  try {
    const own = larder(spec);
    if (peer.hash !== 0 && peer.hash !== own.hash) {
      throw new BenchError('REPLY', `${spec.name}: Larder and ${spec.peer} computed different bytes`);
    }
    const bytes = dataBytes(spec);
    const speeds: { own: number; peer: number }[] = [];
    for (let turn = 0; turn < turns; turn++) {
      const ownNs = await own.run(milliseconds);
      const peerNs = await peer.run(milliseconds);
      speeds.push({ own: bytes / ownNs, peer: bytes / peerNs });
    }
    const ratio = spread(speeds.map((speed) => speed.own / speed.peer));
    return {
      name: spec.name,
      title: spec.title,
      dataBytes: bytes,
      larder: { text: own.text, gigabytesPerSecond: spread(speeds.map((speed) => speed.own)) },
      peer: {
        name: spec.peer,
        text: peer.text,
        gigabytesPerSecond: spread(speeds.map((speed) => speed.peer)),
      },
      ratio,
      ...(spec.ratioMin === undefined ? {} : { ratioMin: spec.ratioMin }),
      met: spec.ratioMin === undefined || ratio.median >= spec.ratioMin,
    };
  } finally {
    peer.close();
  }
}

function write(folder: string, report: XorReport): void {
  mkdirSync(folder, { recursive: true });
  const files = {
    'xor.json': `${JSON.stringify(report, undefined, 1)}\n`,
    'xor.svg': drawXor(report),
    'xor.md': xorPage(report),
  };
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, name), text);
    process.stdout.write(`wrote ${join(folder, name)}\n`);
  }
}
