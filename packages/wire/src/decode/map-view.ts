/**
 * A map field as it is read: a list of pairs in a message. Keys are compared, never used as properties of an
 * object, so that `__proto__` is a key like any other. When a key comes several times the last one counts. A long map
 * is indexed when it is first asked for a key; its view keeps it, so that this happens once.
 */
import { WireError } from '../errors.ts';
import { MAP_ENTRY_BYTES } from '../limits.ts';
import type { MapCodec } from '../map-codecs.ts';
import type { Message } from './message.ts';

/** Up to here looking at all keys is faster than keeping an index of them. */
const LINEAR_PAIRS_MAX = 8;

export class MapView<K, V> implements Iterable<[K, V]> {
  /** Pairs as they were sent. */
  readonly size: number;
  readonly #message: Message;
  readonly #start: number;
  readonly #key: MapCodec<K>;
  readonly #value: MapCodec<V>;
  #index: Map<K, number> | null = null;

  /** `p` is the field's entry, 0 when it is absent. */
  constructor(message: Message, p: number, key: MapCodec<K>, value: MapCodec<V>) {
    this.#message = message;
    this.#key = key;
    this.#value = value;
    this.size = p === 0 ? 0 : message.uint32(p);
    this.#start = p === 0 ? 0 : message.list(p, this.size, MAP_ENTRY_BYTES);
  }

  get(key: K): V | undefined {
    const index = this.#find(key);
    return index < 0 ? undefined : this.valueAt(index);
  }

  has(key: K): boolean {
    return this.#find(key) >= 0;
  }

  keyAt(index: number): K {
    return this.#key.read(this.#message, this.#pair(index));
  }

  valueAt(index: number): V {
    return this.#value.read(this.#message, this.#pair(index) + 8);
  }

  *[Symbol.iterator](): Generator<[K, V], void> {
    for (let index = 0; index < this.size; index++) yield [this.keyAt(index), this.valueAt(index)];
  }

  toMap(): Map<K, V> {
    return new Map(this);
  }

  #find(key: K): number {
    if (this.size > LINEAR_PAIRS_MAX) return this.#indexed().get(key) ?? -1;
    for (let index = this.size - 1; index >= 0; index--) {
      const other = this.keyAt(index);
      if (other === key) return index;
    }
    return -1;
  }

  /** The last pair of every key. */
  #indexed(): Map<K, number> {
    if (this.#index === null) {
      const index = new Map<K, number>();
      for (let at = 0; at < this.size; at++) index.set(this.keyAt(at), at);
      this.#index = index;
    }
    return this.#index;
  }

  #pair(index: number): number {
    if (index >>> 0 !== index || index >= this.size) {
      throw new WireError('RANGE', `no pair ${index} in a map of ${this.size}`);
    }
    return this.#start + index * MAP_ENTRY_BYTES;
  }
}
