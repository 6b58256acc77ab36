/**
 * The fixed lines of the protocol, written a word at a time.
 */
import type { Arena } from '@larder/datapath';
import { STATUS_TEXTS, wordOf, writeAscii } from '@larder/protocol';
import type { SessionOutput } from './output.ts';

/** A line ready to be copied: its words (the last one padded) and its length. */
export class FixedReply {
  readonly bytes: number;
  readonly words: Int32Array;

  constructor(line: string) {
    const text = `${line}\r\n`;
    this.bytes = text.length;
    this.words = new Int32Array(Math.ceil(text.length / 4));
    for (let index = 0; index < this.words.length; index++) this.words[index] = wordOf(text.slice(index * 4));
  }
}

export const STORED: FixedReply = new FixedReply('STORED');
export const NOT_STORED: FixedReply = new FixedReply('NOT_STORED');
export const EXISTS: FixedReply = new FixedReply('EXISTS');
export const NOT_FOUND: FixedReply = new FixedReply('NOT_FOUND');
export const STALE_STORED: FixedReply = new FixedReply('STALE_STORED');
export const NOT_FOUND_HOT: FixedReply = new FixedReply('NOT_FOUND_HOT');
export const DELETED: FixedReply = new FixedReply('DELETED');
export const TOUCHED: FixedReply = new FixedReply('TOUCHED');
export const OK: FixedReply = new FixedReply('OK');
export const END: FixedReply = new FixedReply('END');
export const MN: FixedReply = new FixedReply('MN');
export const EN: FixedReply = new FixedReply('EN');
export const EMPTY_LINE: FixedReply = new FixedReply('');
export const ERROR: FixedReply = new FixedReply('ERROR');
export const BAD_DATA: FixedReply = new FixedReply('CLIENT_ERROR bad data chunk');
export const BAD_FORMAT: FixedReply = new FixedReply('CLIENT_ERROR bad command line format');
export const LINE_TOO_LONG: FixedReply = new FixedReply('CLIENT_ERROR line too long');
export const NOT_NUMERIC: FixedReply = new FixedReply(
  'CLIENT_ERROR cannot increment or decrement non-numeric value',
);
export const TOO_LARGE: FixedReply = new FixedReply('SERVER_ERROR object too large for cache');
export const NO_MEMORY: FixedReply = new FixedReply('SERVER_ERROR out of memory storing object');
export const NO_MEMORY_ARITHMETIC: FixedReply = new FixedReply('SERVER_ERROR out of memory');

/** By RequestStatus: the line that answers it. */
export const STATUS_REPLIES: readonly FixedReply[] = STATUS_TEXTS.map((text) => new FixedReply(text));

export class ReplyWriter {
  readonly #view: DataView;
  readonly #u8: Uint8Array;

  constructor(arena: Arena) {
    this.#view = arena.view;
    this.#u8 = arena.u8;
  }

  fixed(output: SessionOutput, reply: FixedReply): void {
    const words = reply.words;
    const at = output.reserve(words.length * 4);
    if (at === 0) return;
    const view = this.#view;
    for (let index = 0; index < words.length; index++) view.setInt32(at + index * 4, words[index]!, true);
    output.cursor = at + reply.bytes;
  }

  /** A line that is made up as needed (Latin-1); the terminator is added. */
  line(output: SessionOutput, text: string): void {
    output.writeLatin1(`${text}\r\n`);
  }

  /** Short ASCII without terminator. */
  ascii(output: SessionOutput, text: string): void {
    const at = output.reserve(text.length);
    if (at !== 0) output.cursor = writeAscii(this.#u8, at, text);
  }
}
