/**
 * Refuses what protobuf has and Larder does not, with its place: proto2, editions, groups, extensions of
 * messages. Works on descriptors, so that it holds whichever compiler read the schema.
 */
import {
  type DescriptorProto,
  type FieldDescriptorProto,
  FieldDescriptorProto_Type,
  type FileDescriptorProto,
} from '@bufbuild/protobuf/wkt';
import { CompilerError } from '../errors.ts';
import { hasPlace, placeOf } from './source-places.ts';

/** Field numbers of descriptor.proto, for paths. */
const FILE = { messageType: 4, extension: 7, syntax: 12, edition: 14 };
const MESSAGE = { field: 2, nestedType: 3, extensionRange: 5, extension: 6 };

/** The options of these are no data: extending them is how custom options are made. */
const OPTIONS_TYPE = /^\.google\.protobuf\.[A-Za-z]+Options$/;

/** Throws `CompilerError` for the first construct of `file` that no code can be generated for. */
export function checkSupported(file: FileDescriptorProto): void {
  if (file.syntax === 'editions') {
    // protoc says where the edition is, buf calls that the syntax.
    const path = hasPlace(file, [FILE.edition]) ? [FILE.edition] : [FILE.syntax];
    throw unsupported(file, path, 'editions are not supported; write syntax = "proto3";');
  }
  if (file.syntax !== 'proto3')
    throw unsupported(file, [FILE.syntax], 'proto2 is not supported; write syntax = "proto3";');
  checkExtensions(file, file.extension, [FILE.extension]);
  for (const [index, message] of file.messageType.entries())
    checkMessage(file, message, [FILE.messageType, index]);
}

function checkMessage(file: FileDescriptorProto, message: DescriptorProto, path: readonly number[]): void {
  checkExtensions(file, message.extension, [...path, MESSAGE.extension]);
  if (message.extensionRange.length > 0)
    throw unsupported(file, [...path, MESSAGE.extensionRange, 0], 'extension ranges are not supported');
  for (const [index, field] of message.field.entries()) {
    if (field.type === FieldDescriptorProto_Type.GROUP)
      throw unsupported(file, [...path, MESSAGE.field, index], 'groups are not supported; use a message');
  }
  for (const [index, nested] of message.nestedType.entries())
    checkMessage(file, nested, [...path, MESSAGE.nestedType, index]);
}

function checkExtensions(
  file: FileDescriptorProto,
  extensions: readonly FieldDescriptorProto[],
  path: readonly number[],
): void {
  for (const [index, extension] of extensions.entries()) {
    if (!OPTIONS_TYPE.test(extension.extendee))
      throw unsupported(file, [...path, index], 'extensions are not supported');
  }
}

function unsupported(file: FileDescriptorProto, path: readonly number[], reason: string): CompilerError {
  return new CompilerError('UNSUPPORTED', reason, placeOf(file, path));
}
