/**
 * Encode, decode, update and verify of one stripe in memory.
 *
 * The work is done by the kernels that `xorLevel` chose. Shards that lie in one
 * `KernelMemory` and whose symbols are a multiple of 64 bytes are used where
 * they are; others are staged through a small memory, slab by slab.
 *
 * `shards[node]` holds the node's ω symbols one after the other; all shards
 * have the same length, a multiple of ω (zero is allowed). Functions write into
 * the shards they are given and keep no reference to them.
 */
import { illegalArgument } from '../errors.ts';
import { KernelMemory } from '../kernels/kernel-memory.ts';
import { isZeroRegion, runSchedule, xorRegions } from '../kernels/run-schedule.ts';
import { REGION_ALIGNMENT_BYTES } from '../limits.ts';
import { BitMatrix, onesOf } from '../matrix/bit-matrix.ts';
import { independentRows } from '../planners/independent-rows.ts';
import {
  buildPlan,
  executePlan,
  type RecoveryPlan,
  scheduleEquations,
  scheduleRows,
  solveTargets,
  symbolRegion,
} from '../planners/plan.ts';
import { createProblem } from '../planners/problem.ts';
import type { XorSchedule } from '../schedule/xor-schedule.ts';
import type { ErasureCode } from './code.ts';

interface Derived {
  encode: XorSchedule | undefined;
  checks: XorSchedule | undefined;
  /** By loss, the one used last at the end. */
  readonly decodePlans: Map<string, RecoveryPlan>;
  /** Parity symbols that change with each data symbol. */
  dependents: Map<number, readonly number[]> | undefined;
}

/** What is derived from a code once; codes are immutable. */
const derivedByCode = new WeakMap<ErasureCode, Derived>();

function derivedOf(code: ErasureCode): Derived {
  let derived = derivedByCode.get(code);
  if (!derived) {
    derived = { encode: undefined, checks: undefined, decodePlans: new Map(), dependents: undefined };
    derivedByCode.set(code, derived);
  }
  return derived;
}

/** The schedule that computes `paritySymbols` (outputs) from `dataSymbols` (inputs). */
export function encodeSchedule(code: ErasureCode): XorSchedule {
  const derived = derivedOf(code);
  derived.encode ??= scheduleEquations(code.checks, [...code.dataSymbols], [...code.paritySymbols]);
  return derived.encode;
}

/** Computes all parity symbols from the data symbols. */
export function encode(code: ErasureCode, shards: readonly Uint8Array[]): void {
  checkShards(code, shards);
  const region = (symbol: number): Uint8Array => symbolRegion(code, shards, symbol);
  runSchedule(
    encodeSchedule(code),
    Array.from(code.dataSymbols, region),
    Array.from(code.paritySymbols, region),
  );
}

export interface Loss {
  readonly nodes?: readonly number[];
  readonly symbols?: readonly number[];
}

/** The plan that rebuilds any solvable loss from everything that is left. */
export function decodePlan(code: ErasureCode, loss: Loss): RecoveryPlan {
  const problem = createProblem({ code, lostNodes: loss.nodes ?? [], lostSymbols: loss.symbols ?? [] });
  const chosen = problem.equations.selectRows(independentRows(problem.equations, problem.targets));
  return buildPlan(problem, chosen, {
    strategy: 'conventional',
    objective: 'total',
    conventionalReads: (code.nodes - code.tolerance) * code.rows,
    lowerBound: 0,
  });
}

/** Decode plans kept per code: a rebuild asks for the same one for every stripe. */
const DECODE_PLANS_MAX = 32;

/** The plan, whose schedule is compiled only once, from those used last. */
function cachedDecodePlan(code: ErasureCode, loss: Loss): RecoveryPlan {
  const { decodePlans } = derivedOf(code);
  const key = `${loss.nodes?.join() ?? ''};${loss.symbols?.join() ?? ''}`;
  const made = decodePlans.get(key) ?? decodePlan(code, loss);
  // Behind all others: the first of the map is the one that was not used for longest.
  decodePlans.delete(key);
  decodePlans.set(key, made);
  if (decodePlans.size > DECODE_PLANS_MAX) decodePlans.delete(decodePlans.keys().next().value!);
  return made;
}

