/**
 * Larder's own: fields are hybrid pointers, and a reply is serialized and sent in one pass
 * (papers/sosp23 3.2.3). Requests are read in place, without making an object per field.
 */
import { SoloCounts } from '@larder/datapath';
import {
  Encoder,
  encode,
  Memory,
  Message,
  type ScatterGatherList,
  SendMemory,
  serialize,
} from '@larder/wire';
import {
  GetReply,
  GetReplyView,
  GetRequest,
  GetRequestView,
  PutReply,
  PutReplyView,
  PutRequest,
  PutRequestView,
} from '../generated/kv.larder.ts';
import type { ReplyOutput } from '../server/reply-output.ts';
import type { KvReply, KvRequest, Serializer, SerializerMemory } from './serializer.ts';

export class LarderSerializer implements Serializer {
  readonly name: string;
  protected readonly send: SendMemory;
  protected readonly reply: GetReply;
  protected readonly pairs: Int32Array;
  readonly #encoder: Encoder;
  readonly #putReply: PutReply;
  readonly #memory: Memory;
  readonly #message: Message = new Message();

  /** Buffers of at least `referenceBytesMin` bytes are referenced. */
  constructor(name: string, memory: SerializerMemory, referenceBytesMin: number) {
    this.name = name;
    // One thread has the store, as in the paper's server.
    this.send = new SendMemory(new SoloCounts(memory.allocator), { referenceBytesMin });
    this.#encoder = new Encoder(this.send);
    this.reply = new GetReply(this.#encoder);
    this.#putReply = new PutReply(this.#encoder);
    this.pairs = memory.arena.i32;
    this.#memory = Memory.ofArena(memory.arena);
  }

  readGet(start: number, end: number, request: KvRequest): void {
    const view = new GetRequestView(this.#message.over(this.#memory, start, end));
    request.id = view.id;
    request.segment = view.segment;
    const key = view.locateKey();
    request.keyOffset = key === undefined ? 0 : key.offset;
    request.keyBytes = key === undefined ? 0 : key.bytes;
  }

  readPut(start: number, end: number, request: KvRequest): void {
    const view = new PutRequestView(this.#message.over(this.#memory, start, end));
    request.id = view.id;
    const key = view.locateKey();
    request.keyOffset = key === undefined ? 0 : key.offset;
    request.keyBytes = key === undefined ? 0 : key.bytes;
    const value = view.locateVal();
    request.valueOffset = value === undefined ? 0 : value.offset;
    request.valueBytes = value === undefined ? 0 : value.bytes;
  }

  writeReply(output: ReplyOutput, id: number, values: number, count: number, _bytes: number): void {
    this.fill(id, values, count);
    output.sendObject(this.reply);
  }

  protected fill(id: number, values: number, count: number): void {
    this.reply.id = id;
    this.reply.vals.appendAllAt(this.pairs, values, count);
  }

  writePutReply(output: ReplyOutput, id: number): void {
    this.#putReply.id = id;
    output.sendObject(this.#putReply);
  }

  onRelease(owner: number): void {
    this.send.complete(owner);
  }

  encodeGet(id: number, key: Uint8Array, segment: number): Uint8Array {
    return copyOnly(GetRequest.from({ id, key, segment }));
  }

  encodePut(id: number, key: Uint8Array, value: Uint8Array): Uint8Array {
    return copyOnly(PutRequest.from({ id, key, val: value }));
  }

  decodeReply(body: Uint8Array): KvReply {
    const view = GetReplyView.read(body);
    return { id: view.id, vals: view.vals.toArray() };
  }

  decodePutReply(body: Uint8Array): number {
    return PutReplyView.read(body).id;
  }

  readReply(start: number, end: number): number {
    const { vals } = new GetReplyView(this.#message.over(this.#memory, start, end));
    const count = vals.length;
    let bytes = 0;
    for (let index = 0; index < count; index++) bytes += vals.at(index).length;
    return bytes;
  }
}

/**
 * The same without serialize-and-send (papers/sosp23 6.5.2): a scatter-gather list is made of the object first,
 * and then its parts are sent, the headers among them. The list gives its references back when the last part is
 * through.
 */
export class LarderListSerializer extends LarderSerializer {
  readonly #lists: (ScatterGatherList | undefined)[] = [];
  readonly #left: number[] = [];
  readonly #free: number[] = [];

  override writeReply(output: ReplyOutput, id: number, values: number, count: number, _bytes: number): void {
    this.fill(id, values, count);
    const list = serialize(this.reply);
    const { parts } = list;
    const front = parts[0]!;
    this.#u8.set(front, output.reserve(front.length));
    output.finish(front.length, list.bytes - front.length);
    if (parts.length === 1) {
      list.release();
      return;
    }
    const slot = this.#free.pop() ?? this.#lists.length;
    this.#lists[slot] = list;
    this.#left[slot] = parts.length - 1;
    for (let index = 1; index < parts.length; index++) {
      const part = parts[index]!;
      output.reference(part.byteOffset, part.length, slot);
    }
  }

  override onRelease(slot: number): void {
    const left = this.#left[slot]! - 1;
    this.#left[slot] = left;
    if (left > 0) return;
    this.#lists[slot]!.release();
    this.#lists[slot] = undefined;
    this.#free.push(slot);
  }

  get #u8(): Uint8Array {
    return this.send.arena.u8;
  }
}

function copyOnly(object: GetRequest | PutRequest): Uint8Array {
  return Uint8Array.from(encode(object));
}
