/**
 * From the files a person names to a set of complete descriptors: reads them and what they import, each once,
 * imports before importers.
 */
import { readFileSync } from 'node:fs';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DescFile } from '@bufbuild/protobuf';
import type { FileDescriptorProto } from '@bufbuild/protobuf/wkt';
import * as wellKnown from '@bufbuild/protobuf/wkt';
import { CompilerError, type SourcePlace } from '../errors.ts';
import { IMPORTED_FILES_MAX } from '../limits.ts';
import { linkFile } from './link.ts';
import { parseFile } from './parse-file.ts';
import { Places } from './parsed-file.ts';
import { SymbolTable } from './symbols.ts';

/** Reads a file by the path it is imported by; undefined when there is none. */
export type SourceReader = (name: string) => string | undefined;

export interface LoadedSchemas {
  /** Everything that was read; imports before importers. */
  readonly files: readonly FileDescriptorProto[];
  /** The names of what was asked for. */
  readonly names: readonly string[];
}

/** protobuf's own files, which are part of the compiler. */
const WELL_KNOWN: ReadonlyMap<string, FileDescriptorProto> = new Map(
  Object.values(wellKnown)
    .filter((each): each is DescFile => typeof each === 'object' && 'kind' in each && each.kind === 'file')
    .map((each) => [each.proto.name, each.proto]),
);

/** Parses and links `names` and whatever they import. */
export function loadSchemas(names: readonly string[], read: SourceReader): LoadedSchemas {
  const loader = new Loader(read);
  for (const name of names) loader.load(name, undefined);
  return { files: loader.files, names };
}

class Loader {
  readonly files: FileDescriptorProto[] = [];
  readonly #read: SourceReader;
  readonly #state = new Map<string, 'loading' | 'loaded'>();
  readonly #symbols = new SymbolTable();
  /** The files being read, each imported by the one before it. */
  readonly #chain: string[] = [];

  constructor(read: SourceReader) {
    this.#read = read;
  }

  load(name: string, from: SourcePlace | undefined): void {
    const state = this.#state.get(name);
    if (state === 'loaded') return;
    if (state === 'loading')
      throw new CompilerError(
        'IMPORT',
        `files import each other: ${[...this.#chain, name].join(' → ')}`,
        from,
      );
    if (this.#state.size >= IMPORTED_FILES_MAX)
      throw new CompilerError('LIMIT', `more than ${IMPORTED_FILES_MAX} files are imported`, from);
    this.#state.set(name, 'loading');
    this.#chain.push(name);
    const text = this.#readFrom(name, from);
    const known = WELL_KNOWN.get(name);
    if (text !== undefined) this.#addText(name, text);
    else if (known !== undefined) this.#addKnown(known);
    else throw new CompilerError('IMPORT', `${name} is not found in any of the import folders`, from);
    this.#chain.pop();
    this.#state.set(name, 'loaded');
  }

  /** Reads a file; that it cannot be read is said of the import. */
  #readFrom(name: string, from: SourcePlace | undefined): string | undefined {
    try {
      return this.#read(name);
    } catch (error) {
      if (!(error instanceof CompilerError) || error.place !== undefined || from === undefined) throw error;
      throw new CompilerError(error.code, error.message, from, { cause: error });
    }
  }

  #addText(name: string, text: string): void {
    const file = parseFile(name, text);
    for (const each of file.proto.dependency) this.load(each, importPlace(file.proto, each));
    this.#symbols.addFile(file.proto, (part) => file.places.ofName(part));
    linkFile(file, this.#symbols);
    this.files.push(file.proto);
  }

  /** A file of the compiler's is linked already. */
  #addKnown(proto: FileDescriptorProto): void {
    for (const each of proto.dependency) this.load(each, undefined);
    const places = new Places(proto.name);
    this.#symbols.addFile(proto, (part) => places.ofName(part));
    this.files.push(proto);
  }
}

function importPlace(proto: FileDescriptorProto, dependency: string): SourcePlace {
  const index = proto.dependency.indexOf(dependency);
  const location = proto.sourceCodeInfo?.location.find(
    ({ path }) => path.length === 2 && path[0] === 3 && path[1] === index,
  );
  const [line = 0, column = 0] = location?.span ?? [];
  return { file: proto.name, line: line + 1, column: column + 1 };
}

/** Reads from folders, the first one that has the file wins. */
export function folderReader(folders: readonly string[]): SourceReader {
  return (name) => {
    for (const folder of folders) {
      const path = resolve(folder, name);
      // An import stays inside its folder.
      const inside = relative(resolve(folder), path);
      if (inside.startsWith('..') || isAbsolute(inside)) continue;
      const text = readText(path, name);
      if (text !== undefined) return text;
    }
    return undefined;
  };
}

function readText(path: string, name: string): string | undefined {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    const reason = code === 'EISDIR' ? 'is a folder' : error instanceof Error ? error.message : String(error);
    throw new CompilerError('IMPORT', `${name} cannot be read: ${reason}`, undefined, { cause: error });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new CompilerError(
      'SYNTAX',
      'the file is not UTF-8',
      { file: name, line: 1, column: 1 },
      { cause: error },
    );
  }
}

/** The name by which a file on disk is imported: its path below the first folder that contains it. */
export function importName(path: string, folders: readonly string[]): string {
  const absolute = path.startsWith('file:') ? fileURLToPath(path) : resolve(path);
  for (const folder of folders) {
    const inside = relative(resolve(folder), absolute);
    if (inside !== '' && !inside.startsWith('..') && !isAbsolute(inside)) return inside.split(sep).join('/');
  }
  throw new CompilerError(
    'IMPORT',
    `${path} is in none of the import folders (${folders.join(', ')}); name its folder with -I`,
  );
}
