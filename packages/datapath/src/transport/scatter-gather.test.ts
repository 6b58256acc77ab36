import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { COPIED, ScatterGatherQueue } from './scatter-gather.ts';

/** What a list must do, written plainly. */
class Model {
  parts: { bytes: number; tag: number }[] = [];
  released: number[] = [];

  consume(sent: number): number {
    let left = sent;
    while (this.parts.length > 0) {
      const [first] = this.parts;
      if (first!.bytes > left) {
        first!.bytes -= left;
        return 0;
      }
      left -= first!.bytes;
      this.parts.shift();
      if (first!.tag !== COPIED) this.released.push(first!.tag);
    }
    return left;
  }
}

const command = fc.oneof(
  fc.record({
    push: fc.constant(true),
    bytes: fc.integer({ min: 0, max: 100 }),
    tag: fc.oneof(
      fc.constant(COPIED),
      fc.integer({ min: 0, max: 2 ** 33 }),
      fc.integer({ min: -9999, max: -2 }),
    ),
  }),
  fc.record({ push: fc.constant(false), bytes: fc.integer({ min: 0, max: 300 }), tag: fc.constant(0) }),
);

test('parts are consumed across their borders and each is released once, in order', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 300 }), (commands) => {
      const queue = new ScatterGatherQueue();
      const model = new Model();
      const released: number[] = [];
      const sink = {
        releaseOwner: (owner: number) => released.push(owner),
        releaseBuffer: (buffer: number) => released.push(-buffer),
      };
      let offset = 1000;
      for (const { push, bytes, tag } of commands) {
        if (push) {
          queue.push(offset, bytes, tag);
          offset += bytes;
          model.parts.push({ bytes, tag });
        } else {
          const sent = Math.min(bytes, queue.bytes);
          assert.equal(queue.consume(sent, sink), model.consume(sent));
        }
        assert.equal(queue.count, model.parts.length);
        assert.equal(
          queue.bytes,
          model.parts.reduce((sum, part) => sum + part.bytes, 0),
        );
        assert.deepEqual(released, model.released);
        // Everything in the list is one run of memory here, so the front is what is missing from its end.
        if (queue.count > 0) assert.equal(queue.offsetAt(0), offset - queue.bytes);
      }
      queue.clear(sink);
      model.consume(Infinity);
      assert.deepEqual(released, model.released);
      assert.equal(queue.count, 0);
    }),
    { seed: 3, numRuns: 300 },
  );
});

test('iovecs stand for the front of the list, without empty parts', () => {
  const queue = new ScatterGatherQueue();
  for (let part = 0; part < 100; part++) queue.push(part * 1000, part % 3 === 0 ? 0 : part, part);
  const words = new Int32Array(400);
  const base = 2 ** 40 + 8;
  const count = queue.fill(words, 4, base, 20);
  assert.equal(count, 20);
  let sum = 0;
  let index = 4;
  for (let part = 1; part <= 29; part++) {
    if (part % 3 === 0) continue;
    const address = words[index + 1]! * 2 ** 32 + (words[index]! >>> 0);
    assert.equal(address, base + part * 1000);
    assert.equal(words[index + 2], part);
    assert.equal(words[index + 3], 0);
    sum += part;
    index += 4;
  }
  assert.equal(index, 4 + 20 * 4);
  assert.equal(queue.filledBytes, sum);
  assert.equal(queue.longestReference(20), 19);
});
