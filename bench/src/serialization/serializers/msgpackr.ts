/**
 * msgpackr with shared structures known to both sides. Its packr writes into a buffer it is given, at a position
 * it is given, so it encodes straight into the memory that is sent. Requests are read in place.
 */
import { Packr, RESERVE_START_SPACE, REUSE_BUFFER_MODE } from 'msgpackr';
import type { ReplyOutput } from '../server/reply-output.ts';
import {
  type KvReply,
  type KvRequest,
  neverReferences,
  type Serializer,
  type SerializerMemory,
} from './serializer.ts';

/** The fields of the four messages, so that no message has to name them. */
const STRUCTURES: readonly (readonly string[])[] = [
  ['id', 'key', 'segment'],
  ['id', 'vals'],
  ['id', 'key', 'val'],
  ['id'],
];
const HEAD_BYTES = 32;
const BUFFER_HEAD_BYTES = 8;
/** What the packr wants to be free behind a message. */
const ROOM_BYTES = 2048;

interface Position {
  position: number;
  offset: number;
}

function makePackr(): Packr {
  return new Packr({ structures: STRUCTURES.map((fields) => [...fields]) as unknown as object[] });
}

export class MsgpackrSerializer implements Serializer {
  readonly name: string = 'msgpackr';
  readonly onRelease: (owner: number) => void = neverReferences;
  readonly #node: Buffer;
  readonly #buffer: ArrayBufferLike;
  readonly #pairs: Int32Array;
  /** Replies; the load has another, which allocates. */
  readonly #packr: Packr = makePackr();
  readonly #unpackr: Packr = makePackr();
  readonly #reply: { id: number; vals: Uint8Array[] } = { id: 0, vals: [] };
  readonly #putReply: { id: number } = { id: 0 };
  readonly #range: { start: number; end: number } = { start: 0, end: 0 };

  constructor(memory: SerializerMemory) {
    this.#node = memory.arena.node;
    this.#buffer = memory.arena.buffer;
    this.#pairs = memory.arena.i32;
  }

  readGet(start: number, end: number, request: KvRequest): void {
    const message = this.#read(start, end) as { id: number; key: Uint8Array; segment: number };
    request.id = message.id;
    request.keyOffset = message.key.byteOffset;
    request.keyBytes = message.key.length;
    request.segment = message.segment;
  }

  readPut(start: number, end: number, request: KvRequest): void {
    const message = this.#read(start, end) as { id: number; key: Uint8Array; val: Uint8Array };
    request.id = message.id;
    request.keyOffset = message.key.byteOffset;
    request.keyBytes = message.key.length;
    request.valueOffset = message.val.byteOffset;
    request.valueBytes = message.val.length;
  }

  #read(start: number, end: number): unknown {
    this.#range.start = start;
    this.#range.end = end;
    return this.#unpackr.unpack(this.#node, this.#range);
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
    this.#write(output, reply, bytes + HEAD_BYTES + count * BUFFER_HEAD_BYTES);
  }

  writePutReply(output: ReplyOutput, id: number): void {
    this.#putReply.id = id;
    this.#write(output, this.#putReply, HEAD_BYTES);
  }

  #write(output: ReplyOutput, message: object, bytesMax: number): void {
    const at = output.reserve(bytesMax);
    const packr = this.#packr as Packr & Position;
    packr.useBuffer(this.#node);
    // A message begins at a multiple of 8; space reserved at its start moves it to where it belongs.
    packr.position = at & ~7;
    packr.pack(message, REUSE_BUFFER_MODE | RESERVE_START_SPACE | (at & 7));
    output.finish(packr.offset - at, 0);
  }

  encodeGet(id: number, key: Uint8Array, segment: number): Uint8Array {
    return this.#encode({ id, key, segment });
  }

  encodePut(id: number, key: Uint8Array, value: Uint8Array): Uint8Array {
    return this.#encode({ id, key, val: value });
  }

  #encode(message: { id: number; key: Uint8Array; val?: Uint8Array; segment?: number }): Uint8Array {
    const packr = makePackr();
    packr.useBuffer(Buffer.alloc(2 * ROOM_BYTES + message.key.length + (message.val?.length ?? 0)));
    return Uint8Array.from(packr.pack(message));
  }

  decodeReply(body: Uint8Array): KvReply {
    return makePackr().unpack(body) as KvReply;
  }

  decodePutReply(body: Uint8Array): number {
    return (makePackr().unpack(body) as { id: number }).id;
  }

  readReply(start: number, end: number): number {
    const { vals } = this.#read(start, end) as KvReply;
    let bytes = 0;
    for (let index = 0; index < vals.length; index++) bytes += vals[index]!.length;
    return bytes;
  }
}
