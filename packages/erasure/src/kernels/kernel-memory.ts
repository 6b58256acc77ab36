/**
 * Memory that the kernels work in, and an allocator of regions in it.
 *
 * It is one WebAssembly memory of fixed size (growing one would detach every
 * view of it that was handed out); the system provides its pages when they are
 * first written. Regions are `Uint8Array` views, so files and sockets are read
 * straight into them and nothing is copied on the way to the kernels.
 *
 *   | unused | region | gap | region | … free … | region | … |
 *     64 B      64-byte aligned; free spans are kept sorted, first fit
 *
 * Regions of a page and more are followed by a gap of 320 bytes. Without it
 * equal regions of 4096·n bytes would all begin at the same offset of a page,
 * so that a dozen of them, read side by side, would compete for the same lines
 * of the L1 cache.
 */
import { ErasureError, illegalArgument } from '../errors.ts';
import { KERNEL_MEMORY_BYTES_MAX, KERNEL_PAGE_BYTES, REGION_ALIGNMENT_BYTES } from '../limits.ts';
import { type WasmMemory, wasmEngine } from './web-assembly.ts';

const GAP_BYTES = 5 * REGION_ALIGNMENT_BYTES;
const GAP_FROM_BYTES = 4096;

interface Span {
  start: number;
  bytes: number;
}

const memoryOfBuffer = new WeakMap<ArrayBufferLike, KernelMemory>();

export class KernelMemory {
  /** Kernels import it; do not grow it. */
  readonly memory: WasmMemory;
  readonly buffer: ArrayBuffer;
  /** Sorted by start; neighbours are merged. */
  readonly #free: Span[];
  readonly #allocated = new Map<number, number>();
  #work: Uint8Array | undefined;

  /** Reserves `bytes` (rounded up to 64 KB pages, at most 4 GB less a page). */
  constructor(bytes: number) {
    if (!Number.isInteger(bytes) || bytes < 1 || bytes > KERNEL_MEMORY_BYTES_MAX) {
      throw illegalArgument(`a kernel memory has 1..${KERNEL_MEMORY_BYTES_MAX} bytes, not ${bytes}`);
    }
    if (!wasmEngine) throw new ErasureError('LIMIT_EXCEEDED', 'this engine has no WebAssembly');
    const pages = Math.ceil(bytes / KERNEL_PAGE_BYTES);
    try {
      this.memory = new wasmEngine.Memory({ initial: pages, maximum: pages });
    } catch (cause) {
      throw new ErasureError('LIMIT_EXCEEDED', `no ${bytes} bytes of WebAssembly memory to be had`, {
        cause,
      });
    }
    this.buffer = this.memory.buffer;
    const start = REGION_ALIGNMENT_BYTES;
    this.#free = [{ start, bytes: this.buffer.byteLength - start }];
    memoryOfBuffer.set(this.buffer, this);
  }

  /** The memory that all the views lie in, or undefined when there is none or not one. */
  static of(...groups: readonly (readonly Uint8Array[])[]): KernelMemory | undefined {
    let buffer: ArrayBufferLike | undefined;
    for (const views of groups) {
      for (const view of views) {
        buffer ??= view.buffer;
        if (view.buffer !== buffer) return undefined;
      }
    }
    return buffer && memoryOfBuffer.get(buffer);
  }

  /** Bytes that are not allocated (they may lie in several pieces). */
  get bytesFree(): number {
    return this.#free.reduce((sum, span) => sum + span.bytes, 0);
  }

  /**
   * A region aligned to 64 bytes, which stays the caller's until `free`. Its
   * content is what was there before. Throws LIMIT_EXCEEDED when no piece is
   * large enough.
   */
  allocate(bytes: number): Uint8Array<ArrayBuffer> {
    const region = this.tryAllocate(bytes);
    if (region) return region;
    throw new ErasureError(
      'LIMIT_EXCEEDED',
      `no ${bytes} bytes left in a kernel memory of ${this.buffer.byteLength} (${this.bytesFree} free)`,
    );
  }

  /** As `allocate`, but undefined when no piece is large enough. */
  tryAllocate(bytes: number): Uint8Array<ArrayBuffer> | undefined {
    if (!Number.isInteger(bytes) || bytes < 0) {
      throw illegalArgument(`a region has a whole number of bytes, not ${bytes}`);
    }
    const least = Math.max(1, Math.ceil(bytes / REGION_ALIGNMENT_BYTES)) * REGION_ALIGNMENT_BYTES;
    const wanted = bytes >= GAP_FROM_BYTES ? least + GAP_BYTES : least;
    const index = this.#free.findIndex((span) => span.bytes >= least);
    const span = this.#free[index];
    if (!span) return undefined;
    // The gap may be cut short at the end of the memory.
    const taken = Math.min(wanted, span.bytes);
    const { start } = span;
    span.start += taken;
    span.bytes -= taken;
    if (span.bytes === 0) this.#free.splice(index, 1);
    this.#allocated.set(start, taken);
    return new Uint8Array(this.buffer, start, bytes);
  }

  /** Gives back a region; it must be one that `allocate` returned, not a part of it. */
  free(region: Uint8Array): void {
    const start = region.byteOffset;
    const bytes = region.buffer === this.buffer ? this.#allocated.get(start) : undefined;
    if (bytes === undefined) throw illegalArgument('this region is not allocated in this memory');
    this.#allocated.delete(start);
    let index = this.#free.findIndex((span) => span.start > start);
    if (index < 0) index = this.#free.length;
    this.#free.splice(index, 0, { start, bytes });
    this.#mergeAt(index);
    this.#mergeAt(index - 1);
  }

  /** Joins the free span with the next one if they touch. */
  #mergeAt(index: number): void {
    const span = this.#free[index];
    const next = this.#free[index + 1];
    if (!span || !next || span.start + span.bytes !== next.start) return;
    span.bytes += next.bytes;
    this.#free.splice(index + 1, 1);
  }

  /**
   * The one area for pointers and temporaries of whatever kernel runs: at least
   * `bytes` long, valid until the next call.
   */
  workArea(bytes: number): Uint8Array {
    if (this.hasWorkArea(bytes)) return this.#work!;
    throw new ErasureError('LIMIT_EXCEEDED', `no ${bytes} bytes left in a kernel memory for temporaries`);
  }

  /** Whether there is such an area, making it if need be. */
  hasWorkArea(bytes: number): boolean {
    if (this.#work && this.#work.length >= bytes) return true;
    // The old one makes room first; when that is not enough it is taken again.
    const before = this.#work?.length;
    if (this.#work) this.free(this.#work);
    this.#work = this.tryAllocate(bytes);
    if (this.#work) return true;
    if (before !== undefined) this.#work = this.allocate(before);
    return false;
  }
}
