/**
 * Who computes: Larder's kernels in this process, the C drivers as processes of their own, and
 * @ronomon/reed-solomon in this process. Each is prepared once for a case, says what it is, and then runs
 * for a while whenever it is told to. One of them at a time.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { encode, encodeSchedule, executeSchedule, KernelMemory, xorLevel, xorRegions } from '@larder/erasure';
import { BenchError } from '../errors.ts';
import type { EncodeCase, SumCase, XorCase } from './cases.ts';
import type { Ronomon } from './ronomon.ts';

export interface Contestant {
  /** What computes, in words. */
  readonly text: string;
  /** Hash of the results, 0 when they cannot be compared. */
  readonly hash: number;
  /** Nanoseconds per round, over about so many milliseconds. */
  readonly run: (milliseconds: number) => Promise<number>;
  readonly close: () => void;
}

const WARM_UP_MS = 150;
const FNV_START = 2_166_136_261;
const FNV_FACTOR = 16_777_619;

/** The content of region `number`, as `fill_region` of the drivers makes it. */
function fillRegion(region: Uint8Array, number: number): void {
  const words = new Uint32Array(region.buffer, region.byteOffset, region.length >>> 2);
  let state = (Math.imul(number, 2_654_435_761) + 1) >>> 0;
  for (let i = 0; i < words.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    words[i] = state ^ (state >>> 16);
  }
}

function hashRegion(hash: number, region: Uint8Array): number {
  const words = new Uint32Array(region.buffer, region.byteOffset, region.length >>> 2);
  let value = hash;
  for (const word of words) value = Math.imul(value ^ word, FNV_FACTOR) >>> 0;
  return value;
}

function timeRounds(round: () => void, milliseconds: number): number {
  const begun = performance.now();
  let end = begun;
  let rounds = 0;
  while (end - begun < milliseconds) {
    round();
    rounds++;
    end = performance.now();
  }
  return ((end - begun) * 1e6) / rounds;
}

export function larder(spec: XorCase): Contestant {
  const made = spec.kind === 'sum' ? larderSum(spec) : larderEncode(spec);
  timeRounds(made.round, WARM_UP_MS);
  return {
    text: `Larder, ${xorLevel()}`,
    hash: made.hash(),
    run: async (milliseconds) => timeRounds(made.round, milliseconds),
    close: () => {},
  };
}

interface Work {
  readonly round: () => void;
  readonly hash: () => number;
}

/** What gaps and temporaries may take beside the regions. */
const SPARE_BYTES = 8 << 20;

function larderSum({ sources, bytes }: SumCase): Work {
  const memory = new KernelMemory((sources + 1) * bytes + SPARE_BYTES);
  const regions = Array.from({ length: sources }, () => memory.allocate(bytes));
  const target = memory.allocate(bytes);
  for (const [i, region] of regions.entries()) fillRegion(region, i);
  return { round: () => xorRegions(target, regions), hash: () => hashRegion(FNV_START, target) };
}

function larderEncode({ code, symbolBytes }: EncodeCase): Work {
  const nodeBytes = symbolBytes * code.rows;
  const memory = new KernelMemory(code.nodes * nodeBytes + SPARE_BYTES);
  const shards = Array.from({ length: code.nodes }, () => memory.allocate(nodeBytes));
  const dataNodes = code.nodes - code.tolerance;
  for (let node = 0; node < dataNodes; node++) fillRegion(shards[node]!, node);
  return {
    round: () => encode(code, shards),
    hash: () => shards.slice(dataNodes).reduce(hashRegion, FNV_START),
  };
}

/** The arguments of a driver for a case. */
function driverArguments(spec: XorCase): string[] {
  if (spec.kind === 'sum') return ['xor', String(spec.sources), String(spec.bytes)];
  const { code, symbolBytes } = spec;
  const [k, m] = [code.nodes - code.tolerance, code.tolerance];
  if (spec.peer === 'isal') return ['rs', String(k), String(m), String(symbolBytes * code.rows)];
  return [String(k), String(m), String(code.rows), String(symbolBytes), generatorDigits(spec)];
}

/** The generator's bit matrix, row by row: what the schedule makes of unit vectors. */
function generatorDigits({ code }: EncodeCase): string {
  const schedule = encodeSchedule(code);
  const units = Array.from({ length: schedule.inputs }, (_, i) => {
    const unit = new Uint8Array(schedule.inputs);
    unit[i] = 1;
    return unit;
  });
  const rows = Array.from({ length: schedule.outputs }, () => new Uint8Array(schedule.inputs));
  executeSchedule(schedule, units, rows);
  return rows.map((row) => row.join('')).join('');
}

const RUNNING = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of RUNNING) child.kill('SIGKILL');
});

export async function driver(program: string, spec: XorCase): Promise<Contestant> {
  const child = spawn(program, driverArguments(spec), { stdio: ['pipe', 'pipe', 'inherit'] });
  RUNNING.add(child);
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (status) => {
      RUNNING.delete(child);
      reject(new BenchError('LOAD', `${program} ended with ${status}`));
    });
  });
  // Ending at the end of its input is how a driver stops; nobody waits for it then.
  failed.catch(() => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const line = await Promise.race([lines.next(), failed]);
    if (line.done === true) throw new BenchError('LOAD', `${program} said nothing`);
    return line.value;
  };
  const [, hash, text] = /^ready (\d+) (.*)$/.exec(await next()) ?? [];
  if (hash === undefined || text === undefined) throw new BenchError('LOAD', `${program} is not ready`);
  const run = async (milliseconds: number): Promise<number> => {
    child.stdin.write(`run ${milliseconds}\n`);
    return Number(await next());
  };
  await run(WARM_UP_MS);
  return { text, hash: Number(hash), run, close: () => child.stdin.end() };
}

export async function ronomon(library: Ronomon, spec: EncodeCase): Promise<Contestant> {
  const { code, symbolBytes } = spec;
  const [k, m] = [code.nodes - code.tolerance, code.tolerance];
  const nodeBytes = symbolBytes * code.rows;
  const context = library.create(k, m);
  const data = Buffer.alloc(k * nodeBytes);
  const parity = Buffer.alloc(m * nodeBytes);
  for (let node = 0; node < k; node++)
    fillRegion(data.subarray(node * nodeBytes, (node + 1) * nodeBytes), node);
  const [sources, targets] = [(1 << k) - 1, ((1 << m) - 1) << k];
  const round = (): Promise<void> =>
    new Promise((resolve, reject) => {
      library.encode(context, sources, targets, data, 0, data.length, parity, 0, parity.length, (error) =>
        error ? reject(error) : resolve(),
      );
    });
  const run = async (milliseconds: number): Promise<number> => {
    const begun = performance.now();
    let end = begun;
    let rounds = 0;
    while (end - begun < milliseconds) {
      await round();
      rounds++;
      end = performance.now();
    }
    return ((end - begun) * 1e6) / rounds;
  };
  await run(WARM_UP_MS);
  return { text: `@ronomon/reed-solomon ${library.version}`, hash: 0, run, close: () => {} };
}
