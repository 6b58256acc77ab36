/**
 * The tidy test reads the repository itself and holds it against the design and the house style: the direction
 * of imports, what is declared, lengths, names, leftovers, and exports that nobody uses.
 */
import { strict as assert } from 'node:assert';
import { statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import {
  listFiles,
  listPackages,
  type Package,
  ROOT,
  readText,
  rootDevDependencies,
  rootReferences,
} from './repository.ts';
import { readSources, type SourceFacts } from './syntax.ts';

/** Which packages a package may import directly: the overview's table. What those import is allowed as well. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  datapath: [],
  host: ['datapath'],
  wire: ['datapath'],
  'wire-compiler': ['wire'],
  protocol: ['datapath', 'wire'],
  cache: ['datapath'],
  server: ['protocol', 'cache', 'host'],
  echo: ['wire', 'host'],
  routing: ['protocol'],
  client: ['routing', 'wire'],
  router: ['routing', 'host'],
  invalidation: ['routing'],
  erasure: [],
  'object-store': ['erasure', 'wire', 'client'],
  console: [],
  cli: ['server', 'echo', 'erasure', 'router', 'invalidation', 'object-store', 'console', 'wire-compiler'],
};

const FILE_LINES_MAX = 800;
const FUNCTION_LINES_MAX = 70;
const FILE_BYTES_MAX = 1 << 20;

/** Functions that may be longer, as `path function`, each with its reason. */
const LONG_FUNCTIONS: Readonly<Record<string, string>> = {};
/** Files that may be longer, each with its reason. */
const LONG_FILES: Readonly<Record<string, string>> = {};
/** Exports that are used in a way the parser does not see, as `path name`, each with its reason. */
const LIVE_EXPORTS: Readonly<Record<string, string>> = {
  'bench/src/serialization/generated/kv-protobufjs.d.ts larder':
    'the types of a generated .js file, which is imported by that name',
};
/** Dependencies that no import names, each with its reason. */
const SILENT_DEPENDENCIES: Readonly<Record<string, string>> = {
  'packages/wire-compiler @bufbuild/buf': 'a command that the tests run',
};
/** Tools read these by default export. */
const DEFAULT_EXPORTS: Readonly<Record<string, string>> = {};

/** What the schema compiler writes is held against the compiler, and not against the house style. */
const everySource = readSources();
const sources = everySource.filter((source) => !source.path.endsWith('.larder.ts'));
const packages = listPackages();
const files = listFiles();
const builtins = new Set(builtinModules);

const isTestFile = (path: string): boolean => /\.(test|fuzz|bench)\.ts$|\/testing\//.test(path);
const isPrivate = (each: Package): boolean => !each.path.startsWith('packages/');

function packageOf(path: string): Package | undefined {
  return packages.find((each) => path.startsWith(`${each.path}/`));
}

/** `@scope/name` or `name` of a specifier; undefined for relative ones and for Node's own modules. */
function packageNameOf(specifier: string): string | undefined {
  if (specifier.startsWith('.') || specifier.startsWith('#') || specifier.startsWith('node:'))
    return undefined;
  const parts = specifier.split('/');
  const name = specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? '');
  return builtins.has(name) ? undefined : name;
}

/** Every package that `folder` may import. */
function allowedLayers(folder: string): ReadonlySet<string> {
  const allowed = new Set<string>();
  const add = (name: string): void => {
    for (const next of LAYERS[name] ?? []) {
      if (!allowed.has(next)) {
        allowed.add(next);
        add(next);
      }
    }
  };
  add(folder);
  return allowed;
}

function assertNone(problems: readonly string[], rule: string): void {
  assert.equal(problems.length, 0, `${rule}:\n  ${problems.join('\n  ')}`);
}

const byName = new Map(packages.map((each) => [each.name, each]));

test('every package is in the architecture', () => {
  const unknown = packages
    .filter((each) => !isPrivate(each) && !LAYERS[each.folder])
    .map((each) => each.path);
  assertNone(unknown, 'a package folder has the name of a row of the overview');
});

test('imports between packages point downward only', () => {
  const problems: string[] = [];
  for (const source of everySource) {
    const owner = packageOf(source.path);
    if (!owner || isPrivate(owner)) continue;
    const allowed = allowedLayers(owner.folder);
    for (const { specifier, line } of source.imports) {
      const target = byName.get(packageNameOf(specifier) ?? '');
      if (target && target !== owner && !allowed.has(target.folder)) {
        problems.push(`${source.path}:${line} imports ${specifier}`);
      }
    }
  }
  for (const each of packages.filter((candidate) => !isPrivate(candidate))) {
    const allowed = allowedLayers(each.folder);
    for (const name of [...each.dependencies, ...each.devDependencies]) {
      const target = byName.get(name);
      if (target && !allowed.has(target.folder))
        problems.push(`${each.path}/package.json depends on ${name}`);
    }
  }
  assertNone(problems, 'a package imports only packages below it');
});

