/**
 * WeightedCh3: Ch3 in which a server keeps only the share of its keys that its weight (0 to 1) says. A key
 * whose own fixed draw lies above the weight of the server Ch3 gave it is hashed again with a decimal counter
 * appended, up to 32 times. Lowering one weight therefore moves only keys of that server. Results are
 * mcrouter's.
 */
import { strict as assert } from 'node:assert';
import { KEY_BYTES_MAX } from '@larder/protocol';
import { Ch3Hash } from './ch3.ts';
import type { KeyHash } from './key-hash.ts';
import { Spooky32 } from './spooky32.ts';

const SEED = 0xface2014;
const TRIES_MAX = 32;
const DRAW_MAX = 0xffffffff;
/** Digits of the largest counter that is appended. */
const COUNTER_DIGITS = 2;
const ZERO = 0x30;

assert(TRIES_MAX <= 100, 'the counter has two digits');

export class WeightedCh3Hash implements KeyHash {
  readonly name = 'WeightedCh3';
  readonly #ch3: Ch3Hash;
  readonly #spooky = new Spooky32();
  /** A draw below its server's limit stays there. */
  readonly #limits: Float64Array;
  #salted = new Uint8Array(KEY_BYTES_MAX + COUNTER_DIGITS);

  /** `weights` are in [0, 1], one per server. */
  constructor(weights: readonly number[]) {
    assert(
      weights.every((weight) => weight >= 0 && weight <= 1),
      'weights lie between 0 and 1',
    );
    this.#ch3 = new Ch3Hash(weights.length);
    this.#limits = Float64Array.from(weights, (weight) => Math.floor(weight * DRAW_MAX));
  }

  select(bytes: Uint8Array, start: number, end: number): number {
    let index = this.#ch3.select(bytes, start, end);
    if (this.#spooky.hash(bytes, start, end, SEED) < this.#limits[index]!) return index;
    const length = end - start;
    if (this.#salted.length < length + COUNTER_DIGITS) this.#salted = new Uint8Array(length * 2);
    const salted = this.#salted;
    for (let at = 0; at < length; at++) salted[at] = bytes[start + at]!;
    for (let counter = 0; counter < TRIES_MAX - 1; counter++) {
      // The digits of the counter stand in reverse order.
      salted[length] = ZERO + (counter % 10);
      salted[length + 1] = ZERO + Math.floor(counter / 10);
      const saltedLength = length + (counter < 10 ? 1 : 2);
      index = this.#ch3.select(salted, 0, saltedLength);
      if (this.#spooky.hash(salted, 0, saltedLength, SEED) < this.#limits[index]!) return index;
    }
    return index;
  }
}
