/** What types of this file and of others are called in the file that is being generated. */
import type { DescEnum, DescFile, DescMessage } from '@bufbuild/protobuf';
import type { Printable } from '@bufbuild/protoplugin';
import { CompilerError } from '../errors.ts';
import type { Code } from './code.ts';
import type { TypeReferences } from './field-model.ts';
import { type MessageNames, TypeNames } from './type-names.ts';

/** The module of a schema's generated code, as the plugin framework wants it: from the output's root. */
export function modulePath(file: DescFile): string {
  return `./${file.name}.larder.js`;
}

export function typeReferences(code: Code, file: DescFile): TypeReferences {
  const refer = (target: DescFile, name: string, typeOnly: boolean): Printable => {
    if (target === file) return name;
    assertProto3(target, file);
    return code.import(name, modulePath(target), typeOnly);
  };
  const message = (desc: DescMessage, part: keyof MessageNames, typeOnly = false): Printable =>
    refer(desc.file, TypeNames.of(desc.file).message(desc)[part], typeOnly);
  return {
    builder: (desc) => message(desc, 'builder'),
    init: (desc) => message(desc, 'init', true),
    view: (desc) => message(desc, 'view'),
    enum: (desc: DescEnum) => refer(desc.file, TypeNames.of(desc.file).enum(desc), true),
  };
}

/** A proto2 file can be imported, for custom options, but its types cannot be used. */
function assertProto3(target: DescFile, user: DescFile): void {
  if (target.proto.syntax === 'proto3') return;
  throw new CompilerError('UNSUPPORTED', `a type of ${target.proto.name} is used, which is not proto3`, {
    file: user.proto.name,
    line: 1,
    column: 1,
  });
}
