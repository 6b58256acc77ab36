/** Strings to UTF-8. Lone surrogates become U+FFFD, as everywhere in JavaScript. */
import type { Memory } from '../decode/memory.ts';

/** Strings up to this length are tried as ASCII by a loop, which beats a call. */
const LOOP_CHARACTERS_MAX = 12;

/** Writes `text` at `at`, where there is room for 3 bytes a character; returns how many were written. */
export function writeUtf8(memory: Memory, at: number, text: string): number {
  const length = text.length;
  if (length > LOOP_CHARACTERS_MAX) return memory.node.utf8Write(text, at, length * 3);
  const u8 = memory.u8;
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index);
    if (code > 127) return memory.node.utf8Write(text, at, length * 3);
    u8[at + index] = code;
  }
  return length;
}
