import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Carry } from './carry.ts';

const PIECE_BYTES = 64 * 1024;

test('a reply of many values is copied a few times, and not once for each of them', () => {
  const carry = new Carry();
  const piece = Buffer.alloc(PIECE_BYTES, 1);
  const buffers = new Set<Buffer>();
  const pieces = 1024;
  for (let count = 1; count <= pieces; count++) {
    // What is known to be needed is always the next piece only.
    carry.needed = carry.bytes + PIECE_BYTES;
    assert.equal(carry.take(piece, 0, PIECE_BYTES), PIECE_BYTES);
    buffers.add(carry.buffer);
  }
  assert.equal(carry.bytes, pieces * PIECE_BYTES);
  assert.ok(carry.buffer.subarray(0, carry.bytes).every((byte) => byte === 1));
  // Piece by piece up to a mebibyte, then doubling: 16 and 6.
  assert.ok(buffers.size <= 24, `${buffers.size} buffers`);
  assert.ok(carry.buffer.length <= 2 * carry.bytes, 'memory grows with what has arrived');
});