test('relative imports stay inside their package, with .ts specifiers to files that exist', () => {
  const problems: string[] = [];
  const known = new Set(files);
  for (const source of sources) {
    const home = packageOf(source.path)?.path ?? dirname(source.path);
    for (const { specifier, line } of source.imports) {
      if (!specifier.startsWith('.')) continue;
      const target = normalize(join(dirname(source.path), specifier));
      if (!target.startsWith(`${home}/`))
        problems.push(`${source.path}:${line} leaves ${home}: ${specifier}`);
      else if (!known.has(target))
        problems.push(`${source.path}:${line} imports what is not there: ${specifier}`);
    }
  }
  assertNone(problems, 'relative imports');
});

test('tsconfig references are the dependencies between workspaces', () => {
  const problems: string[] = [];
  for (const each of packages) {
    const wanted = [...each.dependencies, ...each.devDependencies]
      .map((name) => byName.get(name)?.path)
      .filter((path) => path !== undefined)
      .sort();
    const found = [...each.references].sort();
    if (wanted.join() !== found.join()) {
      problems.push(`${each.path}/tsconfig.json references [${found}], dependencies are [${wanted}]`);
    }
    if (!rootReferences().includes(each.path)) problems.push(`tsconfig.json does not reference ${each.path}`);
  }
  assertNone(problems, 'references match package.json');
});

