/**
 * Gathers the reply to one datagram in a piece of the arena, in the shape of a connection, so that the same
 * code answers both.
 *
 * ```
 *   start                                   replyEnd                        (room for one reserve)
 *   ├──────────── reply ───────▶ cursor ······ ├────────────────────────────┤ limit
 * ```
 *
 * A reply that grows beyond `replyEnd` is not kept: the cursor goes back to the start, what follows is written
 * over and over, and `isOverflowed` says that none of it is to be sent.
 */
import { type Arena, SEND_BUFFER_BYTES } from '@larder/datapath';
import type { SessionOutput } from './output.ts';

/** Arena bytes that gathering replies of up to `replyBytesMax` takes. */
export function gatherBytes(replyBytesMax: number): number {
  return replyBytesMax + SEND_BUFFER_BYTES;
}

export class DatagramOutput implements SessionOutput {
  readonly id: number = -1;
  readonly isCongested: boolean = false;
  cursor: number;
  limit: number;
  isOverflowed: boolean = false;
  readonly start: number;
  readonly #replyEnd: number;
  readonly #u8: Uint8Array;
  readonly #arena: Arena;
  readonly #release: (owner: number) => void;

  /** `offset` begins gatherBytes(replyBytesMax) bytes of the arena that belong to this object. */
  constructor(arena: Arena, offset: number, replyBytesMax: number, release: (owner: number) => void) {
    this.#arena = arena;
    this.#u8 = arena.u8;
    this.#release = release;
    this.start = offset;
    this.cursor = offset;
    this.#replyEnd = offset + replyBytesMax;
    this.limit = this.#replyEnd + SEND_BUFFER_BYTES;
  }

  /** Bytes of the reply gathered so far. */
  get bytes(): number {
    return this.cursor - this.start;
  }

  /** Whether the reply is longer than may be sent. */
  get isTooLong(): boolean {
    return this.isOverflowed || this.cursor > this.#replyEnd;
  }

  /** Forgets the reply. */
  reset(): void {
    this.cursor = this.start;
    this.isOverflowed = false;
  }

  reserve(bytes: number): number {
    if (this.cursor + bytes > this.limit) this.#overflow();
    return this.cursor;
  }

  copy(offset: number, bytes: number): void {
    if (this.cursor + bytes > this.#replyEnd) {
      this.#overflow();
      return;
    }
    this.#u8.copyWithin(this.cursor, offset, offset + bytes);
    this.cursor += bytes;
  }

  /** Copied as well: datagrams are cut where their size ends, and are gone before the next request is run. */
  reference(offset: number, bytes: number, owner: number): void {
    this.copy(offset, bytes);
    this.#release(owner);
  }

  writeBytes(bytes: Uint8Array): void {
    if (this.cursor + bytes.length > this.#replyEnd) {
      this.#overflow();
      return;
    }
    this.#u8.set(bytes, this.cursor);
    this.cursor += bytes.length;
  }

  writeLatin1(text: string): void {
    if (this.cursor + text.length > this.#replyEnd) {
      this.#overflow();
      return;
    }
    this.#arena.node.write(text, this.cursor, text.length, 'latin1');
    this.cursor += text.length;
  }

  /** There is no connection to close. */
  end(): void {}

  #overflow(): void {
    this.isOverflowed = true;
    this.cursor = this.start;
  }
}
