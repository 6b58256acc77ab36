/**
 * JavaScript and declarations of generated TypeScript, for `target=js` and `target=dts`. The work is that of the
 * TypeScript which the plugin framework brings: it is looked up from there, and so are the declarations of the
 * language that come with it, since the TypeScript of the user's project may be another one, or none that has an API.
 */
import { createRequire } from 'node:module';
import type { FileInfo } from '@bufbuild/protoplugin';

/** As much of TypeScript as is used here. */
interface SourceFile {
  readonly fileName: string;
}
interface CompilerHost {
  getSourceFile(name: string, target: number): SourceFile | undefined;
  readFile(name: string): string | undefined;
  fileExists(name: string): boolean;
  writeFile(name: string, text: string): void;
}
interface Diagnostic {
  readonly messageText: unknown;
}
interface TypeScript {
  readonly ModuleKind: { readonly CommonJS: number; readonly ES2022: number };
  readonly ModuleResolutionKind: { readonly Node10: number };
  readonly ScriptTarget: { readonly ES2022: number };
  readonly NewLineKind: { readonly LineFeed: number };
  createCompilerHost(options: object): CompilerHost;
  createSourceFile(name: string, text: string, target: number): SourceFile;
  createProgram(
    names: readonly string[],
    options: object,
    host: CompilerHost,
  ): { emit(): { readonly emitSkipped: boolean; readonly diagnostics: readonly Diagnostic[] } };
  flattenDiagnosticMessageText(text: unknown, newLine: string): string;
}

let loaded: TypeScript | undefined;

function typeScript(): TypeScript {
  const framework = createRequire(import.meta.url).resolve('@bufbuild/protoplugin');
  loaded ??= createRequire(framework)('typescript') as TypeScript;
  return loaded;
}

/** What the plugin framework calls with the TypeScript files. */
export function transpile(
  files: FileInfo[],
  isJavaScript: boolean,
  isDeclarations: boolean,
  importStyle: 'module' | 'legacy_commonjs',
): FileInfo[] {
  const ts = typeScript();
  const options = {
    declaration: isDeclarations,
    emitDeclarationOnly: !isJavaScript,
    module: importStyle === 'module' ? ts.ModuleKind.ES2022 : ts.ModuleKind.CommonJS,
    moduleResolution: ts.ModuleResolutionKind.Node10,
    newLine: ts.NewLineKind.LineFeed,
    noResolve: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    types: [],
  };
  const sources = new Map(files.map((file) => [file.name, file]));
  const host = ts.createCompilerHost(options);
  const results: FileInfo[] = [];
  const { emitSkipped, diagnostics } = ts
    .createProgram([...sources.keys()], options, {
      ...host,
      fileExists: (name) => sources.has(name) || host.fileExists(name),
      readFile: (name) => sources.get(name)?.content ?? host.readFile(name),
      getSourceFile: (name, target) => {
        const source = sources.get(name);
        return source === undefined
          ? host.getSourceFile(name, target)
          : ts.createSourceFile(name, source.content, ts.ScriptTarget.ES2022);
      },
      writeFile: (name, content) => {
        // The preamble is no part of what is transpiled.
        const { preamble } = sources.get(name.replace(/(\.d\.ts|\.js)$/, '.ts')) ?? {};
        results.push({ name, content, preamble });
      },
    })
    .emit();
  if (emitSkipped) {
    const [first] = diagnostics;
    throw new Error(
      `generated code was not transpiled: ${ts.flattenDiagnosticMessageText(first?.messageText, '\n')}`,
    );
  }
  return results;
}
