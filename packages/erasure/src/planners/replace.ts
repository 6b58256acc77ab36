/**
 * Replace recovery (HoRR, tpds14): a polynomial search for few reads.
 *
 * As many checks as symbols are lost rebuild them when they are independent on
 * the lost columns. A search starts from one check group (one parity node) and
 * exchanges checks for those of another group, one swap at a time. Each pass
 * takes the best valid swap even when it is worse than now, keeps the check it
 * brought in, and ends at the best collection met on the way (variable depth,
 * as Kernighan-Lin). Passes go through the other groups in turn until nothing
 * improves; every group is a start.
 *
 * Bookkeeping per swap, for R checks of S symbols each:
 *   coefficients[r]  check r's lost columns as combination of the collection: a
 *                    swap (position b for check r) is valid iff bit b is set
 *   counts[s]        checks of the collection that hold symbol s
 *   owners[s]        sum of their positions: the holder itself where counts = 1
 * so the saving of dropping b and the price of adding r are sums over symbols.
 *
 * With costs the same search minimises the total cost, or the slowest node's
 * (total breaking ties); then the plan for equal costs is one more start, so
 * that the result is never worse than it.
 */
import { type BitMatrix, invertMatrix, onesOf } from '../matrix/bit-matrix.ts';
import { independentRows } from './independent-rows.ts';
import type { Objective } from './plan.ts';
import type { RecoveryProblem } from './problem.ts';

/** The chosen rows of `problem.equations`. */
export function replaceRows(problem: RecoveryProblem, objective: Objective): number[] {
  const uniform = problem.costs.every((cost) => cost === problem.costs[0]);
  const starts = groupStarts(problem);
  if (uniform && objective === 'total') return searchFrom(problem, starts, 'total').rows;
  const even = { ...problem, costs: new Float64Array(problem.costs.length).fill(1) };
  const homogeneous = searchFrom(even, starts, 'total').rows;
  const total = searchFrom(problem, [...starts, homogeneous], 'total');
  if (objective === 'total') return total.rows;
  return searchFrom(problem, [...starts, homogeneous, total.rows], 'slowest').rows;
}

/** One start per group: its own checks first, the others' as far as it lacks some. */
function groupStarts({ equations, groups, targets, code }: RecoveryProblem): number[][] {
  const starts: number[][] = [];
  for (let group = 0; group < code.groupCount; group++) {
    const order = Array.from(groups.keys()).sort(
      (a, b) => Number(groups[b] === group) - Number(groups[a] === group) || a - b,
    );
    starts.push(independentRows(equations, targets, order));
  }
  return starts;
}

interface Found {
  readonly rows: number[];
  readonly value: number;
}

function searchFrom(problem: RecoveryProblem, starts: readonly number[][], objective: Objective): Found {
  let best: Found | undefined;
  const search = new ReplaceSearch(problem, objective);
  for (const start of starts) {
    const found = search.improve(start);
    if (!best || found.value < best.value) best = found;
  }
  return best!;
}

/** Weight of the total cost where it only breaks ties of the slowest node. */
const TIE_WEIGHT = 1e-6;

class ReplaceSearch {
  readonly #problem: RecoveryProblem;
  readonly #objective: Objective;
  readonly #rowCount: number;
  readonly #size: number;
  readonly #words: number;
  /** Readable symbols of each check. */
  readonly #symbols: Int32Array[];
  readonly #nodeOf: Int32Array;
  readonly #costOf: Float64Array;
  readonly #coefficients: Uint32Array;
  readonly #counts: Int32Array;
  readonly #owners: Int32Array;
  readonly #rows: Int32Array;
  readonly #inCollection: Uint8Array;
  /** Reads per node now. */
  readonly #nodeReads: Int32Array;
  /** Cost that only this position causes, in total, and reads by node. */
  readonly #alone: Float64Array;
  readonly #aloneByNode: Int32Array;
  readonly #kept: Float64Array;
  readonly #keptByNode: Int32Array;
  readonly #addedByNode: Int32Array;
  #total = 0;

