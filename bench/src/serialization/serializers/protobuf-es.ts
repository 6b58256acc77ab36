/**
 * protobuf-es (@bufbuild/protobuf): messages are created once and filled again; `toBinary` returns memory of its
 * own, which is copied to where it is sent from. Requests are read in place.
 */
import { create, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import { fileDesc, type GenMessage, messageDesc } from '@bufbuild/protobuf/codegenv2';
import type { ReplyOutput } from '../server/reply-output.ts';
import {
  type KvReply,
  type KvRequest,
  neverReferences,
  type Serializer,
  type SerializerMemory,
} from './serializer.ts';

type GetRequest = Message<'larder.bench.GetRequest'> & { id: number; key: Uint8Array; segment: number };
type GetReply = Message<'larder.bench.GetReply'> & { id: number; vals: Uint8Array[] };
type PutRequest = Message<'larder.bench.PutRequest'> & { id: number; key: Uint8Array; val: Uint8Array };
type PutReply = Message<'larder.bench.PutReply'> & { id: number };

/** What protoc-gen-es puts into its output: the descriptor of schemas/kv.proto. */
const FILE: ReturnType<typeof fileDesc> = fileDesc(
  'Cghrdi5wcm90bxIMbGFyZGVyLmJlbmNoIkgKCkdldFJlcXVlc3QSDgoCaWQYASABKA1SAmlkEhAKA2tleRgCIAEoDFIDa2V5EhgKB3NlZ21lbnQYAyABKA1SB3NlZ21lbnQiLgoIR2V0UmVwbHkSDgoCaWQYASABKA1SAmlkEhIKBHZhbHMYAiADKAxSBHZhbHMiQAoKUHV0UmVxdWVzdBIOCgJpZBgBIAEoDVICaWQSEAoDa2V5GAIgASgMUgNrZXkSEAoDdmFsGAMgASgMUgN2YWwiGgoIUHV0UmVwbHkSDgoCaWQYASABKA1SAmlkYgZwcm90bzM',
);
const GET_REQUEST: GenMessage<GetRequest> = messageDesc(FILE, 0);
const GET_REPLY: GenMessage<GetReply> = messageDesc(FILE, 1);
const PUT_REQUEST: GenMessage<PutRequest> = messageDesc(FILE, 2);
const PUT_REPLY: GenMessage<PutReply> = messageDesc(FILE, 3);
const NO_UNKNOWN: { readonly writeUnknownFields: false } = { writeUnknownFields: false };
const READ_NO_UNKNOWN: { readonly readUnknownFields: false } = { readUnknownFields: false };

export class ProtobufEsSerializer implements Serializer {
  readonly name: string = 'protobuf-es';
  readonly onRelease: (owner: number) => void = neverReferences;
  readonly #u8: Uint8Array;
  readonly #buffer: ArrayBufferLike;
  readonly #pairs: Int32Array;
  readonly #reply: GetReply = create(GET_REPLY);
  readonly #putReply: PutReply = create(PUT_REPLY);

  constructor(memory: SerializerMemory) {
    this.#u8 = memory.arena.u8;
    this.#buffer = memory.arena.buffer;
    this.#pairs = memory.arena.i32;
  }

  readGet(start: number, end: number, request: KvRequest): void {
    const message = fromBinary(
      GET_REQUEST,
      new Uint8Array(this.#buffer, start, end - start),
      READ_NO_UNKNOWN,
    );
    request.id = message.id;
    request.keyOffset = message.key.byteOffset;
    request.keyBytes = message.key.length;
    request.segment = message.segment;
  }

  readPut(start: number, end: number, request: KvRequest): void {
    const message = fromBinary(
      PUT_REQUEST,
      new Uint8Array(this.#buffer, start, end - start),
      READ_NO_UNKNOWN,
    );
    request.id = message.id;
    request.keyOffset = message.key.byteOffset;
    request.keyBytes = message.key.length;
    request.valueOffset = message.val.byteOffset;
    request.valueBytes = message.val.length;
  }

  writeReply(output: ReplyOutput, id: number, values: number, count: number, _bytes: number): void {
    const reply = this.#reply;
    const { vals } = reply;
    const pairs = this.#pairs;
    reply.id = id;
    vals.length = count;
    for (let index = 0; index < count; index++) {
      const pair = values + 2 * index;
      vals[index] = new Uint8Array(this.#buffer, pairs[pair]!, pairs[pair + 1]!);
    }
    this.#send(output, toBinary(GET_REPLY, reply, NO_UNKNOWN));
  }

  writePutReply(output: ReplyOutput, id: number): void {
    this.#putReply.id = id;
    this.#send(output, toBinary(PUT_REPLY, this.#putReply, NO_UNKNOWN));
  }

  #send(output: ReplyOutput, body: Uint8Array): void {
    this.#u8.set(body, output.reserve(body.length));
    output.finish(body.length, 0);
  }

  encodeGet(id: number, key: Uint8Array, segment: number): Uint8Array {
    return toBinary(GET_REQUEST, create(GET_REQUEST, { id, key, segment }));
  }

  encodePut(id: number, key: Uint8Array, value: Uint8Array): Uint8Array {
    return toBinary(PUT_REQUEST, create(PUT_REQUEST, { id, key, val: value }));
  }

  decodeReply(body: Uint8Array): KvReply {
    const { id, vals } = fromBinary(GET_REPLY, body);
    return { id, vals };
  }

  decodePutReply(body: Uint8Array): number {
    return fromBinary(PUT_REPLY, body).id;
  }

  readReply(start: number, end: number): number {
    const { vals } = fromBinary(GET_REPLY, new Uint8Array(this.#buffer, start, end - start), READ_NO_UNKNOWN);
    let bytes = 0;
    for (let index = 0; index < vals.length; index++) bytes += vals[index]!.length;
    return bytes;
  }
}
