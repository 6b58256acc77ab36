/**
 * `larder generate`: compiles .proto files to TypeScript and writes it. Neither buf nor protoc is needed; the
 * compiler is loaded only here, since no other command wants it.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import process from 'node:process';

export interface GenerateFlags {
  readonly importFolder?: readonly string[];
  readonly out?: string;
  readonly imports: boolean;
  readonly option?: readonly string[];
}

export async function generateCode(schemas: readonly string[], flags: GenerateFlags): Promise<void> {
  const { CompilerError, generate, importFoldersOf } = await import('@larder/wire-compiler');
  const options = {
    schemas,
    importFolders: flags.importFolder ?? [],
    imports: flags.imports,
    parameter: (flags.option ?? []).join(','),
  };
  try {
    // Without --out the code lies beside its schema: schemas are named from the first import folder.
    const folder = resolve(flags.out ?? importFoldersOf(options)[0] ?? '.');
    for (const { name, content } of generate(options)) {
      const path = join(folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
      process.stdout.write(`${path}\n`);
    }
  } catch (error) {
    if (!(error instanceof CompilerError) && !isFileError(error)) throw error;
    process.stderr.write(`larder generate: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}

/** The output folder cannot be written, for example. */
function isFileError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
