/** The ways of looking at one block of memory, made once per block. */
import type { Arena } from '@larder/datapath';
import { MESSAGE_BYTES_MAX } from '../limits.ts';

/** Whether typed arrays have the byte order of the wire. */
export const IS_LITTLE_ENDIAN: boolean = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Node's own text functions, which `toString` and `write` lead to after looking at their arguments. */
interface TextBuffer extends Buffer {
  utf8Slice(start: number, end: number): string;
  utf8Write(text: string, offset: number, length: number): number;
}

export class Memory {
  readonly buffer: ArrayBufferLike;
  readonly u8: Uint8Array;
  readonly view: DataView;
  readonly node: TextBuffer;
  /** From here on a call that copies costs less than a loop over words: see encode/copy.ts. */
  readonly wordBytesMax: number;

  constructor(buffer: ArrayBufferLike) {
    this.buffer = buffer;
    this.u8 = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.node = Buffer.from(buffer as ArrayBuffer) as TextBuffer;
    this.wordBytesMax = buffer instanceof ArrayBuffer ? WORD_BYTES_MAX : MESSAGE_BYTES_MAX;
  }

  /** Bytes of this memory, not copied. Making them so takes half the time that `subarray` takes. */
  slice(start: number, bytes: number): Uint8Array {
    return new Uint8Array(this.buffer, start, bytes);
  }

  /** The memory under some bytes. Node cuts many messages from one buffer, so the last one is remembered. */
  static of(bytes: Uint8Array): Memory {
    if (bytes.buffer === last.buffer) return last;
    const memory = new Memory(bytes.buffer);
    // A large one is not kept from the collector for that.
    if (bytes.buffer.byteLength <= REMEMBERED_BYTES_MAX) last = memory;
    return memory;
  }

  static ofArena(arena: Arena): Memory {
    let memory = arenas.get(arena);
    if (memory === undefined) {
      memory = new Memory(arena.buffer);
      arenas.set(arena, memory);
    }
    return memory;
  }
}

const WORD_BYTES_MAX = 256;
const REMEMBERED_BYTES_MAX = 1 << 20;
const arenas = new WeakMap<Arena, Memory>();
let last = new Memory(new ArrayBuffer(0));
