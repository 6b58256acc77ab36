/** Generated code as files on disk. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { CompilerError } from './errors.ts';
import { type GenerateOptions, generate, importFoldersOf } from './generate.ts';

export interface GenerateFilesOptions extends GenerateOptions {
  /** Where to write; without it the first import folder, so that code lies beside its schema. */
  readonly out?: string | undefined;
}

/** Compiles schemas and writes the code; returns the paths. Throws `CompilerError`, and then writes nothing. */
export function generateFiles(options: GenerateFilesOptions): readonly string[] {
  const folder = resolve(options.out ?? importFoldersOf(options)[0] ?? '.');
  return generate(options).map(({ name, content }) => {
    const path = join(folder, name);
    try {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new CompilerError('OUTPUT', `cannot write ${path}: ${reason}`, undefined, { cause: error });
    }
    return path;
  });
}
