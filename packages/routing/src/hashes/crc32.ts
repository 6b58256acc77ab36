/**
 * Crc32 as mcrouter has it: the ordinary CRC-32 without its top bit, modulo the number of servers. Not a
 * consistent hash: another number of servers moves nearly every key.
 */
import { strict as assert } from 'node:assert';
import type { KeyHash } from './key-hash.ts';

const POLYNOMIAL = 0xedb88320;
const TABLE: Int32Array = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value;
});

/** The CRC-32 of the bytes of `bytes` in [start, end), as a signed 32-bit integer; `seed` continues another. */
export function crc32(bytes: Uint8Array, start: number, end: number, seed = 0): number {
  let crc = ~seed;
  for (let at = start; at < end; at++) crc = (crc >>> 8) ^ TABLE[(crc ^ bytes[at]!) & 0xff]!;
  return ~crc;
}

export class Crc32Hash implements KeyHash {
  readonly name = 'Crc32';
  readonly #count: number;

  constructor(count: number) {
    assert(Number.isInteger(count) && count > 0, `pool size ${count}`);
    this.#count = count;
  }

  select(bytes: Uint8Array, start: number, end: number): number {
    return (crc32(bytes, start, end) & 0x7fffffff) % this.#count;
  }
}
