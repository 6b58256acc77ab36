/**
 * Descriptions of messages for JSON and for protobuf: plain constants that nothing else refers to, so that
 * bundlers leave them out of programs that need neither.
 */
import { clone, type DescFile, type DescMessage, toBinary } from '@bufbuild/protobuf';
import {
  type DescriptorProto,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt';
import type { Printable } from '@bufbuild/protoplugin';
import { type Code, quoted } from './code.ts';
import type { MessageModel } from './message-model.ts';
import { allMessages, TypeNames } from './type-names.ts';
import { modulePath } from './type-references.ts';

const INTEROP = '@larder/wire/protobuf';

export function emitMessageSchema(code: Code, model: MessageModel, file: DescFile): void {
  const { builder, init, view, schema } = model.names;
  const type = code.import('MessageSchema', INTEROP, true);
  code.line();
  code.line(`/** Describes {@link ${builder}} to \`${INTEROP}\`. */`);
  code.block(
    [code.export('const', schema), ': ', type, `<${builder}, ${init}, ${view}> =`],
    () => {
      code.line(`typeName: ${quoted(model.desc.typeName)},`);
      code.line(`file: () => ${TypeNames.of(file).file},`);
      code.line(`builder: ${builder},`);
      code.line(`view: ${view},`);
      // The descriptor has the fields in the order of the schema.
      const names = model.desc.fields.map((field) => model.fields.find(({ desc }) => desc === field)!.name);
      code.line(`properties: [${names.map(quoted).join(', ')}],`);
      const used = usedMessages(model.desc).map((each) => schemaName(code, each, file));
      const list = used.flatMap((each, index) => (index === 0 ? [each] : [', ', each]));
      code.line('uses: () => [', ...list, '],');
    },
    '};',
  );
}

function schemaName(code: Code, message: DescMessage, file: DescFile): Printable {
  const { schema } = TypeNames.of(message.file).message(message);
  return message.file === file ? schema : code.import(schema, modulePath(message.file));
}

/** The messages that a message's fields have. */
function usedMessages(message: DescMessage): DescMessage[] {
  return [...new Set(message.fields.map((field) => field.message).filter((each) => each !== undefined))];
}

export function emitFileSchema(code: Code, file: DescFile): void {
  const type = code.import('FileSchema', INTEROP, true);
  const imports = usedFiles(file);
  code.line();
  code.line(`/** The descriptor of ${file.proto.name}. */`);
  code.block(
    [code.export('const', TypeNames.of(file).file), ': ', type, ' ='],
    () => {
      code.line(`name: ${quoted(file.proto.name)},`);
      code.line('descriptor:');
      code.line(
        `  ${quoted(Buffer.from(toBinary(FileDescriptorProtoSchema, bare(file, imports))).toString('base64'))},`,
      );
      const list = imports.flatMap((each, index) => {
        const name = code.import(TypeNames.of(each).file, modulePath(each));
        return index === 0 ? [name] : [', ', name];
      });
      code.line('imports: () => [', ...list, '],');
    },
    '};',
  );
}

/** The other files whose types are used by fields. */
function usedFiles(file: DescFile): DescFile[] {
  const files = new Set<DescFile>();
  for (const message of allMessages(file)) {
    for (const field of message.fields) {
      const type = field.message ?? field.enum;
      if (type !== undefined && type.file !== file) files.add(type.file);
    }
  }
  return [...files].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A file's descriptor with messages and enums only: no comments, services, options or extensions. */
function bare(file: DescFile, imports: readonly DescFile[]): FileDescriptorProto {
  const proto = clone(FileDescriptorProtoSchema, file.proto);
  proto.sourceCodeInfo = undefined;
  proto.options = undefined;
  proto.service = [];
  proto.extension = [];
  proto.dependency = imports.map((each) => each.proto.name);
  proto.publicDependency = [];
  proto.weakDependency = [];
  proto.$unknown = [];
  proto.messageType.forEach(removeExtensions);
  return proto;
}

function removeExtensions(message: DescriptorProto): void {
  message.extension = [];
  message.nestedType.forEach(removeExtensions);
}
