/**
 * Generated code in a temporary folder from which it can be imported and type-checked: it sees the repository's
 * packages through a link.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { GeneratedSource } from '../generate.ts';

const REPOSITORY: string = fileURLToPath(new URL('../../../..', import.meta.url));

/** What a user's project might say, and what this repository says. */
export const PLAIN_OPTIONS: object = {
  strict: true,
  module: 'nodenext',
  target: 'es2022',
  lib: ['es2024', 'esnext.disposable'],
  skipLibCheck: true,
  types: ['node'],
};
export const STRICTEST_OPTIONS: object = {
  ...PLAIN_OPTIONS,
  declaration: true,
  erasableSyntaxOnly: true,
  exactOptionalPropertyTypes: true,
  isolatedDeclarations: true,
  isolatedModules: true,
  noFallthroughCasesInSwitch: true,
  noImplicitOverride: true,
  noImplicitReturns: true,
  noUncheckedIndexedAccess: true,
  noUnusedLocals: true,
  noUnusedParameters: true,
  verbatimModuleSyntax: true,
};

/** Generated code as it would be of any version of the compiler. */
export function withoutVersion(content: string): string {
  return content.replace(/protoc-gen-larder \d+\.\d+\.\d+/, 'protoc-gen-larder');
}

export class GeneratedFolder {
  readonly path: string;

  constructor(sources: readonly GeneratedSource[] = []) {
    this.path = mkdtempSync(join(tmpdir(), 'larder-generated-'));
    symlinkSync(join(REPOSITORY, 'node_modules'), join(this.path, 'node_modules'));
    this.write('package.json', '{ "type": "module" }');
    for (const { name, content } of sources) this.write(name, content);
  }

  write(name: string, content: string): void {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }

  /** The exports of a generated module. */
  async load(name: string): Promise<Record<string, unknown>> {
    return (await import(pathToFileURL(join(this.path, name)).href)) as Record<string, unknown>;
  }

  /** What the type checker has to say, '' for nothing. */
  check(options: object): string {
    const config = {
      compilerOptions: {
        ...options,
        noEmit: true,
        customConditions: ['larder-source'],
        allowImportingTsExtensions: true,
      },
      include: ['**/*.ts'],
      exclude: ['node_modules'],
    };
    this.write('tsconfig.json', JSON.stringify(config));
    const tsc = join(
      dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
      'bin',
      'tsc',
    );
    const result = spawnSync(process.execPath, [tsc, '-p', this.path], { encoding: 'utf8' });
    return result.status === 0 ? '' : `${result.stdout}${result.stderr}`;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
