/**
 * Reads everything that a view offers, and checks that nothing of it lies outside the message. Around the message
 * its memory is full of BEL characters, so that a number or a string from there is noticed.
 */
import { WireError } from '../errors.ts';
import type { ByteRange, Memory, Message } from '../index.ts';
import type { GetMReplyView } from './get-m.larder.ts';
import type { InnerView, KitchenSinkView } from './kitchen-sink.larder.ts';

export const AROUND = 0x07;
const AROUND_WORD = 0x0707_0707;
const AROUND_TEXT = '\x07\x07\x07\x07';
const AROUND_BYTES = Buffer.from(AROUND_TEXT);

/** What was read of a message, and what was refused. */
export class Walker {
  /** Reads that were refused, by code. */
  readonly refused: Map<string, number> = new Map();
  reads = 0;
  readonly #memory: Memory;
  readonly #start: number;
  #end = 0;

  /** Messages lie at `start` of the memory. */
  constructor(memory: Memory, start: number) {
    this.#memory = memory;
    this.#start = start;
  }

  /** Walks a message of `bytes` bytes; any error that is not a WireError comes through. */
  walk<V>(bytes: number, message: Message, open: (message: Message) => V, visit: (view: V) => void): void {
    this.#end = this.#start + bytes;
    this.attempt(() => visit(open(message.over(this.#memory, this.#start, this.#end))));
  }

  /** Goes on after a WireError. */
  attempt(read: () => void): void {
    this.reads++;
    try {
      read();
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.refused.set(error.code, (this.refused.get(error.code) ?? 0) + 1);
    }
  }

  bytes(value: {
    readonly buffer: ArrayBufferLike;
    readonly byteOffset: number;
    readonly byteLength: number;
  }): void {
    if (value.byteLength === 0 || value.buffer !== this.#memory.buffer) return;
    if (value.byteOffset < this.#start || value.byteOffset + value.byteLength > this.#end) {
      throw new Error(
        `bytes [${value.byteOffset}, +${value.byteLength}) outside [${this.#start}, ${this.#end})`,
      );
    }
  }

  range(range: ByteRange | undefined): void {
    if (range === undefined) return;
    if (range.offset < this.#start || range.offset + range.bytes > this.#end) {
      throw new Error(`range [${range.offset}, +${range.bytes}) outside [${this.#start}, ${this.#end})`);
    }
  }

  text(text: string | undefined): void {
    if (text?.includes(AROUND_TEXT) && !this.#hasAround()) throw new Error('text from outside the message');
  }

  number(value: number | undefined): void {
    if (value === AROUND_WORD && !this.#hasAround()) throw new Error('a number from outside the message');
  }

  #hasAround(): boolean {
    return this.#memory.node.subarray(this.#start, this.#end).includes(AROUND_BYTES);
  }
}

export function walkGetM(walker: Walker, view: GetMReplyView): void {
  walker.attempt(() => walker.number(view.id));
  walker.attempt(() => {
    const list = view.vals;
    for (let index = 0; index < list.length; index++) {
      walker.bytes(list.at(index));
      walker.range(list.locate(index));
    }
  });
}

function walkInner(walker: Walker, view: InnerView | undefined): void {
  let inner = view;
  // The depth limit ends this for objects that contain themselves.
  while (inner !== undefined) {
    const current = inner;
    walker.attempt(() => walker.text(current.name));
    walker.attempt(() => walker.range(current.locateName()));
    inner = current.child;
  }
}

function walkScalars(walker: Walker, view: KitchenSinkView): void {
  walker.attempt(() => walker.number(Number(view.flag)));
  walker.attempt(() => walker.number(view.int));
  walker.attempt(() => walker.number(view.uint));
  walker.attempt(() => walker.number(Number(view.long)));
  walker.attempt(() => walker.number(Number(view.ulong)));
  walker.attempt(() => walker.number(view.smallLong));
  walker.attempt(() => walker.number(view.single));
  walker.attempt(() => walker.number(view.number));
  walker.attempt(() => walker.number(view.color));
  walker.attempt(() => walker.number(view.maybeInt));
  walker.attempt(() => walker.number(view.choiceNumber));
  walker.attempt(() => walker.number(view.farNumber));
  walker.attempt(() => walker.text(view.choiceCase));
}

function walkLists(walker: Walker, view: KitchenSinkView): void {
  walker.attempt(() => {
    for (const text of view.texts) walker.text(text);
  });
  walker.attempt(() => {
    for (const bytes of view.blobs) walker.bytes(bytes);
  });
  walker.attempt(() => {
    for (const inner of view.inners) walkInner(walker, inner);
  });
  walker.attempt(() => walker.bytes(view.ints));
  walker.attempt(() => walker.bytes(view.doubles));
  walker.attempt(() => walker.bytes(view.ulongs));
  walker.attempt(() => walker.number(view.flags.length));
  walker.attempt(() => {
    const { counts } = view;
    for (const [key, value] of counts) {
      walker.text(key);
      walker.number(value);
    }
    counts.get('__proto__');
  });
  walker.attempt(() => {
    for (const [key, value] of view.chunks) {
      walker.number(key);
      walker.bytes(value);
    }
  });
  walker.attempt(() => {
    for (const [key, value] of view.people) {
      walker.text(key);
      walkInner(walker, value);
    }
  });
}

export function walkKitchenSink(walker: Walker, view: KitchenSinkView): void {
  walkScalars(walker, view);
  walker.attempt(() => walker.text(view.text));
  walker.attempt(() => walker.range(view.locateText()));
  walker.attempt(() => walker.bytes(view.data));
  walker.attempt(() => walker.text(view.maybeText));
  walker.attempt(() => walker.text(view.choiceText));
  walker.attempt(() => walker.text(view.farText));
  walker.attempt(() => walker.range(view.locateFarText()));
  walker.attempt(() => walkInner(walker, view.inner));
  walker.attempt(() => walkInner(walker, view.choiceInner));
  walkLists(walker, view);
}
