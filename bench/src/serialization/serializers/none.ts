/**
 * No serialization, the upper limit: the key is the request, and the bytes of the buffers are the reply; small
 * ones are copied, large ones are referenced without counting. Nobody could tell the buffers apart.
 */
import type { ReplyOutput } from '../server/reply-output.ts';
import type { KvReply, KvRequest, Serializer, SerializerMemory } from './serializer.ts';

/** [id][segment][key ...] and, for a put, [id][key bytes][key ...][value ...]. */
const HEAD_BYTES = 8;
const NO_OWNER = 0;

export class NoSerializer implements Serializer {
  readonly name: string = 'none';
  readonly #u8: Uint8Array;
  readonly #view: DataView;
  readonly #pairs: Int32Array;
  readonly #copyBytesMax: number;

  /** Buffers of more than `copyBytesMax` are referenced. */
  constructor(memory: SerializerMemory, copyBytesMax: number) {
    this.#u8 = memory.arena.u8;
    this.#view = memory.arena.view;
    this.#pairs = memory.arena.i32;
    this.#copyBytesMax = copyBytesMax;
  }

  readGet(start: number, end: number, request: KvRequest): void {
    request.id = this.#view.getInt32(start, true);
    request.segment = this.#view.getInt32(start + 4, true);
    request.keyOffset = start + HEAD_BYTES;
    request.keyBytes = end - start - HEAD_BYTES;
  }

  readPut(start: number, end: number, request: KvRequest): void {
    request.id = this.#view.getInt32(start, true);
    request.keyOffset = start + HEAD_BYTES;
    request.keyBytes = this.#view.getInt32(start + 4, true);
    request.valueOffset = request.keyOffset + request.keyBytes;
    request.valueBytes = end - request.valueOffset;
  }

  writeReply(output: ReplyOutput, id: number, values: number, count: number, bytes: number): void {
    const pairs = this.#pairs;
    const at = output.reserve(bytes + 4);
    this.#view.setInt32(at, id, true);
    let cursor = at + 4;
    for (let index = 0; index < count; index++) {
      const offset = pairs[values + 2 * index]!;
      const size = pairs[values + 2 * index + 1]!;
      if (size > this.#copyBytesMax) continue;
      this.#u8.copyWithin(cursor, offset, offset + size);
      cursor += size;
    }
    const copied = cursor - at;
    output.finish(copied, bytes + 4 - copied);
    if (copied === bytes + 4) return;
    for (let index = 0; index < count; index++) {
      const size = pairs[values + 2 * index + 1]!;
      if (size > this.#copyBytesMax) output.reference(pairs[values + 2 * index]!, size, NO_OWNER);
    }
  }

  writePutReply(output: ReplyOutput, id: number): void {
    this.#view.setInt32(output.reserve(4), id, true);
    output.finish(4, 0);
  }

  encodeGet(id: number, key: Uint8Array, segment: number): Uint8Array {
    return Buffer.concat(
      [Int32Array.of(id, segment), key].map((part) =>
        Buffer.from(part.buffer, part.byteOffset, part.byteLength),
      ),
    );
  }

  encodePut(id: number, key: Uint8Array, value: Uint8Array): Uint8Array {
    return Buffer.concat([Buffer.from(Int32Array.of(id, key.length).buffer), key, value]);
  }

  decodeReply(): KvReply | undefined {
    return undefined;
  }

  decodePutReply(body: Uint8Array): number {
    return Buffer.from(body).readInt32LE(0);
  }

  readReply(start: number, end: number): number {
    return end - start - 4;
  }

  onRelease(): void {
    // Nothing is counted.
  }
}
