/**
 * UTF-8 to strings, strictly. Node's decoder turns what is not UTF-8 into U+FFFD; a result without that
 * character therefore proves the bytes right, and only one with it is looked at again.
 */
import { isUtf8 } from 'node:buffer';
import type { Memory } from '../decode/memory.ts';
import { WireError } from '../errors.ts';

const REPLACEMENT = '\ufffd';

export function readUtf8(memory: Memory, start: number, bytes: number): string {
  if (bytes === 0) return '';
  const text = memory.node.utf8Slice(start, start + bytes);
  if (text.includes(REPLACEMENT) && !isUtf8(memory.u8.subarray(start, start + bytes))) {
    throw new WireError('UTF8', 'a string is not UTF-8');
  }
  return text;
}
