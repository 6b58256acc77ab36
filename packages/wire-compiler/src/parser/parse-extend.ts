/**
 * ```
 * extend = "extend" typeName "{" { field | ";" } "}"
 * ```
 * proto3 has it for custom options only. It is read, so that files with custom options can be imported.
 */
import type { FieldDescriptorProto } from '@bufbuild/protobuf/wkt';
import type { ParseContext, Path } from './parse-context.ts';
import { parseField } from './parse-fields.ts';

/** The extensions of one block; `count` is how many there are already at `path`. */
export function parseExtend(context: ParseContext, path: Path, count: number): FieldDescriptorProto[] {
  const { tokens } = context;
  const blockLocation = context.open(path);
  tokens.take('extend');
  const { name, token } = tokens.takeTypeName('the name of what is extended');
  context.attach(blockLocation, tokens.takeEnd('{', '"{" after the name of what is extended'));
  const fields: FieldDescriptorProto[] = [];
  while (!tokens.is('}')) {
    if (tokens.is(';')) {
      tokens.takeEnd(';', '";"');
      continue;
    }
    const field = parseField(context, [...path, count + fields.length], 'extend', undefined);
    field.extendee = name;
    fields.push(field);
  }
  if (fields.length === 0) tokens.fail('nothing is extended here', token, 'INVALID');
  tokens.takeEnd('}', '"}"');
  context.close(blockLocation);
  return fields;
}
