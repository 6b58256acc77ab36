/** A field as code is made of it: which of the few shapes it has, its names and its types. */
import {
  type DescEnum,
  type DescField,
  type DescMessage,
  type DescOneof,
  ScalarType,
} from '@bufbuild/protobuf';
import type { Printable } from '@bufbuild/protoplugin';
import type { MemberNames, StorageNames } from './member-names.ts';
import { INT32, type NumberType, numberTypeOf } from './number-types.ts';

/** A single value: of a field, of a list's elements, of a map's keys or values. */
export type ValueModel =
  | { readonly kind: 'number'; readonly number: NumberType; readonly enum: DescEnum | undefined }
  | { readonly kind: 'data'; readonly isText: boolean }
  | { readonly kind: 'message'; readonly message: DescMessage };

export type FieldShape = 'single' | 'list' | 'map';

export interface FieldModel {
  readonly desc: DescField;
  /** The property. */
  readonly name: string;
  /** Number of its bit in the bitmap. */
  readonly bit: number;
  readonly shape: FieldShape;
  /** The value, the elements, or the map's values. */
  readonly value: ValueModel;
  /** The map's keys. */
  readonly key: ValueModel | undefined;
  /** Proto3 `optional`, or a member of a oneof: absent is not the same as zero or empty. */
  readonly isOptional: boolean;
  readonly oneof: DescOneof | undefined;
  readonly storage: StorageNames;
}

/** Resolves what other messages and enums are called in the file that is being generated. */
export interface TypeReferences {
  builder(message: DescMessage): Printable;
  init(message: DescMessage): Printable;
  view(message: DescMessage): Printable;
  enum(type: DescEnum): Printable;
}

export function fieldModel(field: DescField, names: MemberNames): FieldModel {
  const common = {
    desc: field,
    name: names.field(field),
    bit: field.number - 1,
    isOptional: field.fieldKind !== 'list' && field.fieldKind !== 'map' && isOptional(field),
    oneof: field.oneof,
    storage: names.storage(field),
  };
  if (field.fieldKind === 'map') {
    const value = valueModel(field.mapKind, field);
    return { ...common, shape: 'map', value, key: scalarModel(field.mapKey, field) };
  }
  if (field.fieldKind === 'list')
    return { ...common, shape: 'list', value: valueModel(field.listKind, field), key: undefined };
  return { ...common, shape: 'single', value: valueModel(field.fieldKind, field), key: undefined };
}

function isOptional(field: DescField): boolean {
  return field.oneof !== undefined || field.proto.proto3Optional;
}

function valueModel(kind: 'scalar' | 'enum' | 'message', field: DescField): ValueModel {
  if (kind === 'message') return { kind, message: field.message! };
  if (kind === 'enum') return { kind: 'number', number: INT32, enum: field.enum! };
  return scalarModel(field.scalar!, field);
}

function scalarModel(scalar: ScalarType, field: DescField): ValueModel {
  const number = numberTypeOf(scalar, field);
  if (number !== undefined) return { kind: 'number', number, enum: undefined };
  return { kind: 'data', isText: scalar === ScalarType.STRING };
}

/** What is read. */
export function readType(value: ValueModel, types: TypeReferences): Printable {
  if (value.kind === 'message') return types.view(value.message);
  return plainType(value, types);
}

/** What may be written, other than messages. */
export function writeType(value: ValueModel, types: TypeReferences): Printable {
  if (value.kind === 'data') return value.isText ? 'string | Uint8Array' : 'Uint8Array | string';
  if (value.kind === 'message')
    return [types.builder(value.message), ' | ', types.view(value.message), ' | ', types.init(value.message)];
  return plainType(value, types);
}

/** Numbers, strings and bytes. */
export function plainType(value: ValueModel, types: TypeReferences): Printable {
  if (value.kind === 'number') return value.enum === undefined ? value.number.type : types.enum(value.enum);
  if (value.kind === 'data') return value.isText ? 'string' : 'Uint8Array';
  return types.view(value.message);
}

/** The type that an initializer, and a setter, takes for the whole field. */
export function initType(field: FieldModel, types: TypeReferences): Printable {
  const { value } = field;
  if (field.shape === 'single') return writeType(value, types);
  if (field.shape === 'map') {
    const key = plainType(field.key!, types);
    const one = value.kind === 'message' ? writeType(value, types) : plainType(value, types);
    return ['Iterable<readonly [', key, ', ', one, ']>'];
  }
  if (value.kind === 'number') return ['ArrayLike<', plainType(value, types), '>'];
  return ['Iterable<', writeType(value, types), '>'];
}

/** The runtime's codec for keys or values of a map. */
export function codec(value: ValueModel): string {
  if (value.kind === 'number') return `wire.${value.number.name}Codec`;
  return value.kind === 'data' && value.isText ? 'wire.stringCodec' : 'wire.bytesCodec';
}
