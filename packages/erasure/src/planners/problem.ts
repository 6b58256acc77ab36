/**
 * What a planner is asked: which symbols to rebuild, from what, at what cost.
 *
 * The code's checks are first rid of symbols that can be neither read nor need
 * to be rebuilt (missing nodes, the rest of a lost node in a degraded read):
 * one check per such symbol is added to the others that contain it and dropped.
 * What remains are equations over targets and readable symbols only.
 */
import { type ErasureCode, positionOf, symbolsOfNodes } from '../codes/code.ts';
import { illegalArgument, UndecodableError } from '../errors.ts';
import { type BitMatrix, reduceOnColumns } from '../matrix/bit-matrix.ts';

export interface RecoveryProblem {
  readonly code: ErasureCode;
  /** Symbols to rebuild, ascending. */
  readonly targets: readonly number[];
  /** Symbols that can be neither read nor need to be rebuilt, ascending. */
  readonly unavailable: readonly number[];
  /** Equations without unavailable symbols; columns are the code's symbols. */
  readonly equations: BitMatrix;
  /** Check group each equation comes from. */
  readonly groups: Int32Array;
  /** Cost of reading one symbol of each node. */
  readonly costs: Float64Array;
}

export interface ProblemInput {
  readonly code: ErasureCode;
  readonly lostNodes?: readonly number[];
  readonly lostSymbols?: readonly number[];
  /** Nodes that cannot be read although they need not be rebuilt. */
  readonly missingNodes?: readonly number[];
  /** Symbols that cannot be read although they need not be rebuilt. */
  readonly missingSymbols?: readonly number[];
  /** Cost per node; all 1 unless given. */
  readonly costs?: ArrayLike<number>;
}

/** Builds the problem; throws UndecodableError naming targets that nothing can rebuild. */
export function createProblem(input: ProblemInput): RecoveryProblem {
  const { code } = input;
  const targets = sortedSymbols(code, input.lostNodes ?? [], input.lostSymbols ?? []);
  if (targets.length === 0) throw illegalArgument('nothing is lost: name a node or symbols to rebuild');
  const wanted = new Set(targets);
  const missing = sortedSymbols(code, input.missingNodes ?? [], input.missingSymbols ?? []);
  const unavailable = missing.filter((symbol) => !wanted.has(symbol));
  const costs = checkCosts(code, input.costs);
  const { equations, groups } = withoutSymbols(code.checks, code.checkGroups, unavailable);
  const unsolved = unsolvableTargets(equations, targets);
  if (unsolved.length > 0) {
    throw new UndecodableError(
      code.id,
      unsolved.map((symbol) => positionOf(code, symbol)),
    );
  }
  return { code, targets, unavailable, equations, groups, costs };
}

/** Targets that no combination of the equations gives alone. */
export function unsolvableTargets(equations: BitMatrix, targets: readonly number[]): number[] {
  const selected = equations.selectColumns(targets);
  const columns = Array.from(targets, (_, i) => i);
  const pivots = reduceOnColumns(selected, columns);
  const solved = new Set<number>();
  for (const [r, pivot] of pivots.entries()) {
    if (pivot >= 0 && selected.rowWeight(r) === 1) solved.add(targets[pivot]!);
  }
  return targets.filter((symbol) => !solved.has(symbol));
}

/** Eliminates symbols: their equations are combined until none contains them. */
export function withoutSymbols(
  checks: BitMatrix,
  checkGroups: Int32Array,
  symbols: readonly number[],
): { equations: BitMatrix; groups: Int32Array } {
  if (symbols.length === 0) return { equations: checks, groups: checkGroups };
  const work = checks.clone();
  const left = new Set(Array.from({ length: checks.rows }, (_, r) => r));
  for (const symbol of symbols) {
    const holders = [...left].filter((r) => work.get(r, symbol));
    if (holders.length === 0) continue;
    const pivot = holders.reduce((a, b) => (work.rowWeight(b) < work.rowWeight(a) ? b : a));
    left.delete(pivot);
    for (const r of holders) if (r !== pivot) work.xorRow(r, pivot);
  }
  const rows = [...left];
  return { equations: work.selectRows(rows), groups: Int32Array.from(rows, (r) => checkGroups[r]!) };
}

function sortedSymbols(code: ErasureCode, nodes: readonly number[], symbols: readonly number[]): number[] {
  for (const symbol of symbols) {
    if (!Number.isInteger(symbol) || symbol < 0 || symbol >= code.symbolCount) {
      throw illegalArgument(`${code.id} has symbols 0..${code.symbolCount - 1}, not ${symbol}`);
    }
  }
  return [...new Set([...symbolsOfNodes(code, nodes), ...symbols])].sort((a, b) => a - b);
}

function checkCosts(code: ErasureCode, costs: ArrayLike<number> | undefined): Float64Array {
  if (costs === undefined) return new Float64Array(code.nodes).fill(1);
  if (costs.length !== code.nodes) {
    throw illegalArgument(`${code.id} has ${code.nodes} nodes, but ${costs.length} costs are given`);
  }
  const checked = Float64Array.from(costs);
  for (const [node, cost] of checked.entries()) {
    if (!(cost >= 0) || !Number.isFinite(cost)) {
      throw illegalArgument(`the cost of node ${node} must be a finite number of at least 0, not ${cost}`);
    }
  }
  return checked;
}
