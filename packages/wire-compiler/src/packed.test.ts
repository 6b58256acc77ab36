/**
 * The packages as a project outside the repository gets them: packed, installed in an empty folder, and the
 * README's example pasted; once with this package alone, once with the `larder` command and all that it needs. Needs
 * the npm registry (or npm's cache of it).
 */
import { strict as assert } from 'node:assert';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** The folders below packages/ of a package and of those that it needs. */
function withNeeded(folder: string, found: Set<string> = new Set()): string[] {
  found.add(folder);
  const manifest = JSON.parse(
    readFileSync(join(REPOSITORY, 'packages', folder, 'package.json'), 'utf8'),
  ) as Manifest;
  for (const name of Object.keys(manifest.dependencies ?? {})) {
    const needed = name.match(/^@larder\/(.*)/)?.[1];
    if (needed !== undefined && !found.has(needed)) withNeeded(needed, found);
  }
  return [...found];
}
const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

function run(command: string, args: readonly string[], cwd: string): string {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** The first block of a language in the README. */
function block(language: string): string {
  const found = README.match(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``));
  assert.ok(found?.[1], `no ${language} block in the README`);
  return found[1];
}

/** Whether packages can be had; without a network the test says so and is skipped. */
function whyNot(): string | false {
  const { status } = spawnSync('npm', ['view', 'koffi', 'version', '--prefer-offline'], { timeout: 20_000 });
  return status === 0 ? false : 'the npm registry cannot be reached';
}

/** The commands, by the package to be installed for them. */
const COMMANDS: readonly (readonly [string, readonly string[]])[] = [
  ['wire-compiler', ['protoc-gen-larder']],
  ['cli', ['larder', 'generate']],
];

for (const [root, command] of COMMANDS) {
  test(`${command.join(' ')}: packed, installed elsewhere, and used as the README says`, {
    skip: whyNot(),
  }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'larder-packed-'));
    try {
      const tsc = join(
        dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
        'bin',
        'tsc',
      );
      install(root, tsc, folder);
      writeFileSync(join(folder, 'schema.proto'), block('proto'));
      writeFileSync(join(folder, 'example.ts'), block('ts'));
      assert.ok(block('ts').trimEnd().split('\n').length <= 20);
      run('npx', ['--no-install', ...command, 'schema.proto'], folder);
      const options = { strict: true, module: 'nodenext', target: 'es2022', types: ['node'], outDir: 'out' };
      writeFileSync(
        join(folder, 'tsconfig.json'),
        JSON.stringify({ compilerOptions: options, include: ['*.ts'] }),
      );
      const checked = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
      assert.equal(checked.stdout, '');
      const printed = README.match(/It prints `([^`]+)`/)?.[1];
      assert.equal(run(process.execPath, [join(folder, 'out', 'example.js')], folder), `${printed}\n`);
      const both = [...command, '--option', 'target=js+dts', '--out', 'js', 'schema.proto'];
      run('npx', ['--no-install', ...both], folder);
      assert.deepEqual(readdirSync(join(folder, 'js')).sort(), ['schema.larder.d.ts', 'schema.larder.js']);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

function install(root: string, tsc: string, folder: string): void {
  run(process.execPath, [tsc, '-b', `packages/${root}`], REPOSITORY);
  const needed = withNeeded(root);
  for (const name of needed)
    run('npm', ['pack', '--silent', '--pack-destination', folder], join(REPOSITORY, 'packages', name));
  const archives = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  assert.equal(archives.length, needed.length);
  writeFileSync(join(folder, 'package.json'), '{ "type": "module", "private": true }');
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--silent'];
  const manifest = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as {
    readonly devDependencies: Readonly<Record<string, string>>;
  };
  const types = `@types/node@${manifest.devDependencies['@types/node']}`;
  run('npm', ['install', ...quiet, ...archives.map((name) => `./${name}`), types], folder);
}
