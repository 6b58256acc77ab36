/**
 * Pieces of the arena that are copied when the message is written, straight to where it is sent from, instead of at
 * assignment and then once more. Until then they only have their room in the bump arena:
 *
 * ```
 *   bump arena   [ copied ][ room of a piece ][ room of a piece ][ copied ] ...
 *   piece        [place of its room][bytes][offset in the arena]           in the order of their places
 * ```
 */
import type { Memory } from '../decode/memory.ts';
import { WireError } from '../errors.ts';
import { copyAcross, TURN_BYTES } from './copy.ts';

const PIECE_WORDS = 3;
const PIECES_INITIAL = 16;

export class PendingCopies {
  count = 0;
  /** Bytes of the largest piece that was looked at last. */
  largest = 0;
  /** Written so that looking is not optimized away. */
  seen = 0;
  #words: Int32Array = new Int32Array(PIECES_INITIAL * PIECE_WORDS);

  /**
   * Checks that (offset, bytes) pairs, `count` of them from `pairs[from]` on, lie in the arena, and reads a byte of
   * each; returns the sum of their bytes, and leaves those of the largest in `largest`.
   */
  look(arena: Memory, pairs: Int32Array, from: number, count: number): number {
    const { u8 } = arena;
    const arenaBytes = u8.length;
    const first = from | 0;
    const end = first + 2 * count;
    if (!(first >= 0 && count >= 0 && end <= pairs.length)) {
      throw new WireError('RANGE', `${count} pairs from ${from} on, of ${pairs.length / 2}`);
    }
    let seen = 0;
    let sum = 0;
    let largest = 0;
    for (let pair = first; pair < end; pair += 2) {
      const offset = pairs[pair]!;
      const bytes = pairs[pair + 1]!;
      if (offset < 0 || bytes < 0 || bytes > arenaBytes - offset) {
        throw new WireError('RANGE', `${bytes} bytes at ${offset} are not in the arena`);
      }
      sum += bytes;
      if (bytes > largest) largest = bytes;
      seen ^= u8[offset]!;
    }
    this.largest = largest;
    this.seen = seen;
    return sum;
  }

  /** Makes room for so many more pieces. */
  reserve(count: number): void {
    const needed = (this.count + count) * PIECE_WORDS;
    if (needed <= this.#words.length) return;
    const words = new Int32Array(needed * 2);
    words.set(this.#words);
    this.#words = words;
  }

  /**
   * Adds pieces, for which `look` was asked and room was reserved: the first at `place`. Sizes and places are written
   * from `index` on. Returns the place behind the last.
   */
  addAll(
    pairs: Int32Array,
    from: number,
    count: number,
    sizes: Int32Array,
    places: Int32Array,
    index: number,
    place: number,
  ): number {
    const words = this.#words;
    let word = this.count * PIECE_WORDS;
    let target = index | 0;
    let next = place | 0;
    const end = (from | 0) + 2 * count;
    this.count += count;
    for (let pair = from | 0; pair < end; pair += 2) {
      const bytes = pairs[pair + 1]!;
      sizes[target] = bytes;
      places[target] = next;
      words[word] = next;
      words[word + 1] = bytes;
      words[word + 2] = pairs[pair]!;
      next += bytes;
      target++;
      word += PIECE_WORDS;
    }
    return next;
  }

  /** Copies the pieces to their rooms in a block that begins at `start`. */
  settle(arena: Memory, block: Memory, start: number): void {
    const words = this.#words;
    const end = this.count * PIECE_WORDS;
    this.count = 0;
    for (let index = 0; index < end; index += PIECE_WORDS) {
      copyAcross(arena, words[index + 2]!, block, start + words[index]!, words[index + 1]!);
    }
  }

  /**
   * Writes a block of `blockBytes` bytes, whose pieces are taken from the arena, to `target`. Small pieces are copied
   * by whole turns of words, up to TURN_BYTES too far: what follows covers that, or it is among the `spareBytes` behind
   * the block that may be overwritten. So most pieces take one turn, and the processor foresees where the loop ends.
   */
  write(
    arena: Memory,
    block: Memory,
    start: number,
    blockBytes: number,
    to: Memory,
    target: number,
    spareBytes: number,
  ): void {
    const words = this.#words;
    const end = this.count * PIECE_WORDS;
    const looseEnd = blockBytes + spareBytes - TURN_BYTES;
    const looseOffset = arena.u8.length - TURN_BYTES;
    const { wordBytesMax, view } = arena;
    const output = to.view;
    let done = 0;
    for (let index = 0; index < end; index += PIECE_WORDS) {
      const place = words[index]!;
      const bytes = words[index + 1]!;
      const offset = words[index + 2]!;
      if (place > done) copyAcross(block, start + done, to, target + done, place - done);
      done = place + bytes;
      if (bytes > wordBytesMax || done > looseEnd || offset + bytes > looseOffset) {
        copyAcross(arena, offset, to, target + place, bytes);
        continue;
      }
      const shift = target + place - offset;
      for (let at = offset; at < offset + bytes; at += TURN_BYTES) {
        output.setBigInt64(at + shift, view.getBigInt64(at, true), true);
        output.setBigInt64(at + shift + 8, view.getBigInt64(at + 8, true), true);
        output.setBigInt64(at + shift + 16, view.getBigInt64(at + 16, true), true);
        output.setBigInt64(at + shift + 24, view.getBigInt64(at + 24, true), true);
      }
    }
    if (done < blockBytes) copyAcross(block, start + done, to, target + done, blockBytes - done);
  }
}
