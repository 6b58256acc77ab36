/**
 * ```
 * message  = "message" name "{" { field | map | oneof | message | enum | option | reserved | ";" } "}"
 * oneof    = "oneof" name "{" { field | option | ";" } "}"
 * reserved = "reserved" ( range { "," range } | string { "," string } ) ";"
 * range    = number [ "to" ( number | "max" ) ]
 * ```
 */
import { create } from '@bufbuild/protobuf';
import {
  type DescriptorProto,
  DescriptorProto_ReservedRangeSchema,
  DescriptorProtoSchema,
  MessageOptionsSchema,
  OneofDescriptorProtoSchema,
  OneofOptionsSchema,
} from '@bufbuild/protobuf/wkt';
import { FIELD_NUMBER_MAX, NESTING_MAX } from '../limits.ts';
import { applyOption, parseOption } from './options.ts';
import type { ParseContext, Path } from './parse-context.ts';
import { parseEnum } from './parse-enums.ts';
import { parseExtend } from './parse-extend.ts';
import { parseField } from './parse-fields.ts';

/** Field numbers of DescriptorProto, for paths. */
const FIELD = 2;
const NESTED_TYPE = 3;
const ENUM_TYPE = 4;
const EXTENSION = 6;
const ONEOF_DECL = 8;

export function parseMessage(context: ParseContext, path: Path, depth: number): DescriptorProto {
  const { tokens } = context;
  const location = context.open(path);
  const start = tokens.take('message');
  if (depth > NESTING_MAX) tokens.fail(`messages are nested more than ${NESTING_MAX} deep`, start, 'LIMIT');
  const message = create(DescriptorProtoSchema);
  const nameToken = tokens.takeName('the name of a message');
  message.name = nameToken.text;
  context.places.setName(message, tokens.place(nameToken));
  context.attach(location, tokens.takeEnd('{', '"{" after the name of the message'));
  while (!tokens.is('}')) parseMember(context, message, path, depth);
  tokens.takeEnd('}', '"}"');
  context.close(location);
  addSyntheticOneofs(context, message);
  return message;
}

function parseMember(context: ParseContext, message: DescriptorProto, path: Path, depth: number): void {
  const { tokens } = context;
  switch (tokens.current.text) {
    case ';':
      tokens.takeEnd(';', '";"');
      return;
    case 'message':
      message.nestedType.push(
        parseMessage(context, [...path, NESTED_TYPE, message.nestedType.length], depth + 1),
      );
      return;
    case 'enum':
      message.enumType.push(parseEnum(context, [...path, ENUM_TYPE, message.enumType.length]));
      return;
    case 'oneof':
      parseOneof(context, message, path);
      return;
    case 'option':
      parseMessageOption(context, message);
      return;
    case 'reserved':
      parseReserved(context, message);
      return;
    case 'extend':
      message.extension.push(...parseExtend(context, [...path, EXTENSION], message.extension.length));
      return;
    case 'extensions':
      tokens.fail('extension ranges belong to proto2, which is not supported', tokens.current, 'UNSUPPORTED');
      return;
    default:
      message.field.push(parseField(context, [...path, FIELD, message.field.length], 'message', message));
  }
}

function parseMessageOption(context: ParseContext, message: DescriptorProto): void {
  const { tokens } = context;
  tokens.take('option');
  const option = parseOption(tokens);
  if (option.name === 'map_entry')
    tokens.fail('map_entry cannot be set; use map<…> instead', option.token, 'OPTION');
  const options = applyOption(tokens, option, MessageOptionsSchema, message.options);
  if (options !== undefined) message.options = options;
  tokens.takeEnd(';', '";" after the option');
}

function parseOneof(context: ParseContext, message: DescriptorProto, path: Path): void {
  const { tokens } = context;
  const index = message.oneofDecl.length;
  const location = context.open([...path, ONEOF_DECL, index]);
  tokens.take('oneof');
  const oneof = create(OneofDescriptorProtoSchema);
  const nameToken = tokens.takeName('the name of a oneof');
  oneof.name = nameToken.text;
  context.places.setName(oneof, tokens.place(nameToken));
  message.oneofDecl.push(oneof);
  context.attach(location, tokens.takeEnd('{', '"{" after the name of the oneof'));
  const fieldsBefore = message.field.length;
  while (!tokens.is('}')) {
    if (tokens.is(';')) {
      tokens.takeEnd(';', '";"');
    } else if (tokens.is('option')) {
      tokens.take('option');
      const options = applyOption(tokens, parseOption(tokens), OneofOptionsSchema, oneof.options);
      if (options !== undefined) oneof.options = options;
      tokens.takeEnd(';', '";" after the option');
    } else {
      const field = parseField(context, [...path, FIELD, message.field.length], 'oneof', message);
      field.oneofIndex = index;
      message.field.push(field);
    }
  }
  if (message.field.length === fieldsBefore) tokens.fail('a oneof needs a field', nameToken, 'INVALID');
  tokens.takeEnd('}', '"}"');
  context.close(location);
}

function parseReserved(context: ParseContext, message: DescriptorProto): void {
  const { tokens } = context;
  tokens.take('reserved');
  do {
    if (tokens.current.kind === 'string') {
      message.reservedName.push(tokens.takeText('a reserved name'));
      continue;
    }
    const startToken = tokens.current;
    const start = tokens.takeInteger('a field number', 1, FIELD_NUMBER_MAX);
    let last = start;
    if (tokens.tryTake('to'))
      last = tokens.tryTake('max')
        ? FIELD_NUMBER_MAX
        : tokens.takeInteger('a field number', 1, FIELD_NUMBER_MAX);
    if (last < start) tokens.fail('this range ends before it starts', startToken, 'INVALID');
    message.reservedRange.push(create(DescriptorProto_ReservedRangeSchema, { start, end: last + 1 }));
  } while (tokens.tryTake(','));
  tokens.takeEnd(';', '";" after what is reserved');
}

/** A proto3 `optional` field is described as the only member of a oneof that nobody wrote. */
function addSyntheticOneofs(context: ParseContext, message: DescriptorProto): void {
  const taken = new Set([
    ...message.field.map((each) => each.name),
    ...message.oneofDecl.map((each) => each.name),
    ...message.nestedType.map((each) => each.name),
    ...message.enumType.map((each) => each.name),
  ]);
  for (const field of message.field) {
    if (!field.proto3Optional) continue;
    let name = field.name.startsWith('_') ? field.name : `_${field.name}`;
    while (taken.has(name)) name = `X${name}`;
    taken.add(name);
    field.oneofIndex = message.oneofDecl.length;
    const oneof = create(OneofDescriptorProtoSchema, { name });
    context.places.setName(oneof, context.places.ofName(field));
    message.oneofDecl.push(oneof);
  }
}
