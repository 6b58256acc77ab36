/**
 * Map fields of a builder. Keys are found again through a Map of their own, so that a key set twice is sent
 * once, and no key means anything to JavaScript's objects.
 *
 * ```
 *   pair i   words [4i, 4i+1] the key's entry · [4i+2, 4i+3] the value's: either as it is sent, or (size, place)
 * ```
 */

import type { View } from '../decode/view.ts';
import { MAP_ENTRY_BYTES } from '../limits.ts';
import type { MapCodec } from '../map-codecs.ts';
import type { Encoder } from './encoder.ts';
import type { LivePlaces } from './live-places.ts';
import { adopt } from './relay.ts';
import type { WireObject } from './wire-object.ts';

const PAIRS_INITIAL = 4;
const PAIR_WORDS = 4;
const scratch = new DataView(new ArrayBuffer(8));

abstract class PairList<K> {
  protected readonly encoder: Encoder;
  protected words: Int32Array = new Int32Array(PAIRS_INITIAL * PAIR_WORDS);
  readonly #index: Map<K, number> = new Map();
  readonly #key: MapCodec<K>;
  #generation = 0;

  constructor(encoder: Encoder, key: MapCodec<K>) {
    this.encoder = encoder;
    this.#key = key;
  }

  get size(): number {
    return this.#index.size;
  }

  has(key: K): boolean {
    return this.#index.has(key);
  }

  keys(): Iterable<K> {
    return this.#index.keys();
  }

