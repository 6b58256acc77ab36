/**
 * UTF-8 to strings, strictly. Node's decoder turns what is not UTF-8 into U+FFFD; a result without that
 * character therefore proves the bytes right, and only one with it is looked at again. Very short ASCII is put
 * together here, which takes half the time of a call into Node.
 */
import { isUtf8 } from 'node:buffer';
import type { Memory } from '../decode/memory.ts';
import { WireError } from '../errors.ts';

const REPLACEMENT = '\ufffd';
const SHORT_BYTES_MAX = 8;
const { fromCharCode } = String;

export function readUtf8(memory: Memory, start: number, bytes: number): string {
  if (bytes <= SHORT_BYTES_MAX) {
    if (bytes === 0) return '';
    const { u8 } = memory;
    let bits = 0;
    for (let at = start; at < start + bytes; at++) bits |= u8[at]!;
    if (bits < 128) return shortAscii(u8, start, bytes);
  }
  const text = memory.node.utf8Slice(start, start + bytes);
  if (text.includes(REPLACEMENT) && !isUtf8(memory.u8.subarray(start, start + bytes))) {
    throw new WireError('UTF8', 'a string is not UTF-8');
  }
  return text;
}

/** 1 to 8 ASCII characters: the engine has a fast path for a call with the characters as arguments. */
function shortAscii(u8: Uint8Array, p: number, bytes: number): string {
  switch (bytes) {
    case 1:
      return fromCharCode(u8[p]!);
    case 2:
      return fromCharCode(u8[p]!, u8[p + 1]!);
    case 3:
      return fromCharCode(u8[p]!, u8[p + 1]!, u8[p + 2]!);
    case 4:
      return fromCharCode(u8[p]!, u8[p + 1]!, u8[p + 2]!, u8[p + 3]!);
    case 5:
      return fromCharCode(u8[p]!, u8[p + 1]!, u8[p + 2]!, u8[p + 3]!, u8[p + 4]!);
    case 6:
      return fromCharCode(u8[p]!, u8[p + 1]!, u8[p + 2]!, u8[p + 3]!, u8[p + 4]!, u8[p + 5]!);
    case 7:
      return fromCharCode(u8[p]!, u8[p + 1]!, u8[p + 2]!, u8[p + 3]!, u8[p + 4]!, u8[p + 5]!, u8[p + 6]!);
    case 8:
      return fromCharCode(
        u8[p]!,
        u8[p + 1]!,
        u8[p + 2]!,
        u8[p + 3]!,
        u8[p + 4]!,
        u8[p + 5]!,
        u8[p + 6]!,
        u8[p + 7]!,
      );
    default:
      return '';
  }
}
