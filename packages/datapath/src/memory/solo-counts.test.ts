import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { makeMemory } from '../transport/testing/harness.ts';
import { SoloCounts } from './solo-counts.ts';

test('plain counts are the same counts: chunks are freed with their last reference, whoever drops it', () => {
  const step = fc.record({ chunk: fc.nat({ max: 7 }), retain: fc.boolean(), plain: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const allocator = makeMemory('node');
      const counts = new SoloCounts(allocator);
      const chunks = Array.from({ length: 8 }, () => counts.allocate(counts.classFor(100)));
      const expected = chunks.map(() => 1);
      for (const { chunk, retain, plain } of steps) {
        if (expected[chunk] === 0) continue;
        const owners = plain ? counts : allocator;
        if (retain) {
          owners.retain(chunks[chunk]!);
          expected[chunk]!++;
        } else {
          assert.equal(owners.release(chunks[chunk]!), --expected[chunk]! === 0);
        }
        assert.equal(counts.references(chunks[chunk]!) > 0, expected[chunk]! > 0);
      }
      assert.equal(allocator.chunksInUse(), expected.filter((count) => count > 0).length);
      assert.equal(counts.recover(chunks[0]! + 50, 10), allocator.recover(chunks[0]! + 50, 10));
    }),
    { seed: 4, numRuns: 50 },
  );
});
