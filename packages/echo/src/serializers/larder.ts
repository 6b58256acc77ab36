/**
 * Larder's own serialization (papers/hotos21 5, papers/sosp23 6.2): a message is read field by field and built again.
 * Fields that are long enough are not copied: the answer refers to the receive buffer they came in, which is held
 * until it has been sent. Four ways: hybrid, both halves alone, and hybrid without serialize-and-send.
 */
import { type SlabAllocator, SoloCounts } from '@larder/datapath';
import {
  Encoder,
  encode,
  MESSAGE_BYTES_MAX,
  type Message,
  type ReferencePolicyOptions,
  type ScatterGatherList,
  SendMemory,
  serialize,
} from '@larder/wire';
import type { EchoTree } from '../echo-tree.ts';
import { EchoError } from '../errors.ts';
import { REFERENCE_BYTES_MIN } from '../limits.ts';
import { Echo, EchoView } from '../schema/echo.larder.ts';
import type { EchoCodec, EchoOutput } from '../server/echo-codec.ts';
import type { EchoSerializer } from './serializer.ts';

/** An empty message, for a view that will be pointed at others. */
const EMPTY = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);

class LarderCodec implements EchoCodec {
  readonly name: string;
  readonly messageBytesMax: number = MESSAGE_BYTES_MAX;
  protected readonly memory: SendMemory;
  protected readonly reply: Echo;
  readonly #view: EchoView = EchoView.read(EMPTY);
  /** What the answer's buffers may still have: together they are not longer than the message that they are from. */
  #left = 0;

  constructor(name: string, allocator: SlabAllocator, policy: ReferencePolicyOptions) {
    this.name = name;
    // The server has one thread.
    this.memory = new SendMemory(new SoloCounts(allocator), policy);
    this.reply = new Echo(new Encoder(this.memory));
  }

  echo(message: Message, output: EchoOutput): void {
    try {
      this.#left = message.bytes;
      this.#fill(this.reply, this.#view.$over(message), message.memory === this.memory.memory);
    } catch (error) {
      // What was referenced so far is given back.
      this.reply.reset();
      throw error;
    }
    this.send(output);
  }

  protected send(output: EchoOutput): void {
    output.sendObject(this.reply);
  }

  release(owner: number): void {
    this.memory.complete(owner);
  }

  #fill(reply: Echo, view: EchoView, isInArena: boolean): void {
    const val = view.locateVal();
    if (val !== undefined) {
      this.#charge(val.bytes);
      if (isInArena) reply.setValAt(val.offset, val.bytes);
      else reply.val = view.val;
    }
    const { vals } = view;
    const count = vals.length;
    for (let index = 0; index < count; index++) {
      const { offset, bytes } = vals.locate(index);
      this.#charge(bytes);
      if (isInArena) reply.vals.appendAt(offset, bytes);
      else reply.vals.append(vals.at(index));
    }
    const { left, right } = view;
    if (left !== undefined) this.#fill(reply.initLeft(), left, isInArena);
    if (right !== undefined) this.#fill(reply.initRight(), right, isInArena);
  }

  #charge(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) throw new EchoError('MALFORMED', `no message of ${this.name}: its parts overlap`);
  }
}

/**
 * The same without serialize-and-send (papers/sosp23 6.5.2): a scatter-gather list is made of the message first, and
 * then its parts are sent. The list gives its references back when the last part is through.
 */
class LarderListCodec extends LarderCodec {
  /** Lists under way, by the number that their parts are referenced as; parts that are not through; free numbers. */
  readonly #lists: (ScatterGatherList | undefined)[] = [];
  readonly #unsent: number[] = [];
  readonly #free: number[] = [];

  protected override send(output: EchoOutput): void {
    const list = serialize(this.reply);
    const { parts } = list;
    const front = parts[0]!;
    const { buffer } = this.memory.arena;
    // Of more references than a send has room for, the smallest were copied to memory that is not the arena's.
    const isInArena = parts.every((part, index) => index === 0 || part.buffer === buffer);
    const at = isInArena ? output.reserve(front.length, list.bytes - front.length) : 0;
    if (at === 0) {
      output.sendBytes(list.toUint8Array());
      list.release();
      return;
    }
    this.memory.arena.u8.set(front, at);
    output.finish(front.length);
    if (parts.length === 1) {
      list.release();
      return;
    }
    const slot = this.#free.pop() ?? this.#lists.length;
    this.#lists[slot] = list;
    this.#unsent[slot] = parts.length - 1;
    for (const part of parts.slice(1)) output.reference(part.byteOffset, part.length, slot);
  }

  override release(slot: number): void {
    const unsent = this.#unsent[slot]! - 1;
    this.#unsent[slot] = unsent;
    if (unsent > 0) return;
    this.#lists[slot]!.release();
    this.#lists[slot] = undefined;
    this.#free.push(slot);
  }
}

function fill(echo: Echo, { val, vals, left, right }: EchoTree): void {
  if (val !== null && val !== undefined) echo.val = val;
  if (vals !== null && vals !== undefined) echo.vals.appendAll(vals);
  if (left !== null && left !== undefined) fill(echo.initLeft(), left);
  if (right !== null && right !== undefined) fill(echo.initRight(), right);
}

function treeOf({ val, vals, left, right }: EchoView): EchoTree {
  return {
    val,
    vals: vals.toArray(),
    left: left === undefined ? undefined : treeOf(left),
    right: right === undefined ? undefined : treeOf(right),
  };
}

function make(
  name: string,
  policy: ReferencePolicyOptions,
  Codec: typeof LarderCodec = LarderCodec,
): EchoSerializer {
  return {
    name,
    encode(tree) {
      const echo = new Echo();
      fill(echo, tree);
      return encode(echo);
    },
    decode: (bytes) => treeOf(EchoView.read(bytes)),
    makeCodec: (allocator) => new Codec(name, allocator, policy),
  };
}

const HYBRID: ReferencePolicyOptions = { referenceBytesMin: REFERENCE_BYTES_MIN };

export const larder: EchoSerializer = make('larder', HYBRID);
export const larderReferences: EchoSerializer = make('larder-references', { referenceBytesMin: 1 });
export const larderCopies: EchoSerializer = make('larder-copies', {
  referenceBytesMin: Number.POSITIVE_INFINITY,
});
export const larderList: EchoSerializer = make('larder-list', HYBRID, LarderListCodec);
