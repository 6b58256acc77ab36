/** How each scalar type of protobuf lies on the wire, and what the runtime calls the functions for it. */
import { type DescField, ScalarType } from '@bufbuild/protobuf';
import { FieldOptions_JSType } from '@bufbuild/protobuf/wkt';

/** A number, bool or enum: one entry by value. */
export interface NumberType {
  /** The runtime's word for it: `wire.putInt32`, `message.int32`, `wire.int32Codec`. */
  readonly name: string;
  /** Upper-case in the names of functions. */
  readonly title: string;
  /** The TypeScript type of one value; of an enum its name is used instead. */
  readonly type: string;
  readonly zero: string;
  /** What a packed list is read as, and the bytes of one element. */
  readonly array: string;
  readonly bytes: number;
}

function numberType(name: string, type: string, zero: string, array: string, bytes: number): NumberType {
  return { name, title: name.slice(0, 1).toUpperCase() + name.slice(1), type, zero, array, bytes };
}

const BOOL = numberType('bool', 'boolean', 'false', 'boolean[]', 1);
export const INT32: NumberType = numberType('int32', 'number', '0', 'Int32Array', 4);
const UINT32 = numberType('uint32', 'number', '0', 'Uint32Array', 4);
const FLOAT = numberType('float', 'number', '0', 'Float32Array', 4);
const DOUBLE = numberType('double', 'number', '0', 'Float64Array', 8);
const INT64 = numberType('int64', 'bigint', '0n', 'BigInt64Array', 8);
const UINT64 = numberType('uint64', 'bigint', '0n', 'BigUint64Array', 8);
const INT64_NUMBER = numberType('int64Number', 'number', '0', 'Float64Array', 8);
const UINT64_NUMBER = numberType('uint64Number', 'number', '0', 'Float64Array', 8);

/** Undefined for bytes and strings. `jstype = JS_NUMBER` makes numbers of 64-bit integers. */
export function numberTypeOf(scalar: ScalarType, field: DescField): NumberType | undefined {
  const asNumber = field.proto.options?.jstype === FieldOptions_JSType.JS_NUMBER;
  switch (scalar) {
    case ScalarType.BOOL:
      return BOOL;
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return INT32;
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return UINT32;
    case ScalarType.FLOAT:
      return FLOAT;
    case ScalarType.DOUBLE:
      return DOUBLE;
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return asNumber ? INT64_NUMBER : INT64;
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return asNumber ? UINT64_NUMBER : UINT64;
    default:
      return undefined;
  }
}
