/** A view as a protobuf-es message: field by field, through the getters of the generated class. */
import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { type ReflectMessage, reflect } from '@bufbuild/protobuf/reflect';
import { BytesListView, MessageListView, StringListView } from '../decode/lists.ts';
import { MapView } from '../decode/map-view.ts';
import { View } from '../decode/view.ts';
import { WireError } from '../errors.ts';
import type { MessageDescription } from './schema.ts';
import { refuseUnknownInView, type UnknownFields } from './unknown-fields.ts';

/** Reads all fields of a view; hostile messages throw `WireError`, as the getters do. */
export function readView(
  desc: DescMessage,
  description: MessageDescription,
  view: View,
  unknown: UnknownFields,
): ReflectMessage {
  if (unknown === 'refuse') refuseUnknownInView(desc, view);
  const target = reflect(desc);
  for (const [index, field] of desc.fields.entries()) {
    const value: unknown = Reflect.get(view, description.properties[index] ?? '');
    if (value !== undefined) setField(target, field, description, value, unknown);
  }
  return target;
}

function setField(
  target: ReflectMessage,
  field: DescField,
  description: MessageDescription,
  value: unknown,
  unknown: UnknownFields,
): void {
  if (field.fieldKind === 'list') {
    const list = target.get(field);
    for (const element of elementsOf(value)) list.add(single(field, description, element, unknown));
  } else if (field.fieldKind === 'map') {
    const map = target.get(field);
    if (!(value instanceof MapView)) throw shapeError(field);
    for (const [key, element] of value) map.set(key as string, single(field, description, element, unknown));
  } else if (!isImplicitDefault(field, value)) {
    target.set(field, single(field, description, value, unknown));
  }
}

/** Setting it would be harmless, but for a oneof or `optional` it would not be the same. */
function isImplicitDefault(field: DescField, value: unknown): boolean {
  if (field.fieldKind === 'message' || field.oneof !== undefined || field.proto.proto3Optional) return false;
  return value === false || value === '' || value === 0n || Object.is(value, 0);
}

function elementsOf(value: unknown): Iterable<unknown> {
  if (value instanceof StringListView || value instanceof BytesListView || value instanceof MessageListView)
    return value;
  // Packed lists are arrays or typed arrays.
  return value as Iterable<unknown>;
}

/** One value in the form that reflection takes. */
function single(
  field: DescField,
  description: MessageDescription,
  value: unknown,
  unknown: UnknownFields,
): unknown {
  if (field.message !== undefined) {
    if (!(value instanceof View)) throw shapeError(field);
    return readView(field.message, usedBy(description, field), value, unknown);
  }
  // `jstype = JS_NUMBER` is a matter of the generated code; descriptors want 64 bits as they are.
  return typeof value === 'number' && is64Bit(field) ? BigInt(value) : value;
}

/** The description of the message that a field has. */
export function usedBy(description: MessageDescription, field: DescField): MessageDescription {
  const name = field.message?.typeName;
  const found = description.uses().find((each) => each.typeName === name);
  if (found === undefined)
    throw new WireError('TYPE', `${description.typeName} does not describe ${String(name)}`);
  return found;
}

export function is64Bit(field: DescField): boolean {
  switch (field.scalar) {
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.SINT64:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return true;
    default:
      return false;
  }
}

function shapeError(field: DescField): WireError {
  return new WireError('TYPE', `${field.parent.typeName}.${field.name} is not what its descriptor says`);
}
