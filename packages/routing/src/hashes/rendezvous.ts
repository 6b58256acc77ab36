/**
 * Rendezvous (highest random weight) hashing, as mcrouter's: every server is scored for the key and the highest
 * score wins. Any server may leave or join and moves only its own keys; the cost grows with the number of
 * servers. Servers are known by name, not by position.
 */
import { strict as assert } from 'node:assert';
import type { KeyHash } from './key-hash.ts';
import { RendezvousScore } from './rendezvous-score.ts';

export class RendezvousHash implements KeyHash {
  readonly name = 'Rendezvous';
  readonly #score: RendezvousScore;
  readonly #count: number;

  constructor(names: readonly string[]) {
    assert(names.length > 0, 'no servers');
    this.#score = new RendezvousScore(names);
    this.#count = names.length;
  }

  select(bytes: Uint8Array, start: number, end: number): number {
    const score = this.#score;
    score.setKey(bytes, start, end);
    let best = 0;
    let bestHigh = 0;
    let bestLow = 0;
    for (let index = 0; index < this.#count; index++) {
      score.score(index);
      const high = score.high >>> 0;
      const low = score.low >>> 0;
      if (high > bestHigh || (high === bestHigh && low > bestLow)) {
        best = index;
        bestHigh = high;
        bestLow = low;
      }
    }
    return best;
  }
}
