/**
 * `larder generate`: compiles .proto files to TypeScript and writes it. Neither buf nor protoc is needed; the
 * compiler is loaded only here, since no other command wants it.
 */
import process from 'node:process';

export interface GenerateFlags {
  readonly importFolder: readonly string[];
  readonly out?: string;
  readonly imports: boolean;
  readonly option: readonly string[];
}

export async function generateCode(schemas: readonly string[], flags: GenerateFlags): Promise<void> {
  const { CompilerError, generateFiles } = await import('@larder/wire-compiler');
  try {
    const paths = generateFiles({
      schemas,
      importFolders: flags.importFolder,
      imports: flags.imports,
      parameter: flags.option.join(','),
      out: flags.out,
    });
    for (const path of paths) process.stdout.write(`${path}\n`);
  } catch (error) {
    if (!(error instanceof CompilerError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
