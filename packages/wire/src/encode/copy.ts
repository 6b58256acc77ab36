/**
 * Copies of few bytes. Measured on Node 24, ns: a call of `set` takes 7 to 8, and 11 more when a view has to be made
 * for it; `copyWithin` 16; words of 8 bytes 4 for 16 bytes, 8 for 64, 20 for 256. A bigint that goes from one view
 * straight to another is a register in optimized code: nothing is allocated for it.
 *
 * In a SharedArrayBuffer both calls copy byte by byte unless source and target are aligned alike (1 KB: 295 ns, by
 * words 59), so that there words are used for all lengths: `Memory.wordBytesMax`.
 */
import type { Memory } from '../decode/memory.ts';

const BYTE_LOOP_MAX = 8;
const WORD_BYTES = 8;
/** Bytes of one turn of a loop over words. */
export const TURN_BYTES: number = 4 * WORD_BYTES;

/** Copies bytes from elsewhere into a memory. */
export function copyIn(memory: Memory, target: number, source: Uint8Array, bytes: number): void {
  const { u8 } = memory;
  if (bytes > BYTE_LOOP_MAX) u8.set(source, target);
  else for (let index = 0; index < bytes; index++) u8[target + index] = source[index]!;
}

/** Copies bytes from one memory to another, or within one; source and target do not overlap. */
export function copyAcross(from: Memory, source: number, to: Memory, target: number, bytes: number): void {
  if (bytes > from.wordBytesMax) copyMany(from, source, to, target, bytes);
  else if (bytes >= WORD_BYTES) copyWords(to.view, target, from.view, source, bytes);
  else for (let index = 0; index < bytes; index++) to.u8[target + index] = from.u8[source + index]!;
}

function copyMany(from: Memory, source: number, to: Memory, target: number, bytes: number): void {
  if (from === to) to.u8.copyWithin(target, source, source + bytes);
  else to.u8.set(from.slice(source, bytes), target);
}

function copyTurns(to: DataView, target: number, from: DataView, source: number, bytes: number): void {
  for (let done = 0; done < bytes; done += TURN_BYTES) {
    const s = source + done;
    const t = target + done;
    to.setBigInt64(t, from.getBigInt64(s, true), true);
    to.setBigInt64(t + 8, from.getBigInt64(s + 8, true), true);
    to.setBigInt64(t + 16, from.getBigInt64(s + 16, true), true);
    to.setBigInt64(t + 24, from.getBigInt64(s + 24, true), true);
  }
}

function copyWords(to: DataView, target: number, from: DataView, source: number, bytes: number): void {
  const whole = bytes & -TURN_BYTES;
  copyTurns(to, target, from, source, whole);
  let done = whole;
  for (; done + WORD_BYTES <= bytes; done += WORD_BYTES) {
    to.setBigInt64(target + done, from.getBigInt64(source + done, true), true);
  }
  if (done === bytes) return;
  // The last word takes some bytes a second time, which is less than a loop over single ones.
  const last = bytes - WORD_BYTES;
  to.setBigInt64(target + last, from.getBigInt64(source + last, true), true);
}
