/** Repeated fields as they are read: a place in a message and a count, and elements on demand. */
import { WireError } from '../errors.ts';
import type { ByteRange, Message } from './message.ts';

abstract class ListView<T> implements Iterable<T> {
  readonly length: number;
  protected readonly message: Message;
  protected readonly start: number;

  /** `p` is the field's entry, 0 when it is absent. */
  constructor(message: Message, p: number) {
    this.message = message;
    if (p === 0) {
      this.length = 0;
      this.start = 0;
    } else {
      const count = message.uint32(p);
      this.length = count;
      this.start = message.list(p, count, 8);
    }
  }

  /** Throws `RANGE` beyond the list. */
  abstract at(index: number): T;

  *[Symbol.iterator](): Generator<T, void> {
    for (let index = 0; index < this.length; index++) yield this.at(index);
  }

  toArray(): T[] {
    const array: T[] = [];
    for (let index = 0; index < this.length; index++) array.push(this.at(index));
    return array;
  }

  protected entry(index: number): number {
    // Fractions would lead to the middle of an entry.
    if (index >>> 0 !== index || index >= this.length) {
      throw new WireError('RANGE', `no element ${index} in a list of ${this.length}`);
    }
    return this.start + index * 8;
  }
}

export class BytesListView extends ListView<Uint8Array> {
  /** The element's own bytes: valid as long as the message is. */
  override at(index: number): Uint8Array {
    return this.message.bytesAt(this.entry(index));
  }

  /** Where an element lies, without making an object. */
  locate(index: number): ByteRange {
    return this.message.locate(this.entry(index));
  }
}

export class StringListView extends ListView<string> {
  override at(index: number): string {
    return this.message.string(this.entry(index));
  }

  locate(index: number): ByteRange {
    return this.message.locate(this.entry(index));
  }
}

/** What makes views: a class of them. */
export type ViewClass<V> = new (message: Message, at: number, depth: number) => V;

export class MessageListView<V> extends ListView<V> {
  readonly #make: ViewClass<V>;
  readonly #depth: number;

  constructor(message: Message, p: number, make: ViewClass<V>, depth: number) {
    super(message, p);
    this.#make = make;
    this.#depth = depth;
  }

  override at(index: number): V {
    return new this.#make(this.message, this.message.object(this.entry(index)), this.#depth);
  }
}
