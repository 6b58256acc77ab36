/**
 * The score of a server for a key, common to both rendezvous hashes: the Murmur64A hashes of the server's name
 * and of the key folded into 64 bits (CityHash's 128-to-64 fold). The result stays in `high` and `low`.
 */
import { Murmur64A } from './murmur64a.ts';
import { productHigh } from './product.ts';

const SERVER_SEED = 4193360111;
const KEY_SEED = 2718281828;
const FOLD_HIGH = 0x9ddfea08 | 0;
const FOLD_LOW = 0xeb382d69 | 0;
const SHIFT_OF_HIGH = 47 - 32;

export class RendezvousScore {
  high = 0;
  low = 0;
  readonly #murmur = new Murmur64A();
  readonly #serversHigh: Int32Array;
  readonly #serversLow: Int32Array;
  #keyHigh = 0;
  #keyLow = 0;

  /** `names` are hashed as UTF-8. */
  constructor(names: readonly string[]) {
    this.#serversHigh = new Int32Array(names.length);
    this.#serversLow = new Int32Array(names.length);
    for (const [index, name] of names.entries()) {
      const bytes = Buffer.from(name);
      this.#murmur.hash(bytes, 0, bytes.length, SERVER_SEED);
      this.#serversHigh[index] = this.#murmur.high;
      this.#serversLow[index] = this.#murmur.low;
    }
  }

  /** Scores that follow are of this key. */
  setKey(bytes: Uint8Array, start: number, end: number): void {
    this.#murmur.hash(bytes, start, end, KEY_SEED);
    this.#keyHigh = this.#murmur.high;
    this.#keyLow = this.#murmur.low;
  }

  /** Leaves the score of server `index` in `high` and `low`. */
  score(index: number): void {
    const serverHigh = this.#serversHigh[index]!;
    const serverLow = this.#serversLow[index]!;
    this.#fold(this.#keyHigh ^ serverHigh, this.#keyLow ^ serverLow);
    this.#fold(serverHigh ^ this.high, serverLow ^ this.low ^ (this.high >>> SHIFT_OF_HIGH));
    this.#fold(this.high, this.low ^ (this.high >>> SHIFT_OF_HIGH));
  }

  #fold(high: number, low: number): void {
    this.high = (productHigh(low, FOLD_LOW) + Math.imul(low, FOLD_HIGH) + Math.imul(high, FOLD_LOW)) | 0;
    this.low = Math.imul(low, FOLD_LOW);
  }
}
