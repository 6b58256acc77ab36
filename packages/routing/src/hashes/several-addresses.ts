/**
 * A hash that knows servers by their places, over servers of which some are names with several addresses.
 *
 * ```
 *   servers      10.0.0.1:11211     cache.example:11211       10.0.0.2:11211
 *   the hash     place 0            place 1                   place 2
 *   Rendezvous                      .7      .8      .9
 *   index        0                  1       2       3         4
 * ```
 * A name keeps its place and its share of the keys whatever addresses it has; they share it by rendezvous, so that
 * one that joins or leaves moves what it takes or had, and no key of another server.
 */
import type { KeyHash } from './key-hash.ts';
import { RendezvousHash } from './rendezvous.ts';

export class SeveralAddressesHash implements KeyHash {
  readonly name: string;
  readonly #places: KeyHash;
  /** Of each place, the index of its first address, and what chooses among several. */
  readonly #first: readonly number[];
  readonly #own: readonly (KeyHash | undefined)[];

  /** `addresses` are those of each place that `places` chooses from, at least one. */
  constructor(places: KeyHash, addresses: readonly (readonly string[])[]) {
    this.name = places.name;
    this.#places = places;
    let count = 0;
    this.#first = addresses.map((each) => {
      count += each.length;
      return count - each.length;
    });
    this.#own = addresses.map((each) => (each.length > 1 ? new RendezvousHash(each) : undefined));
  }

  select(bytes: Uint8Array, start: number, end: number): number {
    const place = this.#places.select(bytes, start, end);
    const own = this.#own[place];
    const first = this.#first[place]!;
    return own === undefined ? first : first + own.select(bytes, start, end);
  }
}