/**
 * Rebuilds lost nodes or symbols in place: the lost regions of the shards are
 * overwritten. Throws UndecodableError when they cannot all be solved.
 */
export function decode(code: ErasureCode, shards: readonly Uint8Array[], loss: Loss): RecoveryPlan {
  checkShards(code, shards);
  const made = cachedDecodePlan(code, loss);
  executePlan(made, shards);
  return made;
}

/** Parity symbols that depend on a data symbol, ascending. */
export function dependentParities(code: ErasureCode, symbol: number): readonly number[] {
  const derived = derivedOf(code);
  derived.dependents ??= findDependents(code);
  const parities = derived.dependents.get(symbol);
  if (!parities) throw illegalArgument(`symbol ${symbol} of ${code.id} is not a data symbol`);
  return parities;
}

/**
 * Writes one data symbol and what depends on it, reading only those symbols.
 * Returns the symbols that were written. The bytes must not be the symbol's own
 * region; where the shards lie in a kernel memory they are best in it too.
 */
export function update(
  code: ErasureCode,
  shards: readonly Uint8Array[],
  symbol: number,
  bytes: Uint8Array,
): readonly number[] {
  checkShards(code, shards);
  const parities = dependentParities(code, symbol);
  const region = symbolRegion(code, shards, symbol);
  if (bytes.length !== region.length) {
    throw illegalArgument(`a symbol of these shards has ${region.length} bytes, not ${bytes.length}`);
  }
  for (const parity of parities) {
    const changed = symbolRegion(code, shards, parity);
    xorRegions(changed, [changed, region, bytes]);
  }
  region.set(bytes);
  return [symbol, ...parities];
}

export interface Verification {
  readonly consistent: boolean;
  /** Checks whose symbols do not XOR to zero, by number. */
  readonly failedChecks: readonly number[];
  /** Nodes of which each alone, if it were wrong, would explain every failed check. */
  readonly suspectNodes: readonly number[];
}

/** Tests all checks. A stripe that is not consistent names the nodes that could be to blame. */
export function verify(code: ErasureCode, shards: readonly Uint8Array[]): Verification {
  checkShards(code, shards);
  const failedChecks = findFailedChecks(code, shards);
  if (failedChecks.length === 0) return { consistent: true, failedChecks, suspectNodes: [] };
  const bytes = shards[0]!.length / code.rows;
  const syndromes = Array.from({ length: code.checks.rows }, (_, check) => {
    const sum = new Uint8Array(bytes);
    xorRegions(
      sum,
      code.checks.rowOnes(check).map((symbol) => symbolRegion(code, shards, symbol)),
    );
    return sum;
  });
  const nodes = Array.from({ length: code.nodes }, (_, node) => node);
  const suspectNodes = nodes.filter((node) => explains(code, node, syndromes));
  return { consistent: false, failedChecks, suspectNodes };
}

/** Bytes of each symbol that are checked at a time. */
const VERIFIED_BYTES = 16_384;

