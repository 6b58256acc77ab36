/**
 * HalfSipHash-1-3: a keyed 32-bit hash (Aumasson and Bernstein's SipHash in 32-bit words, which is what
 * JavaScript computes fast). Who does not know the seed cannot make keys collide on purpose.
 */

/** Hashes `bytes` bytes of `view` at `offset`; `u8` is the same memory. Returns an int32. */
export function halfSipHash(
  view: DataView,
  u8: Uint8Array,
  offset: number,
  bytes: number,
  seedLow: number,
  seedHigh: number,
): number {
  let v0 = seedLow;
  let v1 = seedHigh;
  let v2 = 0x6c796765 ^ seedLow;
  let v3 = 0x74656462 ^ seedHigh;
  const wordsEnd = offset + (bytes & ~3);
  let at = offset;
  for (; at < wordsEnd; at += 4) {
    const word = view.getInt32(at, true);
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  let last = bytes << 24;
  const rest = bytes & 3;
  if (rest > 0) last |= u8[at]!;
  if (rest > 1) last |= u8[at + 1]! << 8;
  if (rest > 2) last |= u8[at + 2]! << 16;
  v3 ^= last;
  for (let round = 0; round < 4; round++) {
    // The first round absorbs the last word; the other three are the finalisation.
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    if (round === 0) {
      v0 ^= last;
      v2 ^= 0xff;
    }
  }
  return v1 ^ v3;
}
