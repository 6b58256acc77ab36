/** A protobuf-es message as the initializer of a generated builder. */
import type { DescField } from '@bufbuild/protobuf';
import { isReflectMessage, type ReflectMessage } from '@bufbuild/protobuf/reflect';
import { FieldOptions_JSType } from '@bufbuild/protobuf/wkt';
import { WireError } from '../errors.ts';
import { is64Bit, usedBy } from './read-view.ts';
import type { MessageDescription } from './schema.ts';
import { refuseUnknownInMessage, type UnknownFields } from './unknown-fields.ts';

/** The fields that are set, by the names that the builder has for them. */
export function fillInit(
  source: ReflectMessage,
  description: MessageDescription,
  unknown: UnknownFields,
): Record<string, unknown> {
  if (unknown === 'refuse') refuseUnknownInMessage(source);
  const init: Record<string, unknown> = {};
  for (const [index, field] of source.desc.fields.entries()) {
    const name = description.properties[index];
    if (name === undefined) throw new WireError('TYPE', `${description.typeName} has more fields than names`);
    if (source.isSet(field)) init[name] = fieldValue(source, field, description, unknown);
  }
  return init;
}

function fieldValue(
  source: ReflectMessage,
  field: DescField,
  description: MessageDescription,
  unknown: UnknownFields,
): unknown {
  if (field.fieldKind === 'list')
    return Array.from(source.get(field), (element) => single(field, description, element, unknown));
  if (field.fieldKind === 'map')
    return Array.from(source.get(field), ([key, value]) => [key, single(field, description, value, unknown)]);
  return single(field, description, source.get(field), unknown);
}

function single(
  field: DescField,
  description: MessageDescription,
  value: unknown,
  unknown: UnknownFields,
): unknown {
  if (isReflectMessage(value)) return fillInit(value, usedBy(description, field), unknown);
  if (!is64Bit(field) || field.fieldKind === 'map') return value;
  // JS_STRING makes strings of protobuf-es, JS_NUMBER numbers of ours.
  const big = BigInt(value as bigint | string | number);
  if (field.proto.options?.jstype !== FieldOptions_JSType.JS_NUMBER) return big;
  const number = Number(big);
  if (!Number.isSafeInteger(number))
    throw new WireError('RANGE', `${big} in ${field.parent.typeName}.${field.name} is not a safe integer`);
  return number;
}
