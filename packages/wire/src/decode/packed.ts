/**
 * Packed lists as typed arrays: over the message's own memory where the elements happen to be aligned there,
 * otherwise over a copy. `p` is the field's entry, 0 when it is absent.
 */
import { WireError } from '../errors.ts';
import { IS_LITTLE_ENDIAN } from './memory.ts';
import type { Message } from './message.ts';

const NO_INT32 = new Int32Array(0);
const NO_UINT32 = new Uint32Array(0);
const NO_FLOAT = new Float32Array(0);
const NO_DOUBLE = new Float64Array(0);
const NO_INT64 = new BigInt64Array(0);
const NO_UINT64 = new BigUint64Array(0);

/** What the elements are cut from: the memory itself when they are aligned there. */
function source(message: Message, place: number, bytes: number, align: number): [ArrayBufferLike, number] {
  const { memory } = message;
  const start = message.base + place;
  if (IS_LITTLE_ENDIAN && start % align === 0) return [memory.buffer, start];
  const copy = memory.u8.slice(start, start + bytes);
  if (!IS_LITTLE_ENDIAN) for (let at = 0; at < bytes; at += align) copy.subarray(at, at + align).reverse();
  return [copy.buffer, 0];
}

export function readInt32s(message: Message, p: number): Int32Array {
  if (p === 0) return NO_INT32;
  const count = message.uint32(p);
  const [buffer, at] = source(message, message.list(p, count, 4), count * 4, 4);
  return new Int32Array(buffer, at, count);
}

export function readUint32s(message: Message, p: number): Uint32Array {
  if (p === 0) return NO_UINT32;
  const count = message.uint32(p);
  const [buffer, at] = source(message, message.list(p, count, 4), count * 4, 4);
  return new Uint32Array(buffer, at, count);
}

export function readFloats(message: Message, p: number): Float32Array {
  if (p === 0) return NO_FLOAT;
  const count = message.uint32(p);
  const [buffer, at] = source(message, message.list(p, count, 4), count * 4, 4);
  return new Float32Array(buffer, at, count);
}

export function readDoubles(message: Message, p: number): Float64Array {
  if (p === 0) return NO_DOUBLE;
  const count = message.uint32(p);
  const [buffer, at] = source(message, message.list(p, count, 8), count * 8, 8);
  return new Float64Array(buffer, at, count);
}

export function readInt64s(message: Message, p: number): BigInt64Array {
  if (p === 0) return NO_INT64;
  const count = message.uint32(p);
  const [buffer, at] = source(message, message.list(p, count, 8), count * 8, 8);
  return new BigInt64Array(buffer, at, count);
}

export function readUint64s(message: Message, p: number): BigUint64Array {
  if (p === 0) return NO_UINT64;
  const count = message.uint32(p);
  const [buffer, at] = source(message, message.list(p, count, 8), count * 8, 8);
  return new BigUint64Array(buffer, at, count);
}

/** For `jstype = JS_NUMBER`: always a copy; throws `RANGE` for numbers beyond ±(2^53 − 1). */
export function readInt64Numbers(message: Message, p: number): Float64Array {
  return toNumbers(readInt64s(message, p));
}

export function readUint64Numbers(message: Message, p: number): Float64Array {
  return toNumbers(readUint64s(message, p));
}

export function readBools(message: Message, p: number): boolean[] {
  if (p === 0) return [];
  const count = message.uint32(p);
  const start = message.base + message.list(p, count, 1);
  return Array.from(message.memory.u8.subarray(start, start + count), (byte) => byte !== 0);
}

function toNumbers(values: BigInt64Array | BigUint64Array): Float64Array {
  const numbers = new Float64Array(values.length);
  for (let index = 0; index < values.length; index++) {
    const number = Number(values[index]);
    if (!Number.isSafeInteger(number)) throw new WireError('RANGE', `${values[index]} is not a safe integer`);
    numbers[index] = number;
  }
  return numbers;
}
