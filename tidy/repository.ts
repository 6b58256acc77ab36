/**
 * The repository as data: its files as git knows them, and its packages with what they declare. Read once.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT: string = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

/** What a package.json says, as far as the tidy test is concerned. */
interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, { readonly 'larder-source'?: string }>>;
}

export interface Package {
  /** The folder's name, which is the package's name in the architecture. */
  readonly folder: string;
  /** Relative to the root, such as `packages/cache`. */
  readonly path: string;
  readonly name: string;
  /** Needed at run time: dependencies, peers and optional ones. */
  readonly dependencies: readonly string[];
  readonly devDependencies: readonly string[];
  /** The source files behind `exports`, relative to the root: the package's public API. */
  readonly entries: readonly string[];
  /** Folders named by tsconfig references, relative to the root. */
  readonly references: readonly string[];
  /** README.md, or undefined when there is none. */
  readonly readme: string | undefined;
}

export function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Every file that is tracked or would be: what .gitignore leaves out does not count. */
export function listFiles(): readonly string[] {
  const output = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  return [...new Set(output.split('\0'))]
    .filter((path) => path !== '' && existsSync(join(ROOT, path)))
    .sort();
}

function readJson(path: string): unknown {
  return JSON.parse(readText(path));
}

function readReferences(folder: string): string[] {
  const path = `${folder}/tsconfig.json`;
  if (!existsSync(join(ROOT, path))) return [];
  const config = readJson(path) as { readonly references?: readonly { readonly path: string }[] };
  return (config.references ?? []).map((reference) => join(folder, reference.path));
}

function readPackage(path: string): Package {
  const manifest = readJson(`${path}/package.json`) as Manifest;
  const readmePath = `${path}/README.md`;
  return {
    folder: path.split('/').at(-1) ?? path,
    path,
    name: manifest.name,
    dependencies: Object.keys({
      ...manifest.dependencies,
      ...manifest.peerDependencies,
      ...manifest.optionalDependencies,
    }),
    devDependencies: Object.keys(manifest.devDependencies ?? {}),
    entries: Object.values(manifest.exports ?? {}).flatMap((each) =>
      each['larder-source'] === undefined ? [] : [join(path, each['larder-source'])],
    ),
    references: readReferences(path),
    readme: existsSync(join(ROOT, readmePath)) ? readText(readmePath) : undefined,
  };
}

/** All workspaces: the packages, and the folders beside them. */
export function listPackages(): readonly Package[] {
  const packages = readdirSync(join(ROOT, 'packages')).map((folder) => `packages/${folder}`);
  const beside = ['bench', 'conformance', 'simulation'];
  return [...packages, ...beside]
    .filter((path) => existsSync(join(ROOT, path, 'package.json')))
    .sort()
    .map(readPackage);
}

/** devDependencies of the root, which the tests of every workspace may use. */
export function rootDevDependencies(): readonly string[] {
  return Object.keys((readJson('package.json') as Manifest).devDependencies ?? {});
}

/** References of the root tsconfig, relative to the root. */
export function rootReferences(): readonly string[] {
  return readReferences('.');
}
