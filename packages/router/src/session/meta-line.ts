/** What the router looks at in a meta command's line: its key as it is hashed, and the flags b and q. */
import { base64Decode, FLAG_LOWER_B, FLAG_LOWER_Q, type LineTokens } from '@larder/protocol';
import type { WireKey } from '../general/compose-reply.ts';
import type { SessionContext } from './context.ts';

export interface MetaKey {
  /** The key, decoded if it was base64; `end` is -1 when it cannot be decoded. */
  start: number;
  end: number;
  isBinary: boolean;
  isQuiet: boolean;
}

const KEY: MetaKey = { start: 0, end: 0, isBinary: false, isQuiet: false };

/** Reads the key and the flags from token `first` on; the line stays as it is. The result is used again. */
export function decodeMetaKey(context: SessionContext, tokens: LineTokens, first: number): MetaKey {
  const { u8, keyScratchOffset } = context;
  KEY.start = tokens.start[1] ?? 0;
  KEY.end = tokens.end[1] ?? 0;
  KEY.isBinary = false;
  KEY.isQuiet = false;
  for (let index = first; index < tokens.count; index++) {
    const letter = u8[tokens.start[index]!]!;
    if (letter === FLAG_LOWER_Q) KEY.isQuiet = true;
    else if (letter === FLAG_LOWER_B) KEY.isBinary = true;
  }
  if (KEY.isBinary) {
    const bytes = base64Decode(u8, KEY.start, KEY.end, keyScratchOffset);
    KEY.start = keyScratchOffset;
    KEY.end = bytes === 0 ? -1 : keyScratchOffset + bytes;
  }
  return KEY;
}

/** The key of the meta command in the context's tokens as it was written. */
export function wireKeyOf(context: SessionContext): WireKey {
  const { tokens } = context;
  let isBinary = false;
  for (let index = 2; index < tokens.count; index++) isBinary ||= tokens.is(index, 'b');
  return { text: tokens.text(1), isBinary };
}

/** A line's text without one flag; words are separated by one space afterwards. */
export function withoutFlag(text: string, flag: string): string {
  return text
    .split(' ')
    .filter((word, index) => word !== '' && (index < 2 || word !== flag))
    .join(' ');
}
