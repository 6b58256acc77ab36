/**
 * Arena memory that objects are sent from (papers/sosp23 3.2.2): whether some bytes lie in it and who owns
 * them, and from what size on a field is sent by reference.
 */
import type { Arena } from '@larder/datapath';
import { Memory } from '../decode/memory.ts';
import { REFERENCE_BYTES_MIN, REFERENCES_MAX } from '../limits.ts';
import type { WriteGuard } from './write-guard.ts';

/** Counted buffers of an arena. datapath's SlabAllocator is one. */
export interface BufferOwners {
  readonly arena: Arena;
  /** The buffer that some bytes of the arena lie in, -1 when they lie in none. */
  recover(pointer: number | Uint8Array): number;
  /** References to a buffer; not positive when it is free. */
  references(owner: number): number;
  retain(owner: number): void;
  release(owner: number): boolean;
  classFor(bytes: number): number;
  /** A buffer with one reference, 0 when there is no memory. Its first 8 bytes are the allocator's. */
  allocate(slabClass: number): number;
}

export interface SendMemoryOptions {
  /** Fields of at least this many bytes are sent by reference. */
  readonly referenceBytesMin?: number;
  /** References of one message; above, the smallest are copied. */
  readonly referencesMax?: number;
  /** Finds buffers that are changed while they are sent; for development. */
  readonly guard?: WriteGuard;
}

export class SendMemory {
  readonly arena: Arena;
  readonly owners: BufferOwners;
  readonly memory: Memory;
  /** May be changed at any time: a calibration may find another value better. */
  referenceBytesMin: number;
  referencesMax: number;
  readonly guard: WriteGuard | undefined;

  constructor(owners: BufferOwners, options: SendMemoryOptions = {}) {
    this.arena = owners.arena;
    this.owners = owners;
    this.memory = Memory.ofArena(owners.arena);
    this.referenceBytesMin = options.referenceBytesMin ?? REFERENCE_BYTES_MIN;
    this.referencesMax = options.referencesMax ?? REFERENCES_MAX;
    this.guard = options.guard;
  }

  /** To be called by a transport handler's `onRelease` for every owner that `sendObject` referenced. */
  complete(owner: number): void {
    this.guard?.completed(owner);
    this.owners.release(owner);
  }
}
