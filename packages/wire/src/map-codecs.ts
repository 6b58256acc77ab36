/**
 * How the keys and values of maps lie in their entries. A map is a list of pairs of entries, each as it would
 * be in a header; one small object per type says how to write and to read it.
 */

import type { Message } from './decode/message.ts';
import * as numbers from './encode/numbers.ts';

/** `T` as an entry of 8 bytes. Codecs without `put` are staged: bytes and text. */
export interface MapCodec<T> {
  readonly put?: (view: DataView, p: number, value: T) => void;
  readonly read: (message: Message, p: number) => T;
}

export const boolCodec: MapCodec<boolean> = { put: numbers.putBool, read: (message, p) => message.bool(p) };
export const int32Codec: MapCodec<number> = { put: numbers.putInt32, read: (message, p) => message.int32(p) };
export const uint32Codec: MapCodec<number> = {
  put: numbers.putUint32,
  read: (message, p) => message.uint32(p),
};
export const floatCodec: MapCodec<number> = { put: numbers.putFloat, read: (message, p) => message.float(p) };
export const doubleCodec: MapCodec<number> = {
  put: numbers.putDouble,
  read: (message, p) => message.double(p),
};
export const int64Codec: MapCodec<bigint> = { put: numbers.putInt64, read: (message, p) => message.int64(p) };
export const uint64Codec: MapCodec<bigint> = {
  put: numbers.putUint64,
  read: (message, p) => message.uint64(p),
};
export const int64NumberCodec: MapCodec<number> = {
  put: numbers.putInt64Number,
  read: (message, p) => message.int64Number(p),
};
export const uint64NumberCodec: MapCodec<number> = {
  put: numbers.putUint64Number,
  read: (message, p) => message.uint64Number(p),
};
export const stringCodec: MapCodec<string> = { read: (message, p) => message.string(p) };
export const bytesCodec: MapCodec<Uint8Array> = { read: (message, p) => message.bytesAt(p) };

/** For the values of a map of messages, on the reading side. */
export function viewCodec<V>(
  make: new (message: Message, at: number, depth: number) => V,
  depth: number,
): MapCodec<V> {
  return { read: (message, p) => new make(message, message.object(p), depth) };
}