  /** Generated: takes all pairs out of the message. */
  drop(): void {
    this.encoder.claim(this.#generation);
    for (let index = this.#index.size - 1; index >= 0; index--) {
      this.dropValue(index);
      this.dropWords(this.#key, index * PAIR_WORDS);
    }
    this.clear();
  }

  /** Generated: forgets all pairs. */
  clear(): void {
    // Whoever puts something in sets the generation first.
    if (this.#generation === 0) return;
    this.#generation = 0;
    this.#index.clear();
  }

  /** Generated: bytes of the list. */
  measure(): number {
    this.encoder.enter(0, this.#generation);
    return this.#index.size * MAP_ENTRY_BYTES;
  }

  /** Generated: tells what keys and values have staged. */
  keep(live: LivePlaces): void {
    for (let index = 0; index < this.#index.size; index++) {
      this.keepWords(live, this.#key, index * PAIR_WORDS);
      this.keepValue(live, index);
    }
  }

  protected abstract keepValue(live: LivePlaces, index: number): void;

  protected abstract dropValue(index: number): void;

  protected keepWords<T>(live: LivePlaces, codec: MapCodec<T>, word: number): void {
    if (codec.put === undefined) live.add(this.words[word]!, this.words[word + 1]!);
  }

  /** The pair of a key, or -1. */
  protected find(key: K): number {
    this.#generation = this.encoder.claim(this.#generation);
    return this.#index.get(key) ?? -1;
  }

  /** Room for one more pair, with its key: it is in the map once it is `link`ed. */
  protected make(key: K): number {
    const index = this.#index.size;
    if ((index + 1) * PAIR_WORDS > this.words.length) {
      const words = new Int32Array(this.words.length * 2);
      words.set(this.words);
      this.words = words;
    }
    this.putWords(this.#key, index * PAIR_WORDS, key);
    return index;
  }

  protected link(key: K, index: number): void {
    this.#index.set(key, index);
  }

  /** Takes back a pair that was made and not linked. */
  protected unmake(index: number): void {
    this.dropWords(this.#key, index * PAIR_WORDS);
  }

  protected putWords<T>(codec: MapCodec<T>, word: number, value: T): void {
    const { encoder, words } = this;
    if (codec.put === undefined) {
      words[word + 1] = encoder.stage(value as Uint8Array | string);
      words[word] = encoder.size;
    } else {
      codec.put(scratch, 0, value);
      words[word] = scratch.getInt32(0, true);
      words[word + 1] = scratch.getInt32(4, true);
    }
  }

  protected dropWords<T>(codec: MapCodec<T>, word: number): void {
    if (codec.put !== undefined) return;
    this.encoder.drop(this.words[word]!, this.words[word + 1]!);
    this.words[word] = 0;
    this.words[word + 1] = 0;
  }

  /** The field's entry at `p`, and all keys; returns where the first pair is. */
  protected writeKeys(encoder: Encoder, p: number): number {
    const count = this.#index.size;
    const list = encoder.take(count * MAP_ENTRY_BYTES);
    encoder.view.setUint32(p, count, true);
    encoder.view.setUint32(p + 4, list, true);
    const start = encoder.base + list;
    for (let index = 0; index < count; index++) {
      this.writeWords(encoder, this.#key, start + index * MAP_ENTRY_BYTES, index * PAIR_WORDS);
    }
    return start;
  }

  protected writeWords<T>(encoder: Encoder, codec: MapCodec<T>, p: number, word: number): void {
    const low = this.words[word]!;
    const high = this.words[word + 1]!;
    if (codec.put === undefined) {
      encoder.putPlace(p, low, high);
    } else {
      encoder.view.setInt32(p, low, true);
      encoder.view.setInt32(p + 4, high, true);
    }
  }
}

/** A map of scalars, bytes or strings. */
export class MapBuilder<K, V> extends PairList<K> {
  readonly #value: MapCodec<V>;

  constructor(encoder: Encoder, key: MapCodec<K>, value: MapCodec<V>) {
    super(encoder, key);
    this.#value = value;
  }

  /** Sets the value of a key; the last one counts. When it throws, the map is as it was. */
  set(key: K, value: V): this {
    const known = this.find(key);
    if (known >= 0) {
      this.#replace(known * PAIR_WORDS + 2, value);
      return this;
    }
    const index = this.make(key);
    try {
      this.putWords(this.#value, index * PAIR_WORDS + 2, value);
    } catch (error) {
      this.unmake(index);
      throw error;
    }
    this.link(key, index);
    return this;
  }

  #replace(word: number, value: V): void {
    const size = this.words[word]!;
    const place = this.words[word + 1]!;
    this.putWords(this.#value, word, value);
    if (this.#value.put === undefined) this.encoder.drop(size, place);
  }

  setAll(entries: Iterable<readonly [K, V]>): void {
    for (const [key, value] of entries) this.set(key, value);
  }

  /** Generated: writes the field's entry at `p`, and the list. */
  write(encoder: Encoder, p: number): void {
    const start = this.writeKeys(encoder, p);
    for (let index = 0; index < this.size; index++) {
      this.writeWords(encoder, this.#value, start + index * MAP_ENTRY_BYTES + 8, index * PAIR_WORDS + 2);
    }
  }

  protected override keepValue(live: LivePlaces, index: number): void {
    this.keepWords(live, this.#value, index * PAIR_WORDS + 2);
  }

  protected override dropValue(index: number): void {
    this.dropWords(this.#value, index * PAIR_WORDS + 2);
  }
}

/** A map of messages. Generated code measures and writes the values. */
export class MessageMapBuilder<K, B extends WireObject> extends PairList<K> {
  /** Generated: the values, `size` of them; what is behind them is of earlier messages. */
  readonly items: WireObject[] = [];
  readonly #make: (encoder: Encoder) => B;

  constructor(encoder: Encoder, key: MapCodec<K>, make: (encoder: Encoder) => B) {
    super(encoder, key);
    this.#make = make;
  }

  /** Sets the value of a key to a builder of the same encoder, or to an unread view. */
  set(key: K, value: B | View): this {
    return this.put(key, adopt(this.encoder, value));
  }

  /** Generated: sets the value of a key to what `adopt` returned. */
  put(key: K, value: WireObject): this {
    const known = this.find(key);
    if (known >= 0) {
      this.dropValue();
      this.items[known] = value;
      return this;
    }
    const index = this.make(key);
    this.items[index] = value;
    this.link(key, index);
    return this;
  }

  /** Sets the value of a key to an empty message and returns it. */
  add(key: K): B {
    const value = this.#make(this.encoder);
    this.put(key, value);
    return value;
  }

  /** Generated: the entry at `p`, and the keys; returns where the first value's entry is to be written. */
  write(encoder: Encoder, p: number): number {
    return this.writeKeys(encoder, p) + 8;
  }

  protected override keepValue(live: LivePlaces, index: number): void {
    this.items[index]!.$keep(live);
  }

  protected override dropValue(): void {
    this.encoder.hasGarbage = true;
  }
}
