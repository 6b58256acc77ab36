/**
 * What the benchmark's server and load need of a serializer. Every serializer gets the same values, as offsets
 * into the arena, and writes its reply to the same place; each makes of that what its interface is fastest with.
 */
import type { Arena, SlabAllocator } from '@larder/datapath';
import type { ReplyOutput } from '../server/reply-output.ts';

/** A request as the server needs it: the key and the value lie in the arena. Used again for every request. */
export class KvRequest {
  id = 0;
  keyOffset = 0;
  keyBytes = 0;
  /** 0 for the whole value, n for its n-th buffer. */
  segment = 0;
  /** Of a put. */
  valueOffset = 0;
  valueBytes = 0;
}

/** A decoded reply. */
export interface KvReply {
  readonly id: number;
  readonly vals: readonly Uint8Array[];
}

export interface Serializer {
  readonly name: string;
  /** Decodes a request whose body is [start, end) of the arena. */
  readGet(start: number, end: number, request: KvRequest): void;
  readPut(start: number, end: number, request: KvRequest): void;
  /**
   * Encodes and sends a reply of `count` buffers, of which arena.i32 has (offset, bytes) pairs from `values` on;
   * `bytes` is their sum.
   */
  writeReply(output: ReplyOutput, id: number, values: number, count: number, bytes: number): void;
  writePutReply(output: ReplyOutput, id: number): void;
  /** The load's side, which is not measured. */
  encodeGet(id: number, key: Uint8Array, segment: number): Uint8Array;
  encodePut(id: number, key: Uint8Array, value: Uint8Array): Uint8Array;
  /** Undefined for what cannot be told apart without a serializer. */
  decodeReply(body: Uint8Array): KvReply | undefined;
  decodePutReply(body: Uint8Array): number;
  /**
   * Reads all of a reply whose body is [start, end) of the arena: the number of its buffers' bytes, each of which
   * a reader could now use. For the codec benchmark.
   */
  readReply(start: number, end: number): number;
  /** A reference given to the output is through. */
  onRelease(owner: number): void;
}

/** What a serializer is made with. */
export interface SerializerMemory {
  readonly arena: Arena;
  /** Of the values: finds the owner of a buffer. */
  readonly allocator: SlabAllocator;
  /** Bytes of the arena for requests that are decoded elsewhere; SCRATCH_BYTES of them. */
  readonly scratchOffset: number;
}

export const SCRATCH_BYTES: number = 32 * 1024;

/** Peers copy: nothing is referenced, nothing comes back. */
export function neverReferences(): void {
  throw new Error('this serializer references nothing');
}
