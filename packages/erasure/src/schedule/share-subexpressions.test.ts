import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { rs } from '../codes/reed-solomon.ts';
import { BitMatrix } from '../matrix/bit-matrix.ts';
import { scheduleMatrix } from './share-subexpressions.ts';
import { executeSchedule, type XorSchedule } from './xor-schedule.ts';

const seed = 99;

/** Runs a schedule on unit vectors: operand values are the sets of inputs that they sum. */
function matrixOf(schedule: XorSchedule): BitMatrix {
  const inputs = Array.from({ length: schedule.inputs }, (_, i) => {
    const unit = new Uint8Array(schedule.inputs);
    unit[i] = 1;
    return unit;
  });
  const outputs = Array.from({ length: schedule.outputs }, () => new Uint8Array(schedule.inputs).fill(7));
  executeSchedule(schedule, inputs, outputs);
  const matrix = new BitMatrix(schedule.outputs, schedule.inputs);
  for (const [r, output] of outputs.entries())
    for (const [c, bit] of output.entries()) if (bit) matrix.set(r, c);
  return matrix;
}

test('a schedule computes its matrix, never with more XORs than without sharing', () => {
  const row = fc.array(fc.boolean(), { minLength: 9, maxLength: 9 });
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 40 }), (rows) => {
      const matrix = BitMatrix.fromRows(
        9,
        rows.map((bits) => bits.flatMap((bit, c) => (bit ? [c] : []))),
      );
      const schedule = scheduleMatrix(matrix);
      assert.deepEqual(matrixOf(schedule).data, matrix.data);
      const plain = rows.reduce((sum, bits) => sum + Math.max(0, bits.filter(Boolean).length - 1), 0);
      assert.ok(schedule.xors <= plain);
      const set = new Set<number>();
      for (const { target, sources } of schedule.steps) {
        assert.ok(!sources.includes(target));
        for (const source of sources) assert.ok(source < schedule.inputs || set.has(source));
        set.add(target);
      }
    }),
    { seed, numRuns: 200 },
  );
});

test('RS(10,4): 890 XORs become at most 418, the published XOR-program optimisation', () => {
  const code = rs(10, 4);
  const matrix = code.checks.selectColumns(code.dataSymbols);
  assert.equal(matrix.weight() - matrix.rows, 890);
  const schedule = scheduleMatrix(matrix);
  assert.ok(schedule.xors <= 418, `${schedule.xors} XORs`);
  assert.deepEqual(matrixOf(schedule).data, matrix.data);
});

test('rows that nearly repeat another output start from it', () => {
  const ones = Array.from({ length: 20 }, (_, i) => i);
  const schedule = scheduleMatrix(BitMatrix.fromRows(21, [ones, ones.slice(1), [...ones, 20]]));
  assert.equal(schedule.xors, 19 + 1);
});

test('regions of unequal length and wrong counts are refused', () => {
  const schedule = scheduleMatrix(BitMatrix.fromRows(2, [[0, 1]]));
  const region = (bytes: number) => new Uint8Array(bytes);
  assert.throws(() => executeSchedule(schedule, [region(4)], [region(4)]), /2 inputs and 1 outputs, not 1/);
  assert.throws(() => executeSchedule(schedule, [region(4), region(4)], [region(5)]), /differ in length/);
});
