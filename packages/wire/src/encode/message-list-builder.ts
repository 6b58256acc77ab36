/**
 * A repeated message field of a builder. Its elements are builders too; those made by `add` are kept and used
 * again for the next message. Generated code measures and writes them, because there the calls have one
 * target.
 */
import type { View } from '../decode/view.ts';
import type { Encoder } from './encoder.ts';
import type { LivePlaces } from './live-places.ts';
import { adopt } from './relay.ts';
import type { WireObject } from './wire-object.ts';

export class MessageListBuilder<B extends WireObject> {
  /** Generated: the elements, `length` of them; what is behind them is of earlier messages. */
  readonly items: WireObject[] = [];
  #count = 0;
  readonly #encoder: Encoder;
  readonly #make: (encoder: Encoder) => B;
  readonly #spare: B[] = [];
  #used = 0;

  constructor(encoder: Encoder, make: (encoder: Encoder) => B) {
    this.#encoder = encoder;
    this.#make = make;
  }

  get length(): number {
    return this.#count;
  }

  /** Appends an empty element and returns it. */
  add(): B {
    let item = this.#spare[this.#used];
    if (item === undefined) {
      item = this.#make(this.#encoder);
      this.#spare.push(item);
    }
    this.#used++;
    this.items[this.#count++] = item;
    return item;
  }

  /** Appends a builder of the same encoder, or an unread view, which is forwarded as it is. */
  append(value: B | View): void {
    this.push(adopt(this.#encoder, value));
  }

  /** Generated: appends what `adopt` returned. */
  push(item: WireObject): void {
    this.items[this.#count++] = item;
  }

  at(index: number): B | undefined {
    return index < this.#count ? (this.items[index] as B | undefined) : undefined;
  }

  /** Generated: takes all elements out of the message. */
  drop(): void {
    if (this.#count > 0) this.#encoder.hasGarbage = true;
    this.clear();
  }

  /** Generated: tells what the elements have staged. */
  keep(live: LivePlaces): void {
    for (let index = 0; index < this.#count; index++) this.items[index]!.$keep(live);
  }

  /** Generated: forgets all elements. */
  clear(): void {
    const count = this.#count;
    if (count === 0) return;
    // First, since a list may by mistake contain itself.
    this.#count = 0;
    this.#used = 0;
    for (let index = 0; index < count; index++) this.items[index]!.$clear();
  }

  /** Generated: the entry at `p`, and room for the list: where its entries are to be written. */
  write(encoder: Encoder, p: number): number {
    const list = encoder.take(this.#count * 8);
    encoder.view.setUint32(p, this.#count, true);
    encoder.view.setUint32(p + 4, list, true);
    return encoder.base + list;
  }
}
