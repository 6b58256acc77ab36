/**
 * Arena memory that objects are sent from (papers/sosp23 3.2.2): whether some bytes lie in it and who owns
 * them, and from what size on a field is sent by reference.
 */
import { type Arena, BUFFER_HEADER_BYTES } from '@larder/datapath';
import { Memory } from '../decode/memory.ts';
import { development } from './development.ts';
import { ReferencePolicy, type ReferencePolicyOptions } from './reference-policy.ts';
import type { WriteGuard } from './write-guard.ts';

/** Counted buffers of an arena. datapath's SlabAllocator is one. */
export interface BufferOwners {
  readonly arena: Arena;
  /** The buffer that all of some bytes of the arena lie in, -1 when there is none such. */
  recover(pointer: number | Uint8Array, bytes?: number): number;
  /** References to a buffer; not positive when it is free. */
  references(owner: number): number;
  retain(owner: number): void;
  release(owner: number): boolean;
  classFor(bytes: number): number;
  /** A buffer with one reference, 0 when there is no memory. Its first 8 bytes are the allocator's. */
  allocate(slabClass: number): number;
  /** Bytes of a buffer, its header among them; where it is missing, freed memory is not overwritten. */
  chunkBytesOf?(owner: number): number;
}

export interface SendMemoryOptions extends ReferencePolicyOptions {
  /** Finds buffers that are changed while they are sent; for development. */
  readonly guard?: WriteGuard;
}

/** What freed memory is overwritten with in development mode. */
const POISON = 0xdb;

export class SendMemory {
  readonly arena: Arena;
  readonly owners: BufferOwners;
  readonly memory: Memory;
  readonly policy: ReferencePolicy;
  readonly guard: WriteGuard | undefined;

  constructor(owners: BufferOwners, options: SendMemoryOptions = {}) {
    this.arena = owners.arena;
    this.owners = owners;
    this.memory = Memory.ofArena(owners.arena);
    this.policy = new ReferencePolicy(options);
    this.guard = options.guard;
  }

  /** Fields of at least this many bytes are sent by reference: a calibration may set it at any time. */
  get referenceBytesMin(): number {
    return this.policy.referenceBytesMin;
  }

  set referenceBytesMin(bytes: number) {
    this.policy.referenceBytesMin = bytes;
  }

  /** To be called by a transport handler's `onRelease` for every owner that `sendObject` referenced. */
  complete(owner: number): void {
    this.guard?.completed(owner);
    this.release(owner);
  }

  /** Drops a reference; in development mode the last one overwrites the memory. */
  release(owner: number): void {
    if (development.isOn) this.#poison(owner);
    this.owners.release(owner);
  }

  #poison(owner: number): void {
    const { owners } = this;
    const bytes = owners.chunkBytesOf?.(owner) ?? 0;
    if (bytes <= BUFFER_HEADER_BYTES || owners.references(owner) !== 1) return;
    this.memory.u8.fill(POISON, owner + BUFFER_HEADER_BYTES, owner + bytes);
  }
}