/** Checks that do not XOR to zero. All sums share what they have in common, slab by slab. */
function findFailedChecks(code: ErasureCode, shards: readonly Uint8Array[]): number[] {
  const schedule = checkSchedule(code);
  const bytes = shards[0]!.length / code.rows;
  const slabBytes = Math.min(bytes, VERIFIED_BYTES);
  const memory = KernelMemory.of(shards);
  const sumBytes = code.checks.rows * slabBytes;
  const hasRoom = memory !== undefined && slabBytes % REGION_ALIGNMENT_BYTES === 0;
  // Where the sums do not fit beside the shards they are staged like any others.
  const lent = hasRoom ? memory.tryAllocate(sumBytes) : undefined;
  const all = lent ?? new Uint8Array(sumBytes);
  const failed = new Set<number>();
  try {
    const regions = Array.from({ length: code.symbolCount }, (_, symbol) =>
      symbolRegion(code, shards, symbol),
    );
    for (let offset = 0; offset < bytes; offset += slabBytes) {
      const length = Math.min(slabBytes, bytes - offset);
      const sums = Array.from({ length: code.checks.rows }, (_, check) =>
        all.subarray(check * slabBytes, check * slabBytes + length),
      );
      runSchedule(
        schedule,
        regions.map((region) => region.subarray(offset, offset + length)),
        sums,
      );
      for (const [check, sum] of sums.entries()) if (!isZeroRegion(sum)) failed.add(check);
    }
  } finally {
    if (lent) memory?.free(lent);
  }
  return [...failed].sort((a, b) => a - b);
}

/** The schedule that computes every check's sum (outputs) from all symbols (inputs). */
function checkSchedule(code: ErasureCode): XorSchedule {
  const derived = derivedOf(code);
  derived.checks ??= scheduleRows(code.checks);
  return derived.checks;
}

/** Whether errors in one node alone give these syndromes: they lie in the span of its columns. */
function explains(code: ErasureCode, node: number, syndromes: readonly Uint8Array[]): boolean {
  const own = Array.from({ length: code.rows }, (_, row) => node * code.rows + row);
  // Combinations of checks in which the node does not occur must be zero.
  const extended = new BitMatrix(code.checks.rows, code.rows + code.checks.rows);
  for (let r = 0; r < code.checks.rows; r++) {
    for (const [i, symbol] of own.entries()) if (code.checks.get(r, symbol)) extended.set(r, i);
    extended.set(r, code.rows + r);
  }
  for (const combination of combinationsWithout(extended, code.rows)) {
    const sum = new Uint8Array(syndromes[0]!.length);
    xorRegions(
      sum,
      combination.map((check) => syndromes[check]!),
    );
    if (!isZeroRegion(sum)) return false;
  }
  return true;
}

/** Sums of rows that vanish on the first columns, as lists of rows (their identity part). */
function combinationsWithout(extended: BitMatrix, columns: number): number[][] {
  let next = 0;
  for (let c = 0; c < columns; c++) {
    let pivot = next;
    while (pivot < extended.rows && extended.get(pivot, c) === 0) pivot++;
    if (pivot === extended.rows) continue;
    extended.swapRows(next, pivot);
    for (let r = next + 1; r < extended.rows; r++) if (extended.get(r, c)) extended.xorRow(r, next);
    next++;
  }
  const combinations: number[][] = [];
  for (let r = next; r < extended.rows; r++) {
    combinations.push(onesOf(extended.row(r)).map((column) => column - columns));
  }
  return combinations;
}

function findDependents(code: ErasureCode): Map<number, readonly number[]> {
  const { dataSymbols, paritySymbols } = code;
  const generator = solveTargets(code.checks, [...paritySymbols]).straight;
  const dependents = new Map<number, number[]>(Array.from(dataSymbols, (symbol) => [symbol, []]));
  for (const [i, parity] of paritySymbols.entries()) {
    for (const symbol of generator.rowOnes(i)) dependents.get(symbol)?.push(parity);
  }
  return dependents;
}

function checkShards(code: ErasureCode, shards: readonly Uint8Array[]): void {
  if (shards.length !== code.nodes) {
    throw illegalArgument(`${code.id} has ${code.nodes} nodes, but ${shards.length} shards are given`);
  }
  const bytes = shards[0]!.length;
  for (const [node, shard] of shards.entries()) {
    if (shard.length !== bytes) {
      throw illegalArgument(
        `shard ${node} has ${shard.length} bytes, shard 0 has ${bytes}: they must be equal`,
      );
    }
  }
  if (bytes % code.rows !== 0) {
    throw illegalArgument(`shards of ${code.id} need a multiple of ${code.rows} bytes, not ${bytes}`);
  }
}
