import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lastLevelCacheBytes, parseCacheSize } from '../harness/cache-size.ts';
import { gainOf, samplesOf, thresholdOf } from './derive.ts';
import { drawHeatMaps, heatTable } from './heat-map.ts';
import { run } from './run.ts';
import { BUFFER_SIZES, bufferBytes, type Cell, SHAPES } from './shapes.ts';
import { SweepMemory } from './sweep-memory.ts';

/** A machine on which a copied byte costs 0.1 ns and a reference 100 ns. */
const CELLS: Cell[] = SHAPES.map((shape) => {
  const copyNs = 500 + shape.payloadBytes * 0.1;
  const referenceNs = 500 + shape.buffers * 100;
  return {
    ...shape,
    copyNs: [copyNs, copyNs * 3, copyNs],
    referenceNs: [referenceNs, referenceNs * 3, referenceNs],
  };
});

test('the sweep has every payload with every number of buffers that is worth it', () => {
  assert.ok(SHAPES.every((shape) => Number.isInteger(bufferBytes(shape)) && bufferBytes(shape) >= 64));
  assert.equal(
    new Set(SHAPES.map(({ payloadBytes, buffers }) => `${payloadBytes} ${buffers}`)).size,
    SHAPES.length,
  );
  assert.deepEqual(BUFFER_SIZES, [64, 128, 256, 512, 1024, 2048, 4096, 8192]);
});

test('the threshold follows from what fields cost, whatever a disturbed round says', () => {
  assert.deepEqual(
    samplesOf(CELLS).map(({ bytes }) => bytes),
    BUFFER_SIZES,
  );
  const threshold = thresholdOf(CELLS);
  // A field of 1000 bytes costs 100 ns either way; a reference has to be better by 3% of the request.
  assert.ok(threshold !== null && threshold > 1000 && threshold < 1400, String(threshold));
  assert.equal(thresholdOf(CELLS.map((cell) => ({ ...cell, referenceNs: [9e6] }))), null);
  assert.ok(Math.abs(gainOf(CELLS.at(-1)!) - (500 + 819.2) / (500 + 3200) + 1) < 1e-9);
});

test('buffers of every size are there once each, and none comes again before all others', () => {
  const memory = new SweepMemory(64 * 1024);
  for (const bytes of BUFFER_SIZES) {
    const { first, count } = memory.entriesOf(bytes)!;
    const offsets = new Set<number>();
    for (let index = 0; index < count; index++) {
      const offset = memory.arena.i32[first + 2 * index]!;
      assert.equal(memory.arena.i32[first + 2 * index + 1], bytes);
      assert.ok(memory.allocator.recover(offset, bytes) > 0);
      offsets.add(offset);
    }
    assert.equal(offsets.size, count);
  }
});

test('the heat map shows every cell', () => {
  const result = { target: 'nic' as const, cells: CELLS, thresholdBytes: 1000 };
  const table = heatTable(result);
  assert.equal(table.match(/%/g)?.length, SHAPES.length);
  const machine = {
    date: '2026-01-01',
    cpu: 'a <CPU>',
    cores: 1,
    memoryGigabytes: 1,
    kernel: '6',
    system: '',
    architecture: '',
    node: '',
  };
  const svg = drawHeatMaps({ machine, rounds: 3, seconds: 1, targets: [result] });
  assert.equal(svg.match(/%</g)?.length, SHAPES.length);
  assert.ok(svg.includes('a &lt;CPU&gt;'));
});

test('cache sizes as the kernel writes them', () => {
  assert.equal(parseCacheSize('32768K\n'), 32 * 2 ** 20);
  assert.equal(parseCacheSize('1M'), 2 ** 20);
  assert.equal(parseCacheSize('nonsense'), 0);
  assert.ok(lastLevelCacheBytes() >= 2 ** 18);
});

test('bad command lines are errors', async () => {
  await assert.rejects(run(['nowhere']), { code: 'USAGE' });
  await assert.rejects(run(['--seconds', 'x']), { code: 'USAGE' });
  await assert.rejects(run(['--what']), { code: 'USAGE' });
});
