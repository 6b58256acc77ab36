/**
 * Counted buffers of the arena (papers/sosp23 3.1): a value that is written once and then sent by reference, as
 * often as wanted. The memory is free again when all handles and all sends that are under way are through.
 *
 * ```
 *   handle ─▶ chunk [references ... 64 bytes | data ]      a builder's field, a transport: further references
 * ```
 *
 * A handle that was released throws when it is used, and when it is released again. In development mode memory
 * is overwritten when it becomes free, so that a Uint8Array kept from it is seen to be wrong; with leak tracking
 * on, every handle remembers where it was made.
 */
import { BUFFER_HEADER_BYTES } from '@larder/datapath';
import { WireError } from '../errors.ts';
import type { SendMemory } from './send-memory.ts';

const tracking = { isOn: false };
/** Where handles were made that are not released. The handles themselves are not kept. */
const sites: Map<symbol, { readonly site: string; readonly bytes: number }> = new Map();

/** Begins or ends to remember where handles are made; costs microseconds per handle. */
export function trackLeaks(isOn: boolean): void {
  tracking.isOn = isOn;
  if (!isOn) sites.clear();
}

/** Handles made at one place in the program and not released. */
export interface Leak {
  readonly site: string;
  readonly handles: number;
  readonly bytes: number;
}

/** Handles made since `trackLeaks(true)` and not released, by the place that made them, most bytes first. */
export function leakReport(): Leak[] {
  const leaks = new Map<string, { site: string; handles: number; bytes: number }>();
  for (const { site, bytes } of sites.values()) {
    const leak = leaks.get(site) ?? { site, handles: 0, bytes: 0 };
    leak.handles++;
    leak.bytes += bytes;
    leaks.set(site, leak);
  }
  return [...leaks.values()].sort((one, other) => other.bytes - one.bytes);
}

export class RcBuf {
  readonly memory: SendMemory;
  readonly length: number;
  readonly #owner: number;
  readonly #offset: number;
  readonly #token: symbol | undefined;
  #view: Uint8Array | null;

  /** The handle takes over one reference to `owner`. */
  private constructor(memory: SendMemory, owner: number, offset: number, length: number) {
    this.memory = memory;
    this.length = length;
    this.#owner = owner;
    this.#offset = offset;
    this.#view = memory.memory.slice(offset, length);
    this.#token = tracking.isOn ? Symbol('RcBuf') : undefined;
    if (this.#token !== undefined) sites.set(this.#token, { site: callSite(), bytes: length });
  }

  /** A buffer of `length` bytes, which are not cleared. Throws `NO_MEMORY` or `TOO_LARGE`. */
  static allocate(memory: SendMemory, length: number): RcBuf {
    const slabClass = memory.owners.classFor(length + BUFFER_HEADER_BYTES);
    if (slabClass === 0 || !(length >= 0)) throw new WireError('TOO_LARGE', `a buffer of ${length} bytes`);
    const owner = memory.owners.allocate(slabClass);
    if (owner === 0) throw new WireError('NO_MEMORY', `no memory for ${length} bytes`);
    return new RcBuf(memory, owner, owner + BUFFER_HEADER_BYTES, length);
  }

  /** A buffer with a copy of some bytes. */
  static from(memory: SendMemory, bytes: Uint8Array): RcBuf {
    const buffer = RcBuf.allocate(memory, bytes.length);
    buffer.bytes.set(bytes);
    return buffer;
  }

  /** A further handle for bytes that lie in a counted buffer; undefined when they do not. */
  static recover(memory: SendMemory, bytes: Uint8Array): RcBuf | undefined {
    if (bytes.buffer !== memory.arena.buffer) return undefined;
    const { owners } = memory;
    const owner = owners.recover(bytes.byteOffset, bytes.length);
    if (owner < 0 || owners.references(owner) <= 0) return undefined;
    owners.retain(owner);
    return new RcBuf(memory, owner, bytes.byteOffset, bytes.length);
  }

  /** The bytes, to read and to write; not to be kept beyond the release. */
  get bytes(): Uint8Array {
    return this.#live();
  }

  /** Offset in the arena, for `setXAt` and `appendAt`. */
  get offset(): number {
    this.#live();
    return this.#offset;
  }

  /** Handles and sends that keep the buffer. */
  get references(): number {
    this.#live();
    return this.memory.owners.references(this.#owner);
  }

  get isReleased(): boolean {
    return this.#view === null;
  }

  clone(): RcBuf {
    return this.slice(0, this.length);
  }

  /** A further handle for a part of the buffer. */
  slice(start: number, end: number = this.length): RcBuf {
    this.#live();
    if (!(start >= 0 && start <= end && end <= this.length)) {
      throw new WireError('RANGE', `[${start}, ${end}) of ${this.length} bytes`);
    }
    this.memory.owners.retain(this.#owner);
    return new RcBuf(this.memory, this.#owner, this.#offset + start, end - start);
  }

  release(): void {
    this.#live();
    this.#view = null;
    if (this.#token !== undefined) sites.delete(this.#token);
    this.memory.release(this.#owner);
  }

  [Symbol.dispose](): void {
    if (this.#view !== null) this.release();
  }

  #live(): Uint8Array {
    if (this.#view === null) throw new WireError('RELEASED', 'the buffer was released');
    return this.#view;
  }
}

/** The frame that called into this file. */
function callSite(): string {
  const lines = (new Error('made').stack ?? '').split('\n').slice(1);
  return (lines.find((line) => !line.includes(import.meta.filename)) ?? 'unknown').trim();
}