  constructor(problem: RecoveryProblem, objective: Objective) {
    const { code, equations, targets, costs } = problem;
    this.#problem = problem;
    this.#objective = objective;
    this.#rowCount = equations.rows;
    this.#size = targets.length;
    this.#words = (targets.length + 31) >>> 5;
    const lost = new Set(targets);
    this.#symbols = Array.from({ length: equations.rows }, (_, r) =>
      Int32Array.from(onesOf(equations.row(r)).filter((symbol) => !lost.has(symbol))),
    );
    this.#nodeOf = Int32Array.from({ length: code.symbolCount }, (_, s) => Math.floor(s / code.rows));
    this.#costOf = Float64Array.from(this.#nodeOf, (node) => costs[node]!);
    this.#coefficients = new Uint32Array(equations.rows * this.#words);
    this.#counts = new Int32Array(code.symbolCount);
    this.#owners = new Int32Array(code.symbolCount);
    this.#rows = new Int32Array(this.#size);
    this.#inCollection = new Uint8Array(equations.rows);
    this.#nodeReads = new Int32Array(code.nodes);
    this.#alone = new Float64Array(this.#size);
    this.#aloneByNode = new Int32Array(this.#size * code.nodes);
    this.#kept = new Float64Array(this.#size);
    this.#keptByNode = new Int32Array(this.#size * code.nodes);
    this.#addedByNode = new Int32Array(code.nodes);
  }

  /** Passes over the groups in turn, until a whole round brings nothing. */
  improve(start: readonly number[]): Found {
    this.#load(start);
    const { groupCount } = this.#problem.code;
    let best: Found = { rows: [...start], value: this.#value() };
    let idle = 0;
    for (let group = 0; idle < groupCount; group = (group + 1) % groupCount) {
      const found = this.#pass(group, best);
      idle = found.value < best.value ? 0 : idle + 1;
      best = found;
    }
    return best;
  }

  /** One variable-depth pass; the state ends at the best collection. */
  #pass(group: number, before: Found): Found {
    let best = before;
    const fixed = new Uint8Array(this.#size);
    const barred = new Uint8Array(this.#rowCount);
    const undo: [position: number, row: number][] = [];
    let undoKept = 0;
    for (let depth = 0; depth < this.#size; depth++) {
      const swap = this.#bestSwap(group, fixed, barred);
      if (!swap) break;
      const leaving = this.#rows[swap.position]!;
      this.#swap(swap.position, swap.row);
      fixed[swap.position] = 1;
      barred[leaving] = 1;
      undo.push([swap.position, leaving]);
      const value = this.#value();
      if (value < best.value - TIE_WEIGHT * TIE_WEIGHT) {
        best = { rows: [...this.#rows], value };
        undoKept = undo.length;
      }
    }
    while (undo.length > undoKept) {
      const [position, row] = undo.pop()!;
      this.#swap(position, row);
    }
    return best;
  }

  #bestSwap(
    group: number,
    fixed: Uint8Array,
    barred: Uint8Array,
  ): { position: number; row: number } | undefined {
    this.#countAlone();
    let best: { position: number; row: number } | undefined;
    let bestValue = Number.POSITIVE_INFINITY;
    for (let row = 0; row < this.#rowCount; row++) {
      if (this.#problem.groups[row] !== group || this.#inCollection[row] || barred[row]) continue;
      const added = this.#countAdded(row);
      for (let position = 0; position < this.#size; position++) {
        if (fixed[position] || !this.#dependsOn(row, position)) continue;
        const value = this.#valueAfter(position, added);
        if (value < bestValue) {
          bestValue = value;
          best = { position, row };
        }
      }
    }
    return best;
  }

  #dependsOn(row: number, position: number): boolean {
    return ((this.#coefficients[row * this.#words + (position >>> 5)]! >>> (position & 31)) & 1) === 1;
  }

  #countAlone(): void {
    this.#alone.fill(0);
    this.#aloneByNode.fill(0);
    const nodes = this.#nodeReads.length;
    for (let position = 0; position < this.#size; position++) {
      for (const symbol of this.#symbols[this.#rows[position]!]!) {
        if (this.#counts[symbol] !== 1) continue;
        this.#alone[position]! += this.#costOf[symbol]!;
        this.#aloneByNode[position * nodes + this.#nodeOf[symbol]!]!++;
      }
    }
  }

  /** Cost the check adds; also what of each position's own reads it would keep. */
  #countAdded(row: number): number {
    const slowest = this.#objective === 'slowest';
    const nodes = this.#nodeReads.length;
    let added = 0;
    this.#kept.fill(0);
    if (slowest) {
      this.#keptByNode.fill(0);
      this.#addedByNode.fill(0);
    }
    for (const symbol of this.#symbols[row]!) {
      const count = this.#counts[symbol]!;
      if (count === 0) {
        added += this.#costOf[symbol]!;
        if (slowest) this.#addedByNode[this.#nodeOf[symbol]!]!++;
      } else if (count === 1) {
        const owner = this.#owners[symbol]!;
        this.#kept[owner]! += this.#costOf[symbol]!;
        if (slowest) this.#keptByNode[owner * nodes + this.#nodeOf[symbol]!]!++;
      }
    }
    return added;
  }

  #valueAfter(position: number, added: number): number {
    const total = this.#total + added - this.#alone[position]! + this.#kept[position]!;
    if (this.#objective === 'total') return total;
    const nodes = this.#nodeReads.length;
    let slowest = 0;
    for (let node = 0; node < nodes; node++) {
      const at = position * nodes + node;
      const reads =
        this.#nodeReads[node]! + this.#addedByNode[node]! - this.#aloneByNode[at]! + this.#keptByNode[at]!;
      slowest = Math.max(slowest, reads * this.#problem.costs[node]!);
    }
    return slowest + total * TIE_WEIGHT;
  }

  #value(): number {
    if (this.#objective === 'total') return this.#total;
    let slowest = 0;
    for (const [node, reads] of this.#nodeReads.entries()) {
      slowest = Math.max(slowest, reads * this.#problem.costs[node]!);
    }
    return slowest + this.#total * TIE_WEIGHT;
  }

  #load(rows: readonly number[]): void {
    this.#counts.fill(0);
    this.#owners.fill(0);
    this.#nodeReads.fill(0);
    this.#inCollection.fill(0);
    this.#total = 0;
    for (const [position, row] of rows.entries()) {
      this.#rows[position] = row;
      this.#inCollection[row] = 1;
      this.#hold(row, position);
    }
    const { equations, targets } = this.#problem;
    this.#coefficients.set(coefficientsOf(equations, targets, rows));
  }

  #hold(row: number, position: number): void {
    for (const symbol of this.#symbols[row]!) {
      if (this.#counts[symbol]!++ === 0) {
        this.#total += this.#costOf[symbol]!;
        this.#nodeReads[this.#nodeOf[symbol]!]!++;
      }
      this.#owners[symbol]! += position;
    }
  }

  #release(row: number, position: number): void {
    for (const symbol of this.#symbols[row]!) {
      if (--this.#counts[symbol]! === 0) {
        this.#total -= this.#costOf[symbol]!;
        this.#nodeReads[this.#nodeOf[symbol]!]!--;
      }
      this.#owners[symbol]! -= position;
    }
  }

  /** Puts check `row` at the position, and expresses all checks in the new collection. */
  #swap(position: number, row: number): void {
    const leaving = this.#rows[position]!;
    this.#release(leaving, position);
    this.#hold(row, position);
    this.#inCollection[leaving] = 0;
    this.#inCollection[row] = 1;
    this.#rows[position] = row;
    const words = this.#words;
    const coefficients = this.#coefficients;
    const pivot = coefficients.slice(row * words, (row + 1) * words);
    const word = position >>> 5;
    const mask = 1 << (position & 31);
    for (let r = 0; r < this.#rowCount; r++) {
      if ((coefficients[r * words + word]! & mask) === 0) continue;
      for (let i = 0; i < words; i++) coefficients[r * words + i]! ^= pivot[i]!;
      coefficients[r * words + word]! |= mask;
    }
  }
}

/** Each row's targets as combination of the chosen rows': bit b of row r is chosen row b. */
function coefficientsOf(
  equations: BitMatrix,
  targets: readonly number[],
  chosen: readonly number[],
): Uint32Array {
  const inverse = invertMatrix(equations.selectRows(chosen).selectColumns(targets));
  return equations.selectColumns(targets).multiply(inverse).data;
}
