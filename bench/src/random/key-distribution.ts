/**
 * Which keys are asked for: every draw of a run is made in advance, so that drawing costs the load generator
 * one array read.
 */
import type { Random } from './random.ts';
import { Zipf } from './zipf.ts';

export type KeyDistribution =
  | { readonly kind: 'uniform' }
  /** Rank k with probability proportional to k^-exponent; ranks are scattered over the keys. */
  | { readonly kind: 'zipf'; readonly exponent: number }
  /** 0, 1, 2, …: for filling. */
  | { readonly kind: 'sequential' };

/** Draws `count` keys of 0..keys-1. */
export function drawKeys(
  distribution: KeyDistribution,
  keys: number,
  count: number,
  random: Random,
): Int32Array {
  const draws = new Int32Array(count);
  if (distribution.kind === 'sequential') {
    for (let index = 0; index < count; index++) draws[index] = index % keys;
  } else if (distribution.kind === 'uniform') {
    for (let index = 0; index < count; index++) draws[index] = random.below(keys);
  } else {
    const zipf = new Zipf(keys, distribution.exponent);
    const scatter = new Scatter(keys);
    for (let index = 0; index < count; index++) draws[index] = scatter.key(zipf.sample(random) - 1);
  }
  return draws;
}

/**
 * A permutation of 0..keys-1, so that keys which are asked for often are neither neighbours in the order of
 * insertion nor in the load generator's memory.
 */
export class Scatter {
  readonly keys: number;
  readonly #step: number;

  constructor(keys: number) {
    this.keys = keys;
    // Multiples of a step that shares no divisor with `keys` reach every key once.
    let step = Math.max(1, Math.floor(keys * 0.6180339887));
    while (greatestDivisor(step, keys) !== 1) step++;
    this.#step = step;
  }

  key(rank: number): number {
    return (rank * this.#step) % this.keys;
  }
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
