/**
 * Ch3, mcrouter's default: the consistent hash also called furc. A key is the seed of an endless stream of
 * bits (its Murmur64A hash, hashed again and again); the bits walk down a binary tree whose depth covers the
 * number of servers. The first bit of a level says whether the answer lies in that level's upper half, the
 * following ones complete the number; a number beyond the last server tries again with later bits.
 *
 * Growing from n to m servers moves only the (m - n) / m keys that the new servers take over. The results
 * are mcrouter's: its published expectations are in the tests.
 */
import { strict as assert } from 'node:assert';
import type { KeyHash } from './key-hash.ts';
import { Murmur64A } from './murmur64a.ts';

const SEED = 4193360111;
/** Distance between the bits of one try, and the depth of the deepest tree. */
const BIT_STRIDE = 23;
const TRIES_MAX = 32;
/** The largest pool furc can tell apart. */
export const CH3_POOL_SIZE_MAX: number = 1 << BIT_STRIDE;
const WORDS_MAX = 512;

assert(TRIES_MAX * BIT_STRIDE * BIT_STRIDE + BIT_STRIDE < WORDS_MAX * 64);

export class Ch3Hash implements KeyHash {
  readonly name = 'Ch3';
  readonly #count: number;
  readonly #depth: number;
  readonly #murmur = new Murmur64A();
  /** The stream of bits: two halves per 64 bits, the lower one first. */
  readonly #words = new Int32Array(WORDS_MAX * 2);
  #wordCount = 0;

  constructor(count: number) {
    assert(Number.isInteger(count) && count > 0 && count <= CH3_POOL_SIZE_MAX, `pool size ${count}`);
    this.#count = count;
    let depth = 0;
    while (count > 1 << depth) depth++;
    this.#depth = depth;
  }

  select(bytes: Uint8Array, start: number, end: number): number {
    if (this.#count === 1) return 0;
    this.#murmur.hash(bytes, start, end, SEED);
    this.#words[0] = this.#murmur.low;
    this.#words[1] = this.#murmur.high;
    this.#wordCount = 1;
    let depth = this.#depth;
    let position = depth;
    for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
      while (this.#bit(position) === 0) {
        if (--depth === 0) return 0;
        position = depth;
      }
      position += BIT_STRIDE;
      let number = 1;
      for (let level = 1; level < depth; level++) {
        number = (number << 1) | this.#bit(position);
        position += BIT_STRIDE;
      }
      if (number < this.#count) return number;
    }
    return 0;
  }

  #bit(position: number): number {
    const word = position >>> 6;
    while (this.#wordCount <= word) {
      const last = this.#wordCount * 2 - 2;
      this.#murmur.rehash(this.#words[last + 1]!, this.#words[last]!, SEED);
      this.#words[last + 2] = this.#murmur.low;
      this.#words[last + 3] = this.#murmur.high;
      this.#wordCount++;
    }
    return (this.#words[position >>> 5]! >>> (position & 31)) & 1;
  }
}