test('every import is declared, and every dependency is imported', () => {
  const problems: string[] = [];
  const shared = new Set(rootDevDependencies());
  const used = new Map(packages.map((each) => [each.path, new Set<string>()]));
  for (const source of everySource) {
    const owner = packageOf(source.path);
    for (const { specifier, line } of source.imports) {
      const name = packageNameOf(specifier);
      if (name === undefined || name === owner?.name) continue;
      if (owner) used.get(owner.path)?.add(name);
      const declared = new Set(owner?.dependencies);
      if (!owner || isPrivate(owner) || isTestFile(source.path)) {
        for (const each of [...shared, ...(owner?.devDependencies ?? [])]) declared.add(each);
      }
      if (!declared.has(name)) problems.push(`${source.path}:${line} imports ${name}, which is not declared`);
    }
  }
  for (const each of packages) {
    for (const name of [...each.dependencies, ...each.devDependencies]) {
      const imported = used.get(each.path)?.has(name.replace(/^@types\//, ''));
      if (!imported && !SILENT_DEPENDENCIES[`${each.path} ${name}`]) {
        problems.push(`${each.path}/package.json declares ${name}, which nothing imports`);
      }
    }
  }
  assertNone(problems, 'dependencies');
});

test('files and functions have readable lengths', () => {
  const problems: string[] = [];
  for (const source of sources) {
    if (source.lines > FILE_LINES_MAX && !LONG_FILES[source.path]) {
      problems.push(`${source.path} has ${source.lines} lines`);
    }
    for (const each of source.functions) {
      if (each.lines > FUNCTION_LINES_MAX && !LONG_FUNCTIONS[`${source.path} ${each.name}`]) {
        problems.push(`${source.path}:${each.line} ${each.name} has ${each.lines} lines`);
      }
    }
  }
  assertNone(problems, `at most ${FILE_LINES_MAX} lines a file and ${FUNCTION_LINES_MAX} a function`);
});

test('allowlists name what exists and is still needed', () => {
  const problems: string[] = [];
  for (const path of Object.keys(LONG_FILES)) {
    const lines = sources.find((source) => source.path === path)?.lines ?? 0;
    if (lines <= FILE_LINES_MAX) problems.push(path);
  }
  for (const entry of Object.keys(LONG_FUNCTIONS)) {
    const [path, name] = entry.split(' ');
    const found = sources
      .find((source) => source.path === path)
      ?.functions.find((each) => each.name === name);
    if ((found?.lines ?? 0) <= FUNCTION_LINES_MAX) problems.push(entry);
  }
  for (const entry of Object.keys(LIVE_EXPORTS)) {
    const [path, name] = entry.split(' ');
    if (!sources.find((source) => source.path === path)?.exports.some((each) => each.name === name))
      problems.push(entry);
  }
  assertNone(problems, 'stale entries of the allowlists');
});

test('nothing is left over: no markers, no focused tests, no commented-out imports', () => {
  // Put together here, so that this file does not find itself.
  const marker = new RegExp(
    `\\b(${['FIX', 'TO', 'X'].map((start, index) => start + ['ME', 'DO', 'XX'][index]).join('|')})\\b`,
  );
  const focused = /\b(test|it|describe|suite)\.only\(/;
  const problems: string[] = [];
  for (const path of files) {
    if (!/\.(ts|js|mjs|json|md|sh|yml)$/.test(path) && path !== '.ci/run') continue;
    for (const [index, line] of readText(path).split('\n').entries()) {
      if (marker.test(line)) problems.push(`${path}:${index + 1} ${line.trim()}`);
      if (path.endsWith('.ts') && (focused.test(line) || /^\s*\/\/ import .* from /.test(line))) {
        problems.push(`${path}:${index + 1} ${line.trim()}`);
      }
    }
  }
  assertNone(problems, 'leftovers');
});

test('no default exports', () => {
  const problems = sources
    .filter((source) => !DEFAULT_EXPORTS[source.path])
    .flatMap((source) => source.defaultExports.map((line) => `${source.path}:${line}`));
  assertNone(problems, 'named exports only');
});

test('names: kebab-case, and none that says nothing', () => {
  const problems: string[] = [];
  for (const path of files) {
    if (!/^(packages|bench|conformance|simulation|examples|tidy)\//.test(path)) continue;
    for (const part of path.split('/')) {
      if (/^(utils?|helpers?|misc|common)(\.|$)/.test(part))
        problems.push(`${path}: name it by what it does`);
      const upperCaseAllowed = /\.md$|^LICENSE$/.test(part);
      if (!upperCaseAllowed && !/^\.?[a-z0-9]+([-.][a-z0-9]+)*$/.test(part))
        problems.push(`${path}: not kebab-case`);
    }
  }
  assertNone(problems, 'file and folder names');
});

test('no stray large files', () => {
  const problems = files
    .map((path) => ({ path, bytes: statSync(join(ROOT, path)).size }))
    .filter(({ bytes }) => bytes > FILE_BYTES_MAX)
    .map(({ path, bytes }) => `${path} has ${bytes} bytes`);
  assertNone(problems, `at most ${FILE_BYTES_MAX} bytes a file`);
});

test('every file opens by saying what it is', () => {
  const problems = sources
    .filter((source) => !isTestFile(source.path) && source.text.trim() !== '')
    .filter((source) => !/^(#![^\n]*\n)?\s*\/[*/]/.test(source.text))
    .map((source) => source.path);
  assertNone(problems, 'a comment at the head of the file');
});

/** For every file, the names that other files import from it. */
function importedNames(): Map<string, Set<string>> {
  const imported = new Map<string, Set<string>>();
  const add = (path: string, names: readonly string[]): void => {
    const known = imported.get(path) ?? new Set();
    for (const name of names) known.add(name);
    imported.set(path, known);
  };
  for (const source of sources) {
    for (const { specifier, names } of source.imports) {
      if (specifier.startsWith('.')) add(normalize(join(dirname(source.path), specifier)), names);
    }
  }
  return imported;
}

test('no dead exports', () => {
  const imported = importedNames();
  const entries = new Set(packages.flatMap((each) => each.entries));
  const isPublic = (source: SourceFacts): boolean =>
    entries.has(source.path) || /\/src\/(index|internal)\.ts$/.test(source.path);
  const problems: string[] = [];
  for (const source of sources) {
    if (isPublic(source)) continue;
    const used = imported.get(source.path) ?? new Set();
    if (used.has('*')) continue;
    for (const each of source.exports) {
      if (used.has(each.name) || LIVE_EXPORTS[`${source.path} ${each.name}`]) continue;
      // A type that another export of the file mentions is part of that export.
      if (each.isType && each.usedInFile) continue;
      problems.push(`${source.path}:${each.line} ${each.name}`);
    }
  }
  assertNone(problems, 'an export is used by another file, or part of the public API');
});

test('every package has a README that names each dependency with a line of why', () => {
  const problems: string[] = [];
  for (const each of packages) {
    if (each.readme === undefined) {
      problems.push(`${each.path} has no README.md`);
      continue;
    }
    const external = (
      isPrivate(each) ? [...each.dependencies, ...each.devDependencies] : each.dependencies
    ).filter((name) => !byName.has(name) && !name.startsWith('@types/'));
    const lines = each.readme.split('\n');
    for (const name of external) {
      const explained = lines.some(
        (line) => line.includes(`\`${name}\``) && line.replace(`\`${name}\``, '').trim().length > 15,
      );
      if (!explained) problems.push(`${each.path}/README.md does not say why \`${name}\` is used`);
    }
  }
  assertNone(problems, 'READMEs');
});
