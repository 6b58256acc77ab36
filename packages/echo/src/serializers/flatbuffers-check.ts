/**
 * A verifier for messages of schema/echo.fbs, which flatbuffers has for other languages and not for this one.
 *
 * ```
 *   message   [u32 place of the root table] ...
 *   table     [i32 distance back to its vtable][ fields, each an offset ahead ]
 *   vtable    [u16 its bytes][u16 bytes of the table][u16 place of field 0, or 0][u16 ...]
 *   vector    [u32 elements][ elements ]
 * ```
 */
import { MessageCheck } from './message-check.ts';

const OFFSET_BYTES = 4;
const VTABLE_HEAD_BYTES = 4;

/** The fields of the tables, by their index in the vtable. */
export const VAL: number = 0;
export const VALS: number = 1;
export const LEFT: number = 2;
export const RIGHT: number = 3;
/** Of the table that stands between a vector and its vectors. */
export const DATA: number = 0;

export function checkFlatbuffers(message: Uint8Array): void {
  const check = new MessageCheck('flatbuffers', message);
  check.take(0, OFFSET_BYTES);
  checkEcho(check, check.view.getUint32(0, true), 0);
}

function checkEcho(check: MessageCheck, table: number, depth: number): void {
  check.enter(depth);
  takeTable(check, table);
  takeBytes(check, target(check, table, VAL));
  const vals = target(check, table, VALS);
  if (vals !== 0) {
    const count = takeVector(check, vals, OFFSET_BYTES);
    for (let index = 0; index < count; index++) {
      const element = vals + OFFSET_BYTES * (index + 1);
      const value = element + check.view.getUint32(element, true);
      takeTable(check, value);
      takeBytes(check, target(check, value, DATA));
    }
  }
  const left = target(check, table, LEFT);
  if (left !== 0) checkEcho(check, left, depth + 1);
  const right = target(check, table, RIGHT);
  if (right !== 0) checkEcho(check, right, depth + 1);
}

function takeTable(check: MessageCheck, table: number): void {
  check.take(table, OFFSET_BYTES);
  const vtable = table - check.view.getInt32(table, true);
  check.within(vtable, VTABLE_HEAD_BYTES);
  const bytes = check.view.getUint16(vtable, true);
  if (bytes < VTABLE_HEAD_BYTES) check.refuse('a vtable is too short');
  check.within(vtable, bytes);
}

/** Where a field leads, 0 when it is absent. */
function target(check: MessageCheck, table: number, field: number): number {
  const { view } = check;
  const vtable = table - view.getInt32(table, true);
  const entry = VTABLE_HEAD_BYTES + 2 * field;
  if (entry + 2 > view.getUint16(vtable, true)) return 0;
  const place = view.getUint16(vtable + entry, true);
  if (place === 0) return 0;
  check.within(table + place, OFFSET_BYTES);
  return table + place + view.getUint32(table + place, true);
}

function takeBytes(check: MessageCheck, vector: number): void {
  if (vector !== 0) takeVector(check, vector, 1);
}

function takeVector(check: MessageCheck, vector: number, elementBytes: number): number {
  check.take(vector, OFFSET_BYTES);
  const count = check.view.getUint32(vector, true);
  check.take(vector + OFFSET_BYTES, count * elementBytes);
  return count;
}
