import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rankInPlace } from '../matrix/bit-matrix.ts';
import { legalCodes } from './catalogue.ts';
import { type ErasureCode, symbolsOfNodes } from './code.ts';
import { rdp } from './rdp.ts';
import { star } from './star.ts';

function* patterns(nodes: number, lost: number, from = 0): Generator<number[]> {
  if (lost === 0) yield [];
  else {
    for (let node = from; node <= nodes - lost; node++) {
      for (const rest of patterns(nodes, lost - 1, node + 1)) yield [node, ...rest];
    }
  }
}

/**
 * The columns of m lost nodes must be independent; then those of fewer are.
 * Symbols are rows of the transposed matrix, so that a pattern is a row choice.
 */
function unsolvedPattern(code: ErasureCode): number[] | undefined {
  const bySymbol = code.checks.transpose();
  for (const lost of patterns(code.nodes, code.tolerance)) {
    const columns = symbolsOfNodes(code, lost);
    if (rankInPlace(bySymbol.selectRows(columns)) !== columns.length) return lost;
  }
  return undefined;
}

function assertMds(code: ErasureCode): void {
  const checkCount = code.tolerance * code.rows;
  assert.equal(
    code.checks.rows,
    checkCount,
    `${code.id}: as many checks as parities of ${code.tolerance} nodes`,
  );
  assert.equal(code.paritySymbols.length, checkCount, code.id);
  assert.equal(code.dataSymbols.length, code.symbolCount - checkCount, code.id);
  assert.equal(
    unsolvedPattern(code),
    undefined,
    `${code.id} must rebuild every pattern of ${code.tolerance} nodes`,
  );
}

const options = { nodesMax: 14, shortened: 'all', extraBits: 8, parityNodesMax: 13 } as const;

test('every legal code up to 14 nodes rebuilds every loss of m nodes', () => {
  const counted = new Map<string, number>();
  for (const code of legalCodes(options)) {
    assertMds(code);
    counted.set(code.name, (counted.get(code.name) ?? 0) + 1);
  }
  assert.deepEqual(Object.fromEntries(counted), {
    rdp: 34,
    evenodd: 38,
    star: 37,
    xcode: 5,
    hdp: 4,
    liber8tion: 8,
    liberation: 38,
    'blaum-roth': 34,
    crs: 490,
    'crs-original': 490,
    rs: 91,
  });
});

test('longer codes rebuild every loss of m nodes', () => {
  assertMds(rdp(17));
  assertMds(star(17));
});

test('the rank test notices a code that is not MDS', () => {
  const code = star(7);
  const broken = { ...code, checks: code.checks.clone() };
  broken.checks.flip(code.rows + 1, 9);
  assert.notEqual(unsolvedPattern(broken), undefined);
});
