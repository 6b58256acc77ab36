/** Packed lists of numbers, and checks of single ones, on their way to the wire. */
import { IS_LITTLE_ENDIAN } from '../decode/memory.ts';
import { WireError } from '../errors.ts';
import type { Encoder } from './encoder.ts';
import type { LivePlaces } from './live-places.ts';

function rangeError(value: number | bigint, type: string): WireError {
  return new WireError('RANGE', `${value} does not fit ${type}`);
}

/** For what is not the number it should be, whatever it is. */
function misfit(value: unknown, type: string): WireError {
  return typeof value === 'number' ? rangeError(value, type) : typeError(value, type);
}

/** Writes single numbers as entries of 8 bytes, and throws `RANGE` for those that do not fit. */
export function putUint32(view: DataView, p: number, value: number): void {
  if (typeof value !== 'number' || value >>> 0 !== value) throw misfit(value, 'uint32');
  view.setUint32(p, value, true);
  view.setInt32(p + 4, 0, true);
}

export function putInt32(view: DataView, p: number, value: number): void {
  if (typeof value !== 'number' || (value | 0) !== value) throw misfit(value, 'int32');
  view.setInt32(p, value, true);
  view.setInt32(p + 4, 0, true);
}

export function putBool(view: DataView, p: number, value: boolean): void {
  view.setInt32(p, value ? 1 : 0, true);
  view.setInt32(p + 4, 0, true);
}

export function putFloat(view: DataView, p: number, value: number): void {
  if (typeof value !== 'number') throw typeError(value, 'float');
  view.setFloat32(p, value, true);
  view.setInt32(p + 4, 0, true);
}

export function putDouble(view: DataView, p: number, value: number): void {
  if (typeof value !== 'number') throw typeError(value, 'double');
  view.setFloat64(p, value, true);
}

export function putInt64(view: DataView, p: number, value: bigint): void {
  if (typeof value !== 'bigint') throw typeError(value, 'int64');
  if (BigInt.asIntN(64, value) !== value) throw rangeError(value, 'int64');
  view.setBigInt64(p, value, true);
}

export function putUint64(view: DataView, p: number, value: bigint): void {
  if (typeof value !== 'bigint') throw typeError(value, 'uint64');
  if (BigInt.asUintN(64, value) !== value) throw rangeError(value, 'uint64');
  view.setBigUint64(p, value, true);
}

/** 64-bit fields with `jstype = JS_NUMBER`. */
export function putInt64Number(view: DataView, p: number, value: number): void {
  if (!Number.isSafeInteger(value)) throw rangeError(value, 'int64 as a number');
  view.setUint32(p, value >>> 0, true);
  view.setInt32(p + 4, Math.floor(value / 4_294_967_296), true);
}

export function putUint64Number(view: DataView, p: number, value: number): void {
  if (!(Number.isSafeInteger(value) && value >= 0)) throw rangeError(value, 'uint64 as a number');
  view.setUint32(p, value >>> 0, true);
  view.setUint32(p + 4, Math.floor(value / 4_294_967_296), true);
}

/** Element types of packed lists; the bytes of one element are its alignment. */
export type PackedType =
  | 'bool'
  | 'int32'
  | 'uint32'
  | 'float'
  | 'double'
  | 'int64'
  | 'uint64'
  | 'int64Number'
  | 'uint64Number';

const ELEMENT_BYTES: Readonly<Record<PackedType, number>> = {
  bool: 1,
  int32: 4,
  uint32: 4,
  float: 4,
  double: 8,
  int64: 8,
  uint64: 8,
  int64Number: 8,
  uint64Number: 8,
};

const ARRAYS = {
  int32: Int32Array,
  uint32: Uint32Array,
  float: Float32Array,
  double: Float64Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
} as const;

export type PackedValues = ArrayLike<number> | ArrayLike<bigint> | ArrayLike<boolean>;

/**
 * Stages a packed list: typed arrays of the right type as they are (by reference when they are large and lie
 * in the arena), everything else element by element. Returns the place; `encoder.size` is the element count.
 */
export function stagePacked(encoder: Encoder, type: PackedType, values: PackedValues): number {
  const count = values.length;
  const place = isOfType(type, values)
    ? encoder.stageAligned(
        new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
        ELEMENT_BYTES[type],
      )
    : stageElements(encoder, type, values);
  encoder.size = count;
  return place;
}

/** What `peekPacked` returns. */
export interface PackedArrays {
  bool: boolean[];
  int32: Int32Array;
  uint32: Uint32Array;
  float: Float32Array;
  double: Float64Array;
  int64: BigInt64Array;
  uint64: BigUint64Array;
  int64Number: Float64Array;
  uint64Number: Float64Array;
}

