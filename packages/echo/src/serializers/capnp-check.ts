/**
 * A check of messages of schema/echo.capnp in one segment without its framing header. Words have 8 bytes.
 *
 * ```
 *   struct pointer   [2 bits 0][30 bits: words ahead][u16 data words][u16 pointers]
 *   list pointer     [2 bits 1][30 bits: words ahead][3 bits: size of elements][29 bits: elements, or words]
 *   list of structs  [word like a struct pointer: elements, and their size][ elements ]
 * ```
 *
 * Structs must have the pointers of the schema (a reader that misses some would make room for them in the message),
 * and may have more of everything.
 */
import { MessageCheck } from './message-check.ts';

const WORD_BYTES = 8;
const STRUCT = 0;
const LIST = 1;
const BYTE_ELEMENTS = 2;
const STRUCT_ELEMENTS = 7;

/** The pointers of the structs, by their index. */
export const VAL: number = 0;
export const VALS: number = 1;
export const LEFT: number = 2;
export const RIGHT: number = 3;
export const ECHO_POINTERS: number = 4;
/** Of the struct that stands for an element of a list. */
export const DATA: number = 0;
export const VALUE_POINTERS: number = 1;

export function checkCapnp(message: Uint8Array): void {
  if (message.length % WORD_BYTES !== 0) new MessageCheck('capnp-es', message).refuse('it is cut');
  const check = new MessageCheck('capnp-es', message);
  check.take(0, WORD_BYTES);
  if (isNull(check, 0)) check.refuse('it has no root');
  checkEcho(check, 0, 0);
}

function checkEcho(check: MessageCheck, pointer: number, depth: number): void {
  check.enter(depth);
  const { view } = check;
  if ((view.getUint32(pointer, true) & 3) !== STRUCT) check.refuse('a struct is none');
  const dataBytes = view.getUint16(pointer + 4, true) * WORD_BYTES;
  const pointers = view.getUint16(pointer + 6, true);
  if (pointers < ECHO_POINTERS) check.refuse('a struct is too short');
  const content = contentOf(check, pointer);
  check.take(content, dataBytes + pointers * WORD_BYTES);
  const first = content + dataBytes;
  takeData(check, first + VAL * WORD_BYTES);
  takeVals(check, first + VALS * WORD_BYTES);
  for (const child of [first + LEFT * WORD_BYTES, first + RIGHT * WORD_BYTES]) {
    if (!isNull(check, child)) checkEcho(check, child, depth + 1);
  }
}

function isNull(check: MessageCheck, pointer: number): boolean {
  return check.view.getUint32(pointer, true) === 0 && check.view.getUint32(pointer + 4, true) === 0;
}

function contentOf(check: MessageCheck, pointer: number): number {
  return pointer + WORD_BYTES + (check.view.getInt32(pointer, true) >> 2) * WORD_BYTES;
}

/** What a list pointer says in its second half: elements, or words when they are structs. */
function listLength(check: MessageCheck, pointer: number, elementSize: number): number {
  const { view } = check;
  const word = view.getUint32(pointer + 4, true);
  if ((view.getUint32(pointer, true) & 3) !== LIST || (word & 7) !== elementSize) {
    check.refuse('a list is of another kind');
  }
  return word >>> 3;
}

function takeData(check: MessageCheck, pointer: number): void {
  if (isNull(check, pointer)) return;
  check.take(contentOf(check, pointer), listLength(check, pointer, BYTE_ELEMENTS));
}

function takeVals(check: MessageCheck, pointer: number): void {
  if (isNull(check, pointer)) return;
  const { view } = check;
  const bytes = listLength(check, pointer, STRUCT_ELEMENTS) * WORD_BYTES;
  const tag = contentOf(check, pointer);
  check.take(tag, WORD_BYTES + bytes);
  const count = view.getInt32(tag, true) >> 2;
  const dataBytes = view.getUint16(tag + 4, true) * WORD_BYTES;
  const pointers = view.getUint16(tag + 6, true);
  const elementBytes = dataBytes + pointers * WORD_BYTES;
  if (pointers < VALUE_POINTERS || (view.getUint32(tag, true) & 3) !== STRUCT) {
    check.refuse('elements of a list are too short');
  }
  if (count < 0 || count * elementBytes > bytes) check.refuse('a list is longer than itself');
  for (let index = 0; index < count; index++) {
    takeData(check, tag + WORD_BYTES + index * elementBytes + dataBytes + DATA * WORD_BYTES);
  }
}
