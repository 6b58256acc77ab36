/**
 * Jump consistent hash (Lamping and Veach, arXiv:1406.2294): no table, minimal movement, but servers can be
 * added and removed at the end of the list only. The key's 64-bit number is its Murmur64A hash. The halves of
 * the paper's linear congruential generator are kept as 32-bit integers.
 */
import { strict as assert } from 'node:assert';
import type { KeyHash } from './key-hash.ts';
import { Murmur64A } from './murmur64a.ts';
import { productHigh } from './product.ts';

const SEED = 4193360111;
/** 2862933555777941757, the generator's multiplier. */
const MULTIPLIER_HIGH = Number(2862933555777941757n >> 32n) | 0;
const MULTIPLIER_LOW = Number(2862933555777941757n & 0xffffffffn) | 0;
const TWO_TO_31 = 2 ** 31;

/** The bucket in [0, count) of the 64-bit number whose halves are `high` and `low`. */
export function jumpBucket(high: number, low: number, count: number): number {
  let bucket = -1;
  let next = 0;
  while (next < count) {
    bucket = next;
    high =
      (productHigh(low, MULTIPLIER_LOW) + Math.imul(low, MULTIPLIER_HIGH) + Math.imul(high, MULTIPLIER_LOW)) |
      0;
    low = (Math.imul(low, MULTIPLIER_LOW) + 1) | 0;
    if (low === 0) high = (high + 1) | 0;
    next = Math.floor((bucket + 1) * (TWO_TO_31 / ((high >>> 1) + 1)));
  }
  return bucket;
}

export class JumpHash implements KeyHash {
  readonly name = 'Jump';
  readonly #count: number;
  readonly #murmur = new Murmur64A();

  constructor(count: number) {
    assert(Number.isInteger(count) && count > 0 && count < TWO_TO_31, `pool size ${count}`);
    this.#count = count;
  }

  select(bytes: Uint8Array, start: number, end: number): number {
    this.#murmur.hash(bytes, start, end, SEED);
    return jumpBucket(this.#murmur.high, this.#murmur.low, this.#count);
  }
}
