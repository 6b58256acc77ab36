/**
 * ```
 * field = [ "optional" | "repeated" ] type name "=" number [ "[" option { "," option } "]" ] ";"
 * map   = "map" "<" keyType "," type ">" name "=" number [ options ] ";"
 * ```
 */
import { create } from '@bufbuild/protobuf';
import {
  type DescriptorProto,
  DescriptorProtoSchema,
  type FieldDescriptorProto,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FieldDescriptorProtoSchema,
  FieldOptionsSchema,
  MessageOptionsSchema,
} from '@bufbuild/protobuf/wkt';
import { FIELD_NUMBER_MAX } from '../limits.ts';
import type { Token } from './lexer.ts';
import { mapEntryName } from './names.ts';
import { applyOption, optionText, parseOption } from './options.ts';
import type { ParseContext, Path } from './parse-context.ts';
import type { TokenStream } from './token-stream.ts';

const SCALARS: ReadonlyMap<string, FieldDescriptorProto_Type> = new Map([
  ['double', FieldDescriptorProto_Type.DOUBLE],
  ['float', FieldDescriptorProto_Type.FLOAT],
  ['int64', FieldDescriptorProto_Type.INT64],
  ['uint64', FieldDescriptorProto_Type.UINT64],
  ['int32', FieldDescriptorProto_Type.INT32],
  ['fixed64', FieldDescriptorProto_Type.FIXED64],
  ['fixed32', FieldDescriptorProto_Type.FIXED32],
  ['bool', FieldDescriptorProto_Type.BOOL],
  ['string', FieldDescriptorProto_Type.STRING],
  ['bytes', FieldDescriptorProto_Type.BYTES],
  ['uint32', FieldDescriptorProto_Type.UINT32],
  ['sfixed32', FieldDescriptorProto_Type.SFIXED32],
  ['sfixed64', FieldDescriptorProto_Type.SFIXED64],
  ['sint32', FieldDescriptorProto_Type.SINT32],
  ['sint64', FieldDescriptorProto_Type.SINT64],
]);
const NO_MAP_KEYS: ReadonlySet<string> = new Set(['double', 'float', 'bytes']);

/** Where fields may stand; it decides which labels there are. */
export type FieldHome = 'message' | 'oneof' | 'extend';

/** Parses one field; what the message must add for it (the entry type of a map) goes into `message`. */
export function parseField(
  context: ParseContext,
  path: Path,
  home: FieldHome,
  message: DescriptorProto | undefined,
): FieldDescriptorProto {
  const { tokens } = context;
  const location = context.open(path);
  const field = create(FieldDescriptorProtoSchema, { label: FieldDescriptorProto_Label.OPTIONAL });
  parseLabel(context, field, home);
  const typeToken = tokens.current;
  if (tokens.is('map') && tokens.following.text === '<') {
    parseMap(context, field, home, message);
  } else {
    parseType(context, field);
  }
  if (typeToken.text === 'group' && tokens.following.text === '=')
    tokens.fail('groups are not supported; use a message', typeToken, 'UNSUPPORTED');
  const nameToken = tokens.takeName('the name of a field');
  field.name = nameToken.text;
  context.places.setName(field, tokens.place(nameToken));
  context.places.setType(field, tokens.place(typeToken));
  tokens.take('=');
  field.number = tokens.takeInteger('a field number', 1, FIELD_NUMBER_MAX);
  if (tokens.tryTake('[')) parseFieldOptions(context, field);
  if (message !== undefined) nameMapEntry(context, field, message);
  context.attach(location, tokens.takeEnd(';', '";" after the field'));
  context.close(location);
  return field;
}

function parseLabel(context: ParseContext, field: FieldDescriptorProto, home: FieldHome): void {
  const { tokens } = context;
  if (tokens.is('required'))
    tokens.fail('required fields belong to proto2, which is not supported', tokens.current, 'UNSUPPORTED');
  if (!tokens.is('optional') && !tokens.is('repeated')) return;
  if (home === 'oneof')
    tokens.fail(`a field of a oneof cannot be ${tokens.current.text}`, tokens.current, 'INVALID');
  if (tokens.next().text === 'optional') {
    if (home === 'message') field.proto3Optional = true;
  } else {
    field.label = FieldDescriptorProto_Label.REPEATED;
  }
}

