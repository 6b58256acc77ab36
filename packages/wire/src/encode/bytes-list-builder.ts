/** A repeated bytes or string field of a builder: hybrid pointers as numbers, two per element. */
import type { Encoder } from './encoder.ts';
import type { LivePlaces } from './live-places.ts';

const CAPACITY_INITIAL = 8;

export class BytesListBuilder<T extends Uint8Array | string> {
  readonly #encoder: Encoder;
  #count = 0;
  #sizes: Int32Array = new Int32Array(CAPACITY_INITIAL);
  #places: Int32Array = new Int32Array(CAPACITY_INITIAL);
  #generation = 0;

  constructor(encoder: Encoder) {
    this.#encoder = encoder;
  }

  get length(): number {
    return this.#count;
  }

  /** Copies the value, or references it when it is large. Text and bytes are both taken. */
  append(value: T | Uint8Array | string): void {
    const encoder = this.#encoder;
    const index = this.#add();
    this.#places[index] = encoder.stage(value);
    this.#sizes[index] = encoder.size;
    this.#count = index + 1;
  }

  /** The same for bytes of the arena. */
  appendAt(offset: number, bytes: number): void {
    const index = this.#add();
    this.#places[index] = this.#encoder.stageAt(offset, bytes);
    this.#sizes[index] = bytes;
    this.#count = index + 1;
  }

  /** Appends bytes of the arena by reference; the caller has counted the reference for this. */
  appendReference(offset: number, bytes: number, owner: number): void {
    const index = this.#add();
    this.#places[index] = this.#encoder.stageReference(offset, bytes, owner);
    this.#sizes[index] = bytes;
    this.#count = index + 1;
  }

  /**
   * The same for many: (offset, bytes) pairs, `count` of them from `pairs[from]` on. The bytes, unlike those of
   * `appendAt`, must stay as they are until the message is sent: short ones are copied only then, once and straight
   * to where they are sent from. All are asked for before the first is needed, which is faster where they are in no
   * cache. When it throws, none of them are in the list.
   */
  appendAllAt(pairs: Int32Array, from: number, count: number): void {
    const encoder = this.#encoder;
    this.#generation = encoder.claim(this.#generation);
    while (this.#count + count > this.#sizes.length) this.#grow();
    encoder.stageAllAt(pairs, from, count, this.#sizes, this.#places, this.#count);
    this.#count += count;
  }

  appendAll(values: Iterable<T | Uint8Array | string>): void {
    for (const value of values) this.append(value);
  }

  /** Generated: puts other elements in the place of all; they may be bytes of the present ones. */
  replaceAll(values: Iterable<T | Uint8Array | string>): void {
    if (this.#count === 0) {
      this.appendAll(values);
      return;
    }
    const kept = Array.from(values, (value) => this.#encoder.unaliased(value));
    this.drop();
    this.appendAll(kept);
  }

  /** The bytes of an element, valid until the next assignment. */
  peek(index: number): Uint8Array {
    if (!(index >= 0 && index < this.#count)) throw new RangeError(`no element ${index} of ${this.#count}`);
    return this.#encoder.peek(this.#sizes[index]!, this.#places[index]!);
  }

  /** Generated: takes all elements out of the message. */
  drop(): void {
    this.#encoder.claim(this.#generation);
    for (let index = this.#count - 1; index >= 0; index--) {
      this.#encoder.drop(this.#sizes[index]!, this.#places[index]!);
    }
    this.clear();
  }

  /** Generated: forgets all elements, which the encoder has given back. */
  clear(): void {
    this.#count = 0;
    this.#generation = 0;
  }

  /** Generated: tells what the elements have staged. */
  keep(live: LivePlaces): void {
    for (let index = 0; index < this.#count; index++) live.add(this.#sizes[index]!, this.#places[index]!);
  }

  /** Generated: bytes of the list. */
  measure(): number {
    this.#encoder.enter(0, this.#generation);
    return this.#count * 8;
  }

  /** Generated: writes the field's entry at `p`, and the list. */
  write(encoder: Encoder, p: number): void {
    const { view } = encoder;
    const count = this.#count;
    const list = encoder.take(count * 8);
    view.setUint32(p, count, true);
    view.setUint32(p + 4, list, true);
    const sizes = this.#sizes;
    const places = this.#places;
    let at = encoder.base + list;
    for (let index = 0; index < count; index++, at += 8) {
      const size = sizes[index]!;
      view.setUint32(at, size, true);
      view.setUint32(at + 4, encoder.offsetOf(size, places[index]!), true);
    }
  }

  #add(): number {
    this.#generation = this.#encoder.claim(this.#generation);
    const index = this.#count;
    if (index === this.#sizes.length) this.#grow();
    return index;
  }

  #grow(): void {
    const sizes = new Int32Array(this.#sizes.length * 2);
    const places = new Int32Array(sizes.length);
    sizes.set(this.#sizes);
    places.set(this.#places);
    this.#sizes = sizes;
    this.#places = places;
  }
}
