/**
 * ConstShard, as mcrouter's: the key names its server by itself, as the decimal number between its first two
 * colons (`user:3:name` is server 3). A key without one, or with one beyond the last server, falls back to Ch3.
 */
import { Ch3Hash } from './ch3.ts';
import type { KeyHash } from './key-hash.ts';

const COLON = 0x3a;
const ZERO = 0x30;

export class ConstShardHash implements KeyHash {
  readonly name = 'ConstShard';
  readonly #ch3: Ch3Hash;
  readonly #count: number;

  constructor(count: number) {
    this.#ch3 = new Ch3Hash(count);
    this.#count = count;
  }

  select(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end && bytes[at] !== COLON) at++;
    const first = ++at;
    let shard = 0;
    for (; at < end && bytes[at] !== COLON; at++) {
      const digit = bytes[at]! - ZERO;
      if (digit < 0 || digit > 9) return this.#ch3.select(bytes, start, end);
      shard = Math.min(shard * 10 + digit, this.#count);
    }
    const closed = at < end && at > first;
    return closed && shard < this.#count ? shard : this.#ch3.select(bytes, start, end);
  }
}
