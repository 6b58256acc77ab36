/**
 * protobufjs with static code of pbjs. Its writer's buffer and position are public, so it encodes straight into
 * the memory that is sent, and its reader reads where the request was received: nothing is copied twice.
 */
import protobuf from 'protobufjs/minimal.js';
import { type GetReplyFields, larder } from '../generated/kv-protobufjs.js';
import type { ReplyOutput } from '../server/reply-output.ts';
import {
  type KvReply,
  type KvRequest,
  neverReferences,
  type Serializer,
  type SerializerMemory,
} from './serializer.ts';

const { GetRequest, GetReply, PutRequest, PutReply } = larder.bench;
/** Tags and lengths of a reply, and of each buffer in it, at most. */
const REPLY_HEAD_BYTES = 16;
const BUFFER_HEAD_BYTES = 8;

export class ProtobufjsSerializer implements Serializer {
  readonly name: string = 'protobufjs';
  readonly onRelease: (owner: number) => void = neverReferences;
  readonly #buffer: ArrayBufferLike;
  readonly #pairs: Int32Array;
  readonly #reader: protobuf.Reader;
  readonly #writer: protobuf.Writer;
  readonly #reply: GetReplyFields = { id: 0, vals: [] };
  readonly #putReply = { id: 0 };

  constructor(memory: SerializerMemory) {
    this.#buffer = memory.arena.buffer;
    this.#pairs = memory.arena.i32;
    this.#reader = protobuf.Reader.create(memory.arena.node);
    this.#writer = protobuf.Writer.create();
    this.#writer.buf = memory.arena.node;
  }

  readGet(start: number, end: number, request: KvRequest): void {
    this.#reader.pos = start;
    const message = GetRequest.decode(this.#reader, end - start);
    request.id = message.id;
    request.keyOffset = message.key.byteOffset;
    request.keyBytes = message.key.length;
    request.segment = message.segment;
  }

  readPut(start: number, end: number, request: KvRequest): void {
    this.#reader.pos = start;
    const message = PutRequest.decode(this.#reader, end - start);
    request.id = message.id;
    request.keyOffset = message.key.byteOffset;
    request.keyBytes = message.key.length;
    request.valueOffset = message.val.byteOffset;
    request.valueBytes = message.val.length;
  }

  writeReply(output: ReplyOutput, id: number, values: number, count: number, bytes: number): void {
    const reply = this.#reply;
    const { vals } = reply;
    const pairs = this.#pairs;
    reply.id = id;
    vals.length = count;
    for (let index = 0; index < count; index++) {
      const pair = values + 2 * index;
      vals[index] = new Uint8Array(this.#buffer, pairs[pair]!, pairs[pair + 1]!);
    }
    const at = output.reserve(bytes + REPLY_HEAD_BYTES + count * BUFFER_HEAD_BYTES);
    const writer = this.#writer;
    writer.pos = at;
    GetReply.encode(reply, writer);
    output.finish(writer.pos - at, 0);
  }

  writePutReply(output: ReplyOutput, id: number): void {
    this.#putReply.id = id;
    const at = output.reserve(REPLY_HEAD_BYTES);
    this.#writer.pos = at;
    PutReply.encode(this.#putReply, this.#writer);
    output.finish(this.#writer.pos - at, 0);
  }

  encodeGet(id: number, key: Uint8Array, segment: number): Uint8Array {
    return GetRequest.encode({ id, key, segment }).finish();
  }

  encodePut(id: number, key: Uint8Array, value: Uint8Array): Uint8Array {
    return PutRequest.encode({ id, key, val: value }).finish();
  }

  decodeReply(body: Uint8Array): KvReply {
    const { id, vals } = GetReply.decode(body);
    return { id, vals };
  }

  decodePutReply(body: Uint8Array): number {
    return PutReply.decode(body).id;
  }

  readReply(start: number, end: number): number {
    this.#reader.pos = start;
    const { vals } = GetReply.decode(this.#reader, end - start);
    let bytes = 0;
    for (let index = 0; index < vals.length; index++) bytes += vals[index]!.length;
    return bytes;
  }
}
