/**
 * ```
 * enum  = "enum" name "{" { value | option | reserved | ";" } "}"
 * value = name "=" [ "-" ] number [ "[" option { "," option } "]" ] ";"
 * ```
 */
import { create } from '@bufbuild/protobuf';
import {
  type EnumDescriptorProto,
  EnumDescriptorProto_EnumReservedRangeSchema,
  EnumDescriptorProtoSchema,
  EnumOptionsSchema,
  EnumValueDescriptorProtoSchema,
  EnumValueOptionsSchema,
} from '@bufbuild/protobuf/wkt';
import { ENUM_NUMBER_MAX, ENUM_NUMBER_MIN } from '../limits.ts';
import { applyOption, parseOption } from './options.ts';
import type { ParseContext, Path } from './parse-context.ts';

/** Field number of EnumDescriptorProto, for paths. */
const VALUE = 2;

export function parseEnum(context: ParseContext, path: Path): EnumDescriptorProto {
  const { tokens } = context;
  const location = context.open(path);
  tokens.take('enum');
  const type = create(EnumDescriptorProtoSchema);
  const nameToken = tokens.takeName('the name of an enum');
  type.name = nameToken.text;
  context.places.setName(type, tokens.place(nameToken));
  context.attach(location, tokens.takeEnd('{', '"{" after the name of the enum'));
  while (!tokens.is('}')) {
    if (tokens.is(';')) {
      tokens.takeEnd(';', '";"');
    } else if (tokens.is('option') && tokens.following.text !== '=') {
      tokens.take('option');
      const options = applyOption(tokens, parseOption(tokens), EnumOptionsSchema, type.options);
      if (options !== undefined) type.options = options;
      tokens.takeEnd(';', '";" after the option');
    } else if (tokens.is('reserved') && tokens.following.text !== '=') {
      parseReserved(context, type);
    } else {
      parseValue(context, type, [...path, VALUE, type.value.length]);
    }
  }
  if (type.value.length === 0) tokens.fail('an enum needs a value', nameToken, 'INVALID');
  tokens.takeEnd('}', '"}"');
  context.close(location);
  return type;
}

function parseValue(context: ParseContext, type: EnumDescriptorProto, path: Path): void {
  const { tokens } = context;
  const location = context.open(path);
  const value = create(EnumValueDescriptorProtoSchema);
  const nameToken = tokens.takeName('the name of a value');
  value.name = nameToken.text;
  context.places.setName(value, tokens.place(nameToken));
  tokens.take('=');
  value.number = tokens.takeInteger('the number of a value', ENUM_NUMBER_MIN, ENUM_NUMBER_MAX);
  if (tokens.tryTake('[')) {
    do {
      const options = applyOption(tokens, parseOption(tokens), EnumValueOptionsSchema, value.options);
      if (options !== undefined) value.options = options;
    } while (tokens.tryTake(','));
    tokens.take(']');
  }
  type.value.push(value);
  context.attach(location, tokens.takeEnd(';', '";" after the value'));
  context.close(location);
}

function parseReserved(context: ParseContext, type: EnumDescriptorProto): void {
  const { tokens } = context;
  tokens.take('reserved');
  do {
    if (tokens.current.kind === 'string') {
      type.reservedName.push(tokens.takeText('a reserved name'));
      continue;
    }
    const startToken = tokens.current;
    const start = tokens.takeInteger('the number of a value', ENUM_NUMBER_MIN, ENUM_NUMBER_MAX);
    let end = start;
    if (tokens.tryTake('to'))
      end = tokens.tryTake('max')
        ? ENUM_NUMBER_MAX
        : tokens.takeInteger('the number of a value', ENUM_NUMBER_MIN, ENUM_NUMBER_MAX);
    if (end < start) tokens.fail('this range ends before it starts', startToken, 'INVALID');
    // Unlike that of a message, an enum's range includes its end.
    type.reservedRange.push(create(EnumDescriptorProto_EnumReservedRangeSchema, { start, end }));
  } while (tokens.tryTake(','));
  tokens.takeEnd(';', '";" after what is reserved');
}
