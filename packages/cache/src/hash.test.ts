import assert from 'node:assert/strict';
import { test } from 'node:test';
import { halfSipHash } from './hash.ts';

/** HalfSipHash-1-3 as its paper states it, on bytes and without any of hash.ts's shortcuts. */
function reference(bytes: Uint8Array, seedLow: number, seedHigh: number): number {
  const v = [seedLow | 0, seedHigh | 0, 0x6c796765 ^ seedLow, 0x74656462 ^ seedHigh];
  const rotate = (x: number, n: number): number => (x << n) | (x >>> (32 - n));
  const round = (): void => {
    v[0] = (v[0]! + v[1]!) | 0;
    v[1] = rotate(v[1]!, 5) ^ v[0]!;
    v[0] = rotate(v[0]!, 16);
    v[2] = (v[2]! + v[3]!) | 0;
    v[3] = rotate(v[3]!, 8) ^ v[2]!;
    v[0] = (v[0]! + v[3]!) | 0;
    v[3] = rotate(v[3]!, 7) ^ v[0]!;
    v[2] = (v[2]! + v[1]!) | 0;
    v[1] = rotate(v[1]!, 13) ^ v[2]!;
    v[2] = rotate(v[2]!, 16);
  };
  const padded = new Uint8Array(Math.floor(bytes.length / 4) * 4 + 4);
  padded.set(bytes);
  padded[padded.length - 1] = bytes.length;
  const words = new DataView(padded.buffer);
  for (let at = 0; at < padded.length; at += 4) {
    v[3]! ^= words.getInt32(at, true);
    round();
    v[0]! ^= words.getInt32(at, true);
  }
  v[2]! ^= 0xff;
  for (let i = 0; i < 3; i++) round();
  return v[1]! ^ v[3]!;
}

test('equals the plain definition for every length and at every alignment', () => {
  const bytes = Uint8Array.from({ length: 300 }, (_, i) => (i * 131 + 7) & 0xff);
  const view = new DataView(bytes.buffer);
  for (let length = 0; length <= 250; length++) {
    for (let offset = 0; offset < 4; offset++) {
      const expected = reference(bytes.slice(offset, offset + length), 0x12345678, 0x9abcdef0 | 0);
      assert.equal(halfSipHash(view, bytes, offset, length, 0x12345678, 0x9abcdef0 | 0), expected);
    }
  }
});

test('another seed gives another order, and buckets are even', () => {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  const counts = new Int32Array(256);
  let same = 0;
  for (let i = 0; i < 65_536; i++) {
    view.setUint32(4, i, true);
    const hash = halfSipHash(view, bytes, 0, 12, 1, 2);
    counts[hash & 255]!++;
    if ((hash & 255) === (halfSipHash(view, bytes, 0, 12, 1, 3) & 255)) same++;
  }
  // 256 expected per bucket; six standard deviations are 96.
  for (const count of counts) assert.ok(Math.abs(count - 256) < 96);
  assert.ok(same < 512, `${same} keys share their bucket under another seed`);
});
