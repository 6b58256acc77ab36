/** From .proto files on disk to TypeScript, in this process: what `larder generate` does. */
import { dirname, resolve } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { CodeGeneratorRequestSchema, type FileDescriptorProto } from '@bufbuild/protobuf/wkt';
import { CompilerError } from './errors.ts';
import { folderReader, importName, loadSchemas, type SourceReader } from './parser/load.ts';
import { runOrThrow } from './plugin.ts';

export interface GenerateOptions {
  /** Paths of .proto files on disk. */
  readonly schemas: readonly string[];
  /**
   * Folders that imports are looked for in, in order. Without any: the schemas' own folders, then the current
   * one.
   */
  readonly importFolders?: readonly string[];
  /** Whether what the schemas import is generated too (default: yes), so that the output is complete. */
  readonly imports?: boolean;
  /** Options of the plugin, such as `target=js+dts`; see the README. */
  readonly parameter?: string;
}

export interface GeneratedSource {
  /** Path below the output folder, with forward slashes. */
  readonly name: string;
  readonly content: string;
}

/** Compiles schemas; nothing is written. Throws `CompilerError`. */
export function generate(options: GenerateOptions): readonly GeneratedSource[] {
  const folders = importFoldersOf(options);
  const names = options.schemas.map((path) => importName(path, folders));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new CompilerError('DUPLICATE', `two schemas are called ${twice}; name their common folder with -I`);
  return generateFrom(names, folderReader(folders), options);
}

/** The folders that `generate` looks in. */
export function importFoldersOf(options: GenerateOptions): readonly string[] {
  const given = options.importFolders ?? [];
  if (given.length > 0) return given;
  return [...new Set([...options.schemas.map((path) => dirname(resolve(path))), resolve('.')])];
}

/** As `generate`, with the texts from anywhere. `names` are import names. */
export function generateFrom(
  names: readonly string[],
  read: SourceReader,
  options: Pick<GenerateOptions, 'imports' | 'parameter'> = {},
): readonly GeneratedSource[] {
  const { files } = loadSchemas(names, read);
  const wanted = options.imports === false ? [...names] : namesWithImports(names, files);
  const request = create(CodeGeneratorRequestSchema, {
    fileToGenerate: wanted,
    parameter: options.parameter ?? '',
    protoFile: [...files],
  });
  return runOrThrow(request).file.map(({ name, content }) => ({ name, content }));
}

/** What was asked for, and of what it imports whatever code can be made of. */
function namesWithImports(names: readonly string[], files: readonly FileDescriptorProto[]): string[] {
  const asked = new Set(names);
  // descriptor.proto, which custom options import, is proto2; a file of nothing but custom options has no data.
  return files
    .filter((file) => asked.has(file.name) || (file.syntax === 'proto3' && hasTypes(file)))
    .map((file) => file.name);
}

function hasTypes(file: FileDescriptorProto): boolean {
  return file.messageType.length + file.enumType.length + file.service.length > 0;
}
