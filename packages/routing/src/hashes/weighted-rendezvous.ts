/**
 * Weighted rendezvous hashing, as mcrouter's: a server's score is weight / -ln(u), where u in [0, 1) are the
 * lower 53 bits of its rendezvous score. A server's share of the keys is its weight's share of all weights, and
 * changing one weight moves keys only to or from that server.
 */
import { strict as assert } from 'node:assert';
import type { KeyHash } from './key-hash.ts';
import { RendezvousScore } from './rendezvous-score.ts';

const TWO_TO_32 = 2 ** 32;
const TWO_TO_53 = 2 ** 53;
const UPPER_BITS = 0x1fffff;

export class WeightedRendezvousHash implements KeyHash {
  readonly name = 'WeightedRendezvous';
  readonly #score: RendezvousScore;
  readonly #weights: Float64Array;

  /** `weights` are not negative, one per name. */
  constructor(names: readonly string[], weights: readonly number[]) {
    assert(names.length > 0 && names.length === weights.length, 'one weight per server');
    assert(
      weights.every((weight) => weight >= 0),
      'weights are not negative',
    );
    this.#score = new RendezvousScore(names);
    this.#weights = Float64Array.from(weights);
  }

  select(bytes: Uint8Array, start: number, end: number): number {
    const score = this.#score;
    score.setKey(bytes, start, end);
    let best = 0;
    let bestScore = 0;
    for (let index = 0; index < this.#weights.length; index++) {
      score.score(index);
      const uniform = ((score.high & UPPER_BITS) * TWO_TO_32 + (score.low >>> 0)) / TWO_TO_53;
      const weighted = this.#weights[index]! * (1 / -Math.log(uniform));
      if (weighted > bestScore) {
        best = index;
        bestScore = weighted;
      }
    }
    return best;
  }
}
