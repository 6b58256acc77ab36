/**
 * JSON: keys as text, values in base64, since JSON has no bytes. The text is written straight into the memory that
 * is sent; a request is a string before it is an object.
 */
import type { ReplyOutput } from '../server/reply-output.ts';
import {
  type KvReply,
  type KvRequest,
  neverReferences,
  type Serializer,
  type SerializerMemory,
} from './serializer.ts';

/** What the Buffer type of Node does not name: base64 and latin1 without a choice at run time. */
interface FastBuffer {
  latin1Slice(start: number, end: number): string;
  base64Slice(start: number, end: number): string;
  latin1Write(text: string, offset: number, length: number): number;
}

export class JsonSerializer implements Serializer {
  readonly name: string = 'json';
  readonly onRelease: (owner: number) => void = neverReferences;
  readonly #node: Buffer;
  readonly #fast: FastBuffer;
  readonly #pairs: Int32Array;
  readonly #scratch: number;
  readonly #reply: { id: number; vals: string[] } = { id: 0, vals: [] };

  constructor(memory: SerializerMemory) {
    this.#node = memory.arena.node;
    this.#fast = memory.arena.node as unknown as FastBuffer;
    this.#pairs = memory.arena.i32;
    this.#scratch = memory.scratchOffset;
  }

  readGet(start: number, end: number, request: KvRequest): void {
    const message = JSON.parse(this.#fast.latin1Slice(start, end)) as {
      id: number;
      key: string;
      segment: number;
    };
    request.id = message.id;
    request.keyOffset = this.#scratch;
    request.keyBytes = this.#fast.latin1Write(message.key, this.#scratch, message.key.length);
    request.segment = message.segment;
  }

  readPut(start: number, end: number, request: KvRequest): void {
    const message = JSON.parse(this.#fast.latin1Slice(start, end)) as {
      id: number;
      key: string;
      val: string;
    };
    request.id = message.id;
    request.keyOffset = this.#scratch;
    request.keyBytes = this.#fast.latin1Write(message.key, this.#scratch, message.key.length);
    request.valueOffset = this.#scratch + request.keyBytes;
    request.valueBytes = this.#node.write(message.val, request.valueOffset, message.val.length, 'base64');
  }

  writeReply(output: ReplyOutput, id: number, values: number, count: number, _bytes: number): void {
    const reply = this.#reply;
    const pairs = this.#pairs;
    reply.id = id;
    reply.vals.length = count;
    for (let index = 0; index < count; index++) {
      const offset = pairs[values + 2 * index]!;
      reply.vals[index] = this.#fast.base64Slice(offset, offset + pairs[values + 2 * index + 1]!);
    }
    this.#send(output, JSON.stringify(reply));
  }

  writePutReply(output: ReplyOutput, id: number): void {
    this.#send(output, JSON.stringify({ id }));
  }

  #send(output: ReplyOutput, text: string): void {
    const at = output.reserve(text.length);
    output.finish(this.#fast.latin1Write(text, at, text.length), 0);
  }

  encodeGet(id: number, key: Uint8Array, segment: number): Uint8Array {
    return Buffer.from(JSON.stringify({ id, key: Buffer.from(key).toString('latin1'), segment }), 'latin1');
  }

  encodePut(id: number, key: Uint8Array, value: Uint8Array): Uint8Array {
    const val = Buffer.from(value).toString('base64');
    return Buffer.from(JSON.stringify({ id, key: Buffer.from(key).toString('latin1'), val }), 'latin1');
  }

  decodeReply(body: Uint8Array): KvReply {
    const { id, vals } = JSON.parse(Buffer.from(body).toString('latin1')) as { id: number; vals: string[] };
    return { id, vals: vals.map((text) => Buffer.from(text, 'base64')) };
  }

  decodePutReply(body: Uint8Array): number {
    return (JSON.parse(Buffer.from(body).toString('latin1')) as { id: number }).id;
  }

  readReply(start: number, end: number): number {
    const { vals } = JSON.parse(this.#fast.latin1Slice(start, end)) as { vals: string[] };
    let bytes = 0;
    for (let index = 0; index < vals.length; index++) bytes += Buffer.from(vals[index]!, 'base64').length;
    return bytes;
  }
}