/** A copy of a staged packed list. */
export function peekPacked<T extends PackedType>(
  encoder: Encoder,
  type: T,
  count: number,
  place: number,
): PackedArrays[T] {
  const bytes = encoder.peek(count * ELEMENT_BYTES[type], place);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const elements = Array.from({ length: count }, (_, index) => getElement(view, index, type));
  if (type === 'bool') return elements as boolean[] as PackedArrays[T];
  if (type === 'int64Number' || type === 'uint64Number') {
    return Float64Array.from(elements as number[]) as PackedArrays[T];
  }
  const make = ARRAYS[type as keyof typeof ARRAYS] as unknown as { from(values: unknown[]): PackedArrays[T] };
  return make.from(elements);
}

function getElement(view: DataView, index: number, type: PackedType): number | bigint | boolean {
  const p = index * ELEMENT_BYTES[type];
  switch (type) {
    case 'bool':
      return view.getUint8(p) !== 0;
    case 'int32':
      return view.getInt32(p, true);
    case 'uint32':
      return view.getUint32(p, true);
    case 'float':
      return view.getFloat32(p, true);
    case 'double':
      return view.getFloat64(p, true);
    case 'int64':
      return view.getBigInt64(p, true);
    case 'uint64':
      return view.getBigUint64(p, true);
    case 'int64Number':
      return Number(view.getBigInt64(p, true));
    case 'uint64Number':
      return Number(view.getBigUint64(p, true));
  }
}

/** Generated: stages a packed list in the place of another one, of which it may be a part. */
export function replacePacked(
  encoder: Encoder,
  type: PackedType,
  values: PackedValues,
  count: number,
  place: number,
): number {
  if (count === 0) return stagePacked(encoder, type, values);
  const kept = ArrayBuffer.isView(values) ? (values as Int32Array).slice() : values;
  encoder.drop(count * ELEMENT_BYTES[type], place);
  return stagePacked(encoder, type, kept);
}

/** Generated: tells what a packed list has staged. */
export function keepPacked(live: LivePlaces, type: PackedType, count: number, place: number): void {
  live.add(count * ELEMENT_BYTES[type], place);
}

function isOfType(type: PackedType, values: PackedValues): values is Int32Array<ArrayBuffer> {
  return IS_LITTLE_ENDIAN && type in ARRAYS && values instanceof ARRAYS[type as keyof typeof ARRAYS];
}

function stageElements(encoder: Encoder, type: PackedType, values: PackedValues): number {
  const { bump } = encoder;
  const elementBytes = ELEMENT_BYTES[type];
  const bytes = values.length * elementBytes;
  const at = encoder.reserveAligned(bytes, elementBytes);
  const { view } = bump.memory;
  for (let index = 0, p = at; index < values.length; index++, p += elementBytes) {
    putElement(view, p, type, values[index]!);
  }
  bump.cursor = at + bytes;
  return at - bump.start;
}

function putElement(view: DataView, p: number, type: PackedType, value: number | bigint | boolean): void {
  if (type === 'int64' || type === 'uint64') putWide(view, p, type, value);
  else if (type === 'bool') {
    if (typeof value !== 'boolean') throw typeError(value, type);
    view.setUint8(p, value ? 1 : 0);
  } else if (typeof value !== 'number') throw typeError(value, type);
  else if (type === 'float') view.setFloat32(p, value, true);
  else if (type === 'double') view.setFloat64(p, value, true);
  else if (type === 'int32') {
    if ((value | 0) !== value) throw rangeError(value, type);
    view.setInt32(p, value, true);
  } else if (type === 'uint32') {
    if (value >>> 0 !== value) throw rangeError(value, type);
    view.setUint32(p, value, true);
  } else {
    if (!Number.isSafeInteger(value) || (type === 'uint64Number' && value < 0)) throw rangeError(value, type);
    view.setUint32(p, value >>> 0, true);
    view.setInt32(p + 4, Math.floor(value / 4_294_967_296), true);
  }
}

function putWide(
  view: DataView,
  p: number,
  type: 'int64' | 'uint64',
  value: number | bigint | boolean,
): void {
  if (typeof value !== 'bigint') throw typeError(value, type);
  const wrapped = type === 'int64' ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value);
  if (wrapped !== value) throw rangeError(value, type);
  if (type === 'int64') view.setBigInt64(p, value, true);
  else view.setBigUint64(p, value, true);
}

function typeError(value: unknown, type: string): WireError {
  return new WireError('TYPE', `${typeof value} is not ${type}`);
}
