/**
 * capnp-es, with classes that make the same calls as its compiler's output for schemas/kv.capnp. A message is
 * built in a segment of its own, whose bytes are sent without the framing header; reading copies the message,
 * as its constructor does with memory that is not its own.
 */
import * as capnp from 'capnp-es';
import type { ReplyOutput } from '../server/reply-output.ts';
import {
  type KvReply,
  type KvRequest,
  neverReferences,
  type Serializer,
  type SerializerMemory,
} from './serializer.ts';

const { utils } = capnp;

interface StructMeta {
  readonly displayName: string;
  readonly id: string;
  readonly size: capnp.ObjectSize;
}

class GetRequest extends capnp.Struct {
  static override readonly _capnp: StructMeta = {
    displayName: 'GetRequest',
    id: '895d0b6dcc8c23ef',
    size: new capnp.ObjectSize(8, 1),
  };
}
class Value extends capnp.Struct {
  static override readonly _capnp: StructMeta = {
    displayName: 'Value',
    id: 'c67e401b914eb72d',
    size: new capnp.ObjectSize(0, 1),
  };
}
class GetReply extends capnp.Struct {
  static override readonly _capnp: StructMeta = {
    displayName: 'GetReply',
    id: 'fddb7419edc1f72c',
    size: new capnp.ObjectSize(8, 1),
  };
}
class PutRequest extends capnp.Struct {
  static override readonly _capnp: StructMeta = {
    displayName: 'PutRequest',
    id: 'b2ab404861209eb8',
    size: new capnp.ObjectSize(8, 2),
  };
}
class PutReply extends capnp.Struct {
  static override readonly _capnp: StructMeta = {
    displayName: 'PutReply',
    id: 'f0a81eb43a4792f5',
    size: new capnp.ObjectSize(8, 0),
  };
}
const VALUES: ReturnType<typeof capnp.CompositeList<Value>> = capnp.CompositeList(Value as never);
type Root<T> = Parameters<typeof capnp.Message.prototype.getRoot<T & capnp.Struct>>[0];

function root<T extends capnp.Struct>(kind: unknown, body: Uint8Array): T {
  return new capnp.Message(body, false, true).getRoot(kind as Root<T>) as T;
}

/** The one segment of a finished message. */
function segmentBytes(message: capnp.Message): Uint8Array {
  const segment = message.getSegment(0);
  return new Uint8Array(segment.buffer, 0, segment.byteLength);
}

export class CapnpEsSerializer implements Serializer {
  readonly name: string = 'capnp-es';
  readonly onRelease: (owner: number) => void = neverReferences;
  readonly #u8: Uint8Array;
  readonly #buffer: ArrayBufferLike;
  readonly #pairs: Int32Array;
  readonly #scratch: number;

  constructor(memory: SerializerMemory) {
    this.#u8 = memory.arena.u8;
    this.#buffer = memory.arena.buffer;
    this.#pairs = memory.arena.i32;
    this.#scratch = memory.scratchOffset;
  }

  readGet(start: number, end: number, request: KvRequest): void {
    const message = root<GetRequest>(GetRequest, new Uint8Array(this.#buffer, start, end - start));
    const key = utils.getData(0, message).toUint8Array();
    request.id = utils.getUint32(0, message);
    this.#u8.set(key, this.#scratch);
    request.keyOffset = this.#scratch;
    request.keyBytes = key.length;
    request.segment = utils.getUint32(4, message);
  }

  readPut(start: number, end: number, request: KvRequest): void {
    const message = root<PutRequest>(PutRequest, new Uint8Array(this.#buffer, start, end - start));
    const key = utils.getData(0, message).toUint8Array();
    const value = utils.getData(1, message).toUint8Array();
    request.id = utils.getUint32(0, message);
    this.#u8.set(key, this.#scratch);
    request.keyOffset = this.#scratch;
    request.keyBytes = key.length;
    request.valueOffset = this.#scratch + key.length;
    this.#u8.set(value, request.valueOffset);
    request.valueBytes = value.length;
  }

  writeReply(output: ReplyOutput, id: number, values: number, count: number, _bytes: number): void {
    const message = new capnp.Message();
    const reply = message.initRoot(GetReply as unknown as Root<GetReply>) as GetReply;
    const pairs = this.#pairs;
    utils.setUint32(0, id, reply);
    const vals = utils.initList(0, VALUES as never, count, reply) as unknown as { get(index: number): Value };
    for (let index = 0; index < count; index++) {
      const bytes = pairs[values + 2 * index + 1]!;
      const source = new Uint8Array(this.#buffer, pairs[values + 2 * index]!, bytes);
      utils.initData(0, bytes, vals.get(index)).copyBuffer(source);
    }
    this.#send(output, segmentBytes(message));
  }

  writePutReply(output: ReplyOutput, id: number): void {
    const message = new capnp.Message();
    utils.setUint32(0, id, message.initRoot(PutReply as unknown as Root<PutReply>) as PutReply);
    this.#send(output, segmentBytes(message));
  }

  #send(output: ReplyOutput, body: Uint8Array): void {
    this.#u8.set(body, output.reserve(body.length));
    output.finish(body.length, 0);
  }

  encodeGet(id: number, key: Uint8Array, segment: number): Uint8Array {
    const message = new capnp.Message();
    const request = message.initRoot(GetRequest as unknown as Root<GetRequest>) as GetRequest;
    utils.setUint32(0, id, request);
    utils.setUint32(4, segment, request);
    utils.initData(0, key.length, request).copyBuffer(key);
    return segmentBytes(message);
  }

  encodePut(id: number, key: Uint8Array, value: Uint8Array): Uint8Array {
    const message = new capnp.Message();
    const request = message.initRoot(PutRequest as unknown as Root<PutRequest>) as PutRequest;
    utils.setUint32(0, id, request);
    utils.initData(0, key.length, request).copyBuffer(key);
    utils.initData(1, value.length, request).copyBuffer(value);
    return segmentBytes(message);
  }

  decodeReply(body: Uint8Array): KvReply {
    const reply = root<GetReply>(GetReply, body);
    const list = utils.getList(0, VALUES as never, reply) as unknown as {
      length: number;
      get(index: number): Value;
    };
    const vals = Array.from({ length: list.length }, (_, index) =>
      utils.getData(0, list.get(index)).toUint8Array(),
    );
    return { id: utils.getUint32(0, reply), vals };
  }

  decodePutReply(body: Uint8Array): number {
    return utils.getUint32(0, root<PutReply>(PutReply, body));
  }

  readReply(start: number, end: number): number {
    const reply = root<GetReply>(GetReply, new Uint8Array(this.#buffer, start, end - start));
    const list = utils.getList(0, VALUES as never, reply) as unknown as {
      length: number;
      get(index: number): Value;
    };
    const count = list.length;
    let bytes = 0;
    for (let index = 0; index < count; index++)
      bytes += utils.getData(0, list.get(index)).toUint8Array().length;
    return bytes;
  }
}
