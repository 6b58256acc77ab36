/** Another hash with a salt behind every key (`salt` in configurations), as mcrouter appends it. */
import { KEY_BYTES_MAX } from '@larder/protocol';
import type { KeyHash } from './key-hash.ts';

export class SaltedHash implements KeyHash {
  readonly name: string;
  readonly #hash: KeyHash;
  readonly #salt: Uint8Array;
  #salted: Uint8Array;

  constructor(hash: KeyHash, salt: string) {
    this.name = hash.name;
    this.#hash = hash;
    this.#salt = Buffer.from(salt);
    this.#salted = new Uint8Array(KEY_BYTES_MAX + this.#salt.length);
  }

  select(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    const total = length + this.#salt.length;
    if (this.#salted.length < total) this.#salted = new Uint8Array(total);
    for (let at = 0; at < length; at++) this.#salted[at] = bytes[start + at]!;
    this.#salted.set(this.#salt, length);
    return this.#hash.select(this.#salted, 0, total);
  }
}
