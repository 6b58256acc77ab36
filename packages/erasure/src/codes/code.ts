/**
 * The one description that all codes share.
 *
 * A stripe is an array of `nodes` columns with `rows` (ω) symbols each; the
 * symbol at (node, row) has the number node·rows + row. A code is the set of
 * stripes for which every parity check XORs to zero: `checks` is its
 * parity-check matrix over GF(2), one row per check, one column per symbol.
 *
 *   node      0   1   2   3          symbol = node · rows + row
 *   row 0   [ 0 | 2 | 4 | 6 ]        check  = set of symbols whose XOR is 0
 *   row 1   [ 1 | 3 | 5 | 7 ]
 *
 * Checks keep the form in which the code defines them (RDP's diagonals hold P
 * symbols, EVENODD's hold the whole adjuster), and belong to `groups`: one per
 * parity node, or per imaginary parity node where parities lie among the data
 * (X-Code, HDP). The planners replace checks of one group by another's.
 */
import { illegalArgument, illegalParameters } from '../errors.ts';
import { PRIME_MAX } from '../limits.ts';
import { BitMatrix } from '../matrix/bit-matrix.ts';

export const codeNames = [
  'rdp',
  'evenodd',
  'xcode',
  'hdp',
  'star',
  'crs',
  'crs-original',
  'liberation',
  'liber8tion',
  'blaum-roth',
  'rs',
] as const;
export type CodeName = (typeof codeNames)[number];

export type CodeParameters = Readonly<Record<string, number>>;

export interface ErasureCode {
  readonly name: CodeName;
  /** Name and parameters, such as `star(p=13,k=11)`; equal ids are equal codes. */
  readonly id: string;
  readonly parameters: CodeParameters;
  readonly nodes: number;
  /** Symbols per node (ω). */
  readonly rows: number;
  /** Lost nodes that every pattern of can be rebuilt (m). */
  readonly tolerance: number;
  /** nodes · rows. */
  readonly symbolCount: number;
  readonly checks: BitMatrix;
  /** Group of each check. */
  readonly checkGroups: Int32Array;
  readonly groupCount: number;
  /** Symbol numbers of the data, ascending: data index → symbol. */
  readonly dataSymbols: Int32Array;
  /** Symbol numbers of the parities, ascending. */
  readonly paritySymbols: Int32Array;
}

export interface CheckDefinition {
  readonly group: number;
  /** Symbols of the check; a symbol named twice cancels. */
  readonly symbols: readonly number[];
}

export interface CodeDefinition {
  readonly name: CodeName;
  readonly parameters: CodeParameters;
  readonly nodes: number;
  readonly rows: number;
  readonly tolerance: number;
  readonly checks: readonly CheckDefinition[];
  readonly paritySymbols: readonly number[];
}

/** Assembles a description from a construction's checks. */
export function buildCode(definition: CodeDefinition): ErasureCode {
  const { name, parameters, nodes, rows, tolerance } = definition;
  const symbolCount = nodes * rows;
  const parity = new Set(definition.paritySymbols);
  const data: number[] = [];
  for (let s = 0; s < symbolCount; s++) if (!parity.has(s)) data.push(s);
  const values = Object.entries(parameters).map(([key, value]) => `${key}=${value}`);
  return {
    name,
    id: `${name}(${values.join(',')})`,
    parameters,
    nodes,
    rows,
    tolerance,
    symbolCount,
    checks: BitMatrix.fromRows(
      symbolCount,
      definition.checks.map((check) => check.symbols),
    ),
    checkGroups: Int32Array.from(definition.checks, (check) => check.group),
    groupCount: 1 + Math.max(...definition.checks.map((check) => check.group)),
    dataSymbols: Int32Array.from(data),
    paritySymbols: Int32Array.from(parity).sort(),
  };
}

/**
 * Assembles a code whose m parity nodes follow k data nodes, from its
 * (m·ω) × (k·ω) bit matrix: parity symbol i is the XOR of row i's data.
 */
export function buildGeneratorCode(
  definition: Omit<CodeDefinition, 'checks' | 'paritySymbols' | 'nodes'>,
  generator: BitMatrix,
): ErasureCode {
  const { rows, tolerance } = definition;
  const dataSymbols = generator.columns;
  const checks: CheckDefinition[] = [];
  const paritySymbols: number[] = [];
  for (let i = 0; i < generator.rows; i++) {
    paritySymbols.push(dataSymbols + i);
    checks.push({ group: Math.floor(i / rows), symbols: [...generator.rowOnes(i), dataSymbols + i] });
  }
  return buildCode({ ...definition, nodes: dataSymbols / rows + tolerance, checks, paritySymbols });
}

export function symbolAt(code: ErasureCode, node: number, row: number): number {
  return node * code.rows + row;
}

export function positionOf(code: ErasureCode, symbol: number): [node: number, row: number] {
  return [Math.floor(symbol / code.rows), symbol % code.rows];
}

/** Symbols of the given nodes, ascending; throws for a node the code has not. */
export function symbolsOfNodes(code: ErasureCode, nodes: readonly number[]): number[] {
  const symbols: number[] = [];
  for (const node of [...new Set(nodes)].sort((a, b) => a - b)) {
    if (!Number.isInteger(node) || node < 0 || node >= code.nodes) {
      throw illegalArgument(`${code.id} has nodes 0..${code.nodes - 1}, not ${node}`);
    }
    for (let row = 0; row < code.rows; row++) symbols.push(symbolAt(code, node, row));
  }
  return symbols;
}

export function isPrime(value: number): boolean {
  if (!Number.isInteger(value) || value < 2) return false;
  for (let d = 2; d * d <= value; d++) if (value % d === 0) return false;
  return true;
}

/** Throws unless the value is a prime of at least `least`. */
export function requirePrime(label: string, value: number, least: number): void {
  if (!isPrime(value) || value < least) {
    throw illegalParameters(`${label} must be a prime of at least ${least}, not ${value}`);
  }
  if (value > PRIME_MAX) throw illegalParameters(`${label} must be at most ${PRIME_MAX}, not ${value}`);
}

/** Throws unless the value is an integer within the range. */
export function requireRange(label: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw illegalParameters(`${label} must be an integer in ${least}..${most}, not ${value}`);
  }
}
