/**
 * Composes request lines into any buffer, for clients and routers whose memory is not an arena. Keys are copied
 * and checked in one pass: a key that is none makes the function return -1, and nothing of what was written may
 * then be sent. No line takes more room than `REQUEST_LINE_BYTES_MAX`, data blocks not counted.
 *
 * ```
 *   retrievals   <word>[ <exptime>]( <key>)+\r\n          one by one: beginRetrieval, addKey …, putLineEnd
 *   storage      <word> <key> <flags> <exptime> <bytes>[ <cas>]\r\n<data>\r\n
 *                lease-set <key> <token> <flags> <exptime> <bytes>\r\n<data>\r\n
 *   changes      delete <key>[ <hold-off>]\r\n    touch <key> <exptime>\r\n    incr|decr <key> <delta>\r\n
 *   meta         mg|md|ma <key>[ <flags>]\r\n     ms <key> <bytes>[ <flags>]\r\n<data>\r\n
 * ```
 */
import { KEY_BYTES_MAX, LINE_BYTES_MAX, U64_DIGITS_MAX } from '../limits.ts';
import { putKey, putLineEnd, putNumber, putSpace, putWide, putWord, putWords, wordBytes } from './put.ts';

/** Room for any line but a retrieval of many keys: the longest meta line that a server takes. */
export const REQUEST_LINE_BYTES_MAX: number = LINE_BYTES_MAX + 2;
/** Room for one more key of a retrieval, and for the line's end. */
export const RETRIEVAL_KEY_BYTES_MAX: number = 1 + KEY_BYTES_MAX + 2;

const WORD_DELETE = wordBytes('delete ');
const WORD_TOUCH = wordBytes('touch ');
const WORD_LEASE_SET = wordBytes('lease-set ');

/** `get`, or `gat` with its time. */
export function beginRetrieval(
  target: Buffer,
  at: number,
  word: Buffer,
  exptime: number | undefined,
): number {
  const next = putWord(target, at, word);
  return exptime === undefined ? next : putNumber(target, putSpace(target, next), exptime);
}

/** One more key, from [start, end) of `source`. */
export function addKey(target: Buffer, at: number, source: Buffer, start: number, end: number): number {
  target[at] = 0x20;
  return putKey(target, at + 1, source, start, end);
}

/** A storage line. `word` ends with its space; `cas` is 0n where the command has none. The data block follows. */
export function putStore(
  target: Buffer,
  at: number,
  word: Buffer,
  source: Buffer,
  start: number,
  end: number,
  flags: number,
  exptime: number,
  valueBytes: number,
  cas: bigint | undefined,
): number {
  let next = putKey(target, putWord(target, at, word), source, start, end);
  if (next < 0) return -1;
  next = putNumber(target, putSpace(target, next), flags);
  next = putNumber(target, putSpace(target, next), exptime);
  next = putNumber(target, putSpace(target, next), valueBytes);
  if (cas !== undefined) next = putWide(target, putSpace(target, next), cas);
  return putLineEnd(target, next);
}

/** `lease-set`; the data block follows. */
export function putLeaseSet(
  target: Buffer,
  at: number,
  source: Buffer,
  start: number,
  end: number,
  token: bigint,
  flags: number,
  exptime: number,
  valueBytes: number,
): number {
  let next = putKey(target, putWord(target, at, WORD_LEASE_SET), source, start, end);
  if (next < 0) return -1;
  next = putWide(target, putSpace(target, next), token);
  next = putNumber(target, putSpace(target, next), flags);
  next = putNumber(target, putSpace(target, next), exptime);
  next = putNumber(target, putSpace(target, next), valueBytes);
  return putLineEnd(target, next);
}

/** `delete`; a hold-off of 0 is left out. */
export function putDelete(
  target: Buffer,
  at: number,
  source: Buffer,
  start: number,
  end: number,
  holdOffSeconds: number,
): number {
  let next = putKey(target, putWord(target, at, WORD_DELETE), source, start, end);
  if (next < 0) return -1;
  if (holdOffSeconds > 0) next = putNumber(target, putSpace(target, next), holdOffSeconds);
  return putLineEnd(target, next);
}

export function putTouch(
  target: Buffer,
  at: number,
  source: Buffer,
  start: number,
  end: number,
  exptime: number,
): number {
  const next = putKey(target, putWord(target, at, WORD_TOUCH), source, start, end);
  return next < 0 ? -1 : putLineEnd(target, putNumber(target, putSpace(target, next), exptime));
}

/** `incr ` or `decr ` with its delta. */
export function putArithmetic(
  target: Buffer,
  at: number,
  word: Buffer,
  source: Buffer,
  start: number,
  end: number,
  delta: bigint,
): number {
  const next = putKey(target, putWord(target, at, word), source, start, end);
  return next < 0 ? -1 : putLineEnd(target, putWide(target, putSpace(target, next), delta));
}

/**
 * `mg `, `md `, `ma ` (`valueBytes` undefined) or `ms ` with its flags; -1 also when they hold a control
 * character or the line would be longer than a server takes.
 */
export function putMeta(
  target: Buffer,
  at: number,
  word: Buffer,
  source: Buffer,
  start: number,
  end: number,
  valueBytes: number | undefined,
  flags: Buffer,
): number {
  if (end - start + flags.length + U64_DIGITS_MAX + 8 > LINE_BYTES_MAX) return -1;
  let next = putKey(target, putWord(target, at, word), source, start, end);
  if (next < 0) return -1;
  if (valueBytes !== undefined) next = putNumber(target, putSpace(target, next), valueBytes);
  if (flags.length > 0) {
    next = putWords(target, putSpace(target, next), flags);
    if (next < 0) return -1;
  }
  return putLineEnd(target, next);
}
