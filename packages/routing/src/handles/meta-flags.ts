/** Reading and changing single flags of a meta command, whose flags are words of a letter and an argument. */
import { NO_BYTES } from '../request.ts';

function wordsOf(flags: Buffer): string[] {
  return flags.length === 0 ? [] : flags.toString('latin1').split(' ');
}

/** The argument of the flag, '' when it has none, undefined when the flag is not there. */
export function metaFlag(flags: Buffer, letter: string): string | undefined {
  return wordsOf(flags)
    .find((word) => word.startsWith(letter))
    ?.slice(1);
}

/** The flags with this one replaced in place, or added behind, or taken out (`undefined`). */
export function withMetaFlag(flags: Buffer, letter: string, argument: string | undefined): Buffer {
  const words = wordsOf(flags);
  const at = words.findIndex((word) => word.startsWith(letter));
  if (argument === undefined) {
    if (at < 0) return flags;
    words.splice(at, 1);
  } else if (at < 0) {
    words.push(letter + argument);
  } else {
    words[at] = letter + argument;
  }
  return words.length === 0 ? NO_BYTES : Buffer.from(words.join(' '), 'latin1');
}
