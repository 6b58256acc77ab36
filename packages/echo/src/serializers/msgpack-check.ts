/**
 * A check that a message is what msgpackr writes for an echo message, and nothing else of what it could read:
 * messages may also define records for those that follow, and claim arrays of any length.
 *
 * ```
 *   message   0x40 (the record of four fields) · val: nil or bin · vals: nil or array of bin · left, right: nil or message
 * ```
 */
import { MessageCheck } from './message-check.ts';

/** The first of the records that both sides know. */
const RECORD = 0x40;
const NIL = 0xc0;
const BIN_8 = 0xc4;
const BIN_16 = 0xc5;
const BIN_32 = 0xc6;
const FIXED_ARRAY = 0x90;
const FIXED_ARRAY_MASK = 0xf0;
const ARRAY_16 = 0xdc;
const ARRAY_32 = 0xdd;

export function checkMsgpack(message: Uint8Array): void {
  const check = new MessageCheck('msgpackr', message);
  if (afterMessage(check, 0, 0) !== message.length) check.refuse('something follows it');
}

function token(check: MessageCheck, at: number): number {
  check.within(at, 1);
  return check.view.getUint8(at);
}

function afterMessage(check: MessageCheck, start: number, depth: number): number {
  check.enter(depth);
  if (token(check, start) !== RECORD) check.refuse('a record is another one');
  let at = start + 1;
  at = token(check, at) === NIL ? at + 1 : afterBin(check, at);
  at = token(check, at) === NIL ? at + 1 : afterBins(check, at);
  at = token(check, at) === NIL ? at + 1 : afterMessage(check, at, depth + 1);
  return token(check, at) === NIL ? at + 1 : afterMessage(check, at, depth + 1);
}

/** The number that stands behind a token. */
function unsigned(check: MessageCheck, at: number, bytes: number): number {
  check.within(at, bytes);
  if (bytes === 1) return check.view.getUint8(at);
  return bytes === 2 ? check.view.getUint16(at) : check.view.getUint32(at);
}

function afterBin(check: MessageCheck, start: number): number {
  const kind = token(check, start);
  if (kind < BIN_8 || kind > BIN_32) check.refuse('a buffer is something else');
  const lengthBytes = kind === BIN_8 ? 1 : kind === BIN_16 ? 2 : 4;
  const bytes = unsigned(check, start + 1, lengthBytes);
  const at = start + 1 + lengthBytes;
  check.within(at, bytes);
  return at + bytes;
}

function afterBins(check: MessageCheck, start: number): number {
  const kind = token(check, start);
  let at = start + 1;
  let count = kind - FIXED_ARRAY;
  if (kind === ARRAY_16 || kind === ARRAY_32) {
    const lengthBytes = kind === ARRAY_16 ? 2 : 4;
    count = unsigned(check, at, lengthBytes);
    at += lengthBytes;
  } else if ((kind & FIXED_ARRAY_MASK) !== FIXED_ARRAY) {
    check.refuse('a list is something else');
  }
  for (let index = 0; index < count; index++) at = afterBin(check, at);
  return at;
}
