/**
 * One block of memory, seen through a few typed arrays. Everything on a hot path takes and returns byte
 * offsets into it: numbers, never objects.
 *
 * ```
 *   offset     0 ........................................... bytes
 *   u8         one element a byte
 *   i32, u32   one element a word: index = offset / 4
 *   view       unaligned access: view.getInt32(offset, true)
 * ```
 *
 * An arena is an ordinary ArrayBuffer, a SharedArrayBuffer, or memory mapped through libc
 * (`memory/mapped-arena.ts`), which alone has an address that the kernel can be given. Several workers see
 * the same arena by `Arena.attach(handle)`.
 */
import { DatapathError } from '../errors.ts';
import { ARENA_BYTES_MAX, PAGE_BYTES } from '../limits.ts';

/** What another thread needs to see the same arena; survives `postMessage` and `workerData`. */
export type ArenaHandle =
  | { readonly kind: 'shared'; readonly buffer: SharedArrayBuffer }
  | { readonly kind: 'mapped'; readonly address: number; readonly bytes: number };

export class Arena {
  readonly buffer: ArrayBufferLike;
  readonly bytes: number;
  /** The address of offset 0, or 0 when the memory is not mapped through libc. */
  readonly address: number;
  readonly u8: Uint8Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly f64: Float64Array;
  readonly view: DataView;
  /** The same bytes as `u8`, for Node's APIs. */
  readonly node: Buffer;

  constructor(buffer: ArrayBufferLike, address: number) {
    if (buffer.byteLength % PAGE_BYTES !== 0 || buffer.byteLength > ARENA_BYTES_MAX) {
      throw new DatapathError(
        'ARGUMENT',
        'arena',
        `${buffer.byteLength} bytes is not a whole number of ${PAGE_BYTES}-byte pages up to ${ARENA_BYTES_MAX}`,
      );
    }
    this.buffer = buffer;
    this.bytes = buffer.byteLength;
    this.address = address;
    this.u8 = new Uint8Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.view = new DataView(buffer);
    this.node = Buffer.from(buffer as ArrayBuffer);
  }

  /** An arena for one thread, on any system. Untouched pages cost no memory. */
  static portable(bytes: number): Arena {
    return new Arena(new ArrayBuffer(bytes), 0);
  }

  /** An arena for several threads, on any system. */
  static shared(bytes: number): Arena {
    return new Arena(new SharedArrayBuffer(bytes), 0);
  }
}

/** Rounds up to a whole number of pages. */
export function pageAligned(bytes: number): number {
  return Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
}
