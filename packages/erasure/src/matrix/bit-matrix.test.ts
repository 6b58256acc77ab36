import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BitMatrix, invertMatrix, popcount, reduceOnColumns } from './bit-matrix.ts';
import { GaloisField, invertFieldMatrix } from './galois-field.ts';

const seed = 8;
const bits = (columns: number) => fc.array(fc.boolean(), { minLength: columns, maxLength: columns });

function matrixOf(rows: readonly (readonly boolean[])[], columns: number): BitMatrix {
  return BitMatrix.fromRows(
    columns,
    rows.map((row) => row.flatMap((bit, c) => (bit ? [c] : []))),
  );
}

/** Rank by counting the distinct sums of rows: 2^rank. */
function slowRank(matrix: BitMatrix): number {
  let sums = new Set(['']);
  for (let r = 0; r < matrix.rows; r++) {
    const next = new Set(sums);
    for (const sum of sums) {
      const columns = new Set(sum === '' ? [] : sum.split(','));
      for (const c of matrix.rowOnes(r).map(String)) if (!columns.delete(c)) columns.add(c);
      next.add([...columns].sort((a, b) => Number(a) - Number(b)).join());
    }
    sums = next;
  }
  return Math.log2(sums.size);
}

test('rank equals the number of sums, also across word boundaries', () => {
  fc.assert(
    fc.property(fc.array(bits(40), { minLength: 1, maxLength: 6 }), (rows) => {
      const matrix = matrixOf(rows, 40);
      assert.equal(matrix.rank(), slowRank(matrix));
      assert.equal(matrix.transpose().rank(), matrix.rank());
    }),
    { seed, numRuns: 100 },
  );
});

test('an inverse times its matrix is the identity; singular matrices are refused', () => {
  let inverted = 0;
  fc.assert(
    fc.property(fc.array(bits(5), { minLength: 5, maxLength: 5 }), (rows) => {
      const matrix = matrixOf(rows, 5);
      if (matrix.rank() < 5) assert.throws(() => invertMatrix(matrix), RangeError);
      else {
        inverted++;
        assert.deepEqual(invertMatrix(matrix).multiply(matrix).data, BitMatrix.identity(5).data);
      }
    }),
    { seed, numRuns: 200 },
  );
  assert.ok(inverted > 20);
});

test('reduction leaves each pivot column in one row and keeps the row space', () => {
  fc.assert(
    fc.property(fc.array(bits(12), { minLength: 2, maxLength: 8 }), (rows) => {
      const matrix = matrixOf(rows, 12);
      const rank = matrix.rank();
      const pivots = reduceOnColumns(matrix, [9, 3, 11]);
      for (const [r, pivot] of pivots.entries()) {
        if (pivot < 0) continue;
        for (let other = 0; other < matrix.rows; other++)
          assert.equal(matrix.get(other, pivot), Number(other === r));
      }
      assert.equal(matrix.rank(), rank);
    }),
    { seed, numRuns: 100 },
  );
});

test('popcount counts the ones of any 32-bit integer', () => {
  for (const value of [0, 1, 0x80000000, 0xffffffff, 0x12345678, -1, 0x7fffffff]) {
    assert.equal(popcount(value), [...(value >>> 0).toString(2)].filter((bit) => bit === '1').length);
  }
});

test('every field width is a field, and bit matrices multiply like elements', () => {
  for (let width = 1; width <= 10; width++) {
    const field = new GaloisField(width);
    for (let a = 1; a < field.size; a++) {
      const b = ((a * 7) % (field.size - 1)) + 1;
      assert.equal(field.divide(field.multiply(a, b), b), a);
      assert.equal(field.multiply(a, b ^ 1), field.multiply(a, b) ^ a);
      if (width > 1 && a > 1) assert.ok(field.power(2, a) !== 0);
    }
    // x generates the whole group, or the polynomial would not be primitive.
    const powers = new Set(
      Array.from({ length: field.size - 1 }, (_, e) => field.power(width === 1 ? 1 : 2, e)),
    );
    assert.equal(powers.size, field.size - 1);
  }
  const field = new GaloisField(5);
  const product = (e: number) => {
    const matrix = new BitMatrix(5, 5);
    field.placeBitMatrix(matrix, 0, 0, e);
    assert.equal(matrix.weight(), field.bitMatrixWeight(e));
    return matrix;
  };
  assert.deepEqual(product(19).multiply(product(6)).data, product(field.multiply(19, 6)).data);
  assert.equal(
    invertFieldMatrix(field, [
      [1, 1],
      [1, 1],
    ]),
    undefined,
  );
  assert.deepEqual(
    invertFieldMatrix(field, [
      [1, 0],
      [3, 1],
    ]),
    [
      [1, 0],
      [3, 1],
    ],
  );
});