function parseType(context: ParseContext, field: FieldDescriptorProto): void {
  const scalar = SCALARS.get(context.tokens.current.text);
  if (scalar !== undefined) {
    context.tokens.next();
    field.type = scalar;
    return;
  }
  // Whether it is a message or an enum is known when names are resolved.
  field.typeName = context.tokens.takeTypeName('the type of a field').name;
}

function parseMap(
  context: ParseContext,
  field: FieldDescriptorProto,
  home: FieldHome,
  message: DescriptorProto | undefined,
): void {
  const tokens: TokenStream = context.tokens;
  const start = tokens.take('map');
  if (message === undefined || home !== 'message')
    tokens.fail(`a map cannot stand in ${home === 'oneof' ? 'a oneof' : 'extensions'}`, start, 'INVALID');
  if (field.proto3Optional || field.label === FieldDescriptorProto_Label.REPEATED)
    tokens.fail('a map has no label', start, 'INVALID');
  tokens.take('<');
  const keyToken = tokens.takeName('the type of the keys');
  const keyType = SCALARS.get(keyToken.text);
  if (keyType === undefined || NO_MAP_KEYS.has(keyToken.text))
    tokens.fail('the keys of a map are integers, bools or strings', keyToken, 'INVALID');
  tokens.take(',');
  const label = FieldDescriptorProto_Label.OPTIONAL;
  const key = create(FieldDescriptorProtoSchema, {
    name: 'key',
    number: 1,
    label,
    type: keyType,
    jsonName: 'key',
  });
  const value = create(FieldDescriptorProtoSchema, { name: 'value', number: 2, label, jsonName: 'value' });
  context.places.setType(value, tokens.place());
  parseType(context, value);
  tokens.take('>');
  const entry = create(DescriptorProtoSchema, {
    field: [key, value],
    options: create(MessageOptionsSchema, { mapEntry: true }),
  });
  message.nestedType.push(entry);
  field.label = FieldDescriptorProto_Label.REPEATED;
  field.type = FieldDescriptorProto_Type.MESSAGE;
  field.typeName = '';
}

/** The entry type of a map is named after the field, whose name comes after the type. */
function nameMapEntry(context: ParseContext, field: FieldDescriptorProto, message: DescriptorProto): void {
  if (field.type !== FieldDescriptorProto_Type.MESSAGE || field.typeName !== '') return;
  const entry = message.nestedType.at(-1);
  if (entry === undefined) return;
  entry.name = mapEntryName(field.name);
  field.typeName = entry.name;
  context.places.setName(entry, context.places.ofName(field));
}

function parseFieldOptions(context: ParseContext, field: FieldDescriptorProto): void {
  const { tokens } = context;
  do {
    const option = parseOption(tokens);
    if (option.name === 'json_name' && !option.isCustom) {
      if (field.jsonName !== '') tokens.fail('json_name is set twice', option.token, 'OPTION');
      field.jsonName = optionText(tokens, option);
      refuseJsonName(context, field, option.valueToken);
    } else if (option.name === 'default' && !option.isCustom) {
      tokens.fail('default values belong to proto2, which is not supported', option.token, 'UNSUPPORTED');
    } else {
      const options = applyOption(tokens, option, FieldOptionsSchema, field.options);
      if (options !== undefined) field.options = options;
    }
  } while (tokens.tryTake(','));
  tokens.take(']');
}

function refuseJsonName(context: ParseContext, field: FieldDescriptorProto, token: Token): void {
  if (field.jsonName.includes('\0'))
    context.tokens.fail('a json_name cannot contain a zero character', token, 'OPTION');
  if (/^\[.*\]$/s.test(field.jsonName))
    context.tokens.fail('a json_name in brackets is kept for extensions', token, 'OPTION');
}
