/**
 * FlatBuffers with one builder that is used again, and accessors that make the same calls as flatc's TypeScript
 * output for schemas/kv.fbs. The builder writes backwards into memory of its own, so a reply is copied once more
 * to where it is sent from. Requests are read in place.
 */
import * as flatbuffers from 'flatbuffers';
import type { ReplyOutput } from '../server/reply-output.ts';
import {
  type KvReply,
  type KvRequest,
  neverReferences,
  type Serializer,
  type SerializerMemory,
} from './serializer.ts';

const BUILDER_BYTES = 32 * 1024;
const FIELD_0 = 4;
const FIELD_1 = 6;
const FIELD_2 = 8;

/** Any table of the schema: where it begins, and its fields. */
class Table {
  bb: flatbuffers.ByteBuffer;
  position = 0;

  constructor(bb: flatbuffers.ByteBuffer) {
    this.bb = bb;
  }

  root(at: number): this {
    this.bb.setPosition(at);
    this.position = this.bb.readInt32(at) + at;
    return this;
  }

  u32(field: number): number {
    const offset = this.bb.__offset(this.position, field);
    return offset === 0 ? 0 : this.bb.readUint32(this.position + offset) >>> 0;
  }

  bytes(field: number): Uint8Array {
    const { bb } = this;
    const offset = bb.__offset(this.position, field);
    if (offset === 0) return new Uint8Array(0);
    const all = bb.bytes();
    return new Uint8Array(
      all.buffer,
      all.byteOffset + bb.__vector(this.position + offset),
      bb.__vector_len(this.position + offset),
    );
  }

  length(field: number): number {
    const offset = this.bb.__offset(this.position, field);
    return offset === 0 ? 0 : this.bb.__vector_len(this.position + offset);
  }

  /** The table at an index of a vector, into `target`. */
  element(field: number, index: number, target: Table): Table {
    const { bb } = this;
    const offset = bb.__offset(this.position, field);
    target.bb = bb;
    target.position = bb.__indirect(bb.__vector(this.position + offset) + index * 4);
    return target;
  }
}

export class FlatbuffersSerializer implements Serializer {
  readonly name: string = 'flatbuffers';
  readonly onRelease: (owner: number) => void = neverReferences;
  readonly #u8: Uint8Array;
  readonly #buffer: ArrayBufferLike;
  readonly #pairs: Int32Array;
  readonly #table: Table;
  readonly #element: Table;
  readonly #builder: flatbuffers.Builder = new flatbuffers.Builder(BUILDER_BYTES);
  readonly #offsets: number[] = [];

  constructor(memory: SerializerMemory) {
    this.#u8 = memory.arena.u8;
    this.#buffer = memory.arena.buffer;
    this.#pairs = memory.arena.i32;
    const bb = new flatbuffers.ByteBuffer(memory.arena.u8 as Uint8Array<ArrayBuffer>);
    this.#table = new Table(bb);
    this.#element = new Table(bb);
  }

  readGet(start: number, _end: number, request: KvRequest): void {
    const table = this.#table.root(start);
    const key = table.bytes(FIELD_1);
    request.id = table.u32(FIELD_0);
    request.keyOffset = key.byteOffset;
    request.keyBytes = key.length;
    request.segment = table.u32(FIELD_2);
  }

  readPut(start: number, _end: number, request: KvRequest): void {
    const table = this.#table.root(start);
    const key = table.bytes(FIELD_1);
    const value = table.bytes(FIELD_2);
    request.id = table.u32(FIELD_0);
    request.keyOffset = key.byteOffset;
    request.keyBytes = key.length;
    request.valueOffset = value.byteOffset;
    request.valueBytes = value.length;
  }

  writeReply(output: ReplyOutput, id: number, values: number, count: number, _bytes: number): void {
    const builder = this.#builder;
    const offsets = this.#offsets;
    const pairs = this.#pairs;
    builder.clear();
    for (let index = 0; index < count; index++) {
      const pair = values + 2 * index;
      const data = builder.createByteVector(new Uint8Array(this.#buffer, pairs[pair]!, pairs[pair + 1]!));
      builder.startObject(1);
      builder.addFieldOffset(0, data, 0);
      offsets[index] = builder.endObject();
    }
    builder.startVector(4, count, 4);
    for (let index = count - 1; index >= 0; index--) builder.addOffset(offsets[index]!);
    const vector = builder.endVector();
    builder.startObject(2);
    builder.addFieldInt32(0, id, 0);
    builder.addFieldOffset(1, vector, 0);
    builder.finish(builder.endObject());
    this.#send(output, builder.asUint8Array());
  }

  writePutReply(output: ReplyOutput, id: number): void {
    const builder = this.#builder;
    builder.clear();
    builder.startObject(1);
    builder.addFieldInt32(0, id, 0);
    builder.finish(builder.endObject());
    this.#send(output, builder.asUint8Array());
  }

  #send(output: ReplyOutput, body: Uint8Array): void {
    this.#u8.set(body, output.reserve(body.length));
    output.finish(body.length, 0);
  }

  encodeGet(id: number, key: Uint8Array, segment: number): Uint8Array {
    const builder = new flatbuffers.Builder(key.length + 64);
    const keyOffset = builder.createByteVector(key);
    builder.startObject(3);
    builder.addFieldInt32(0, id, 0);
    builder.addFieldOffset(1, keyOffset, 0);
    builder.addFieldInt32(2, segment, 0);
    builder.finish(builder.endObject());
    return builder.asUint8Array();
  }

  encodePut(id: number, key: Uint8Array, value: Uint8Array): Uint8Array {
    const builder = new flatbuffers.Builder(key.length + value.length + 64);
    const valueOffset = builder.createByteVector(value);
    const keyOffset = builder.createByteVector(key);
    builder.startObject(3);
    builder.addFieldInt32(0, id, 0);
    builder.addFieldOffset(1, keyOffset, 0);
    builder.addFieldOffset(2, valueOffset, 0);
    builder.finish(builder.endObject());
    return builder.asUint8Array();
  }

  decodeReply(body: Uint8Array): KvReply {
    const table = new Table(new flatbuffers.ByteBuffer(body as Uint8Array<ArrayBuffer>)).root(0);
    const element = new Table(table.bb);
    const vals = Array.from({ length: table.length(FIELD_1) }, (_, index) =>
      table.element(FIELD_1, index, element).bytes(FIELD_0),
    );
    return { id: table.u32(FIELD_0), vals };
  }

  decodePutReply(body: Uint8Array): number {
    return new Table(new flatbuffers.ByteBuffer(body as Uint8Array<ArrayBuffer>)).root(0).u32(FIELD_0);
  }

  readReply(start: number, _end: number): number {
    const table = this.#table.root(start);
    const count = table.length(FIELD_1);
    let bytes = 0;
    for (let index = 0; index < count; index++) {
      bytes += table.element(FIELD_1, index, this.#element).bytes(FIELD_0).length;
    }
    return bytes;
  }
}
