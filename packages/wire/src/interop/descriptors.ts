/** From generated descriptions to protobuf-es descriptors, each file read once. */
import {
  create,
  createFileRegistry,
  type DescMessage,
  type FileRegistry,
  fromBinary,
} from '@bufbuild/protobuf';
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';
import { WireError } from '../errors.ts';
import type { FileSchema, MessageDescription } from './schema.ts';

const registries = new WeakMap<FileSchema, FileRegistry>();

export function descriptorOf(description: MessageDescription): DescMessage {
  const found = registryOf(description.file()).getMessage(description.typeName);
  if (found === undefined)
    throw new WireError('TYPE', `${description.typeName} is not in the descriptor of its file`);
  return found;
}

function registryOf(file: FileSchema): FileRegistry {
  let registry = registries.get(file);
  if (registry === undefined) {
    const files = new Map<string, FileDescriptorProto>();
    collect(file, files);
    registry = createFileRegistry(create(FileDescriptorSetSchema, { file: [...files.values()] }));
    registries.set(file, registry);
  }
  return registry;
}

/** A file after what it imports. */
function collect(file: FileSchema, files: Map<string, FileDescriptorProto>): void {
  if (files.has(file.name)) return;
  for (const each of file.imports()) collect(each, files);
  files.set(file.name, fromBinary(FileDescriptorProtoSchema, Buffer.from(file.descriptor, 'base64')));
}
