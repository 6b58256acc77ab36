/**
 * The packages as a project outside the repository gets them: packed, installed in an empty folder, and the
 * README's example pasted. Needs the npm registry (or npm's cache of it).
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
const PACKED = ['datapath', 'wire', 'wire-compiler'];
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

test('packed, installed elsewhere, and used as the README says', { skip: whyNot() }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'larder-packed-'));
  try {
    const tsc = join(
      dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
      'bin',
      'tsc',
    );
    run(process.execPath, [tsc, '-b', 'packages/wire-compiler'], REPOSITORY);
    for (const name of PACKED)
      run('npm', ['pack', '--silent', '--pack-destination', folder], join(REPOSITORY, 'packages', name));
    const archives = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
    assert.equal(archives.length, PACKED.length);
    writeFileSync(join(folder, 'package.json'), '{ "type": "module", "private": true }');
    const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--silent'];
    const types = `@types/node@${JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')).devDependencies['@types/node']}`;
    run('npm', ['install', ...quiet, ...archives.map((name) => `./${name}`), types], folder);

    writeFileSync(join(folder, 'schema.proto'), block('proto'));
    writeFileSync(join(folder, 'example.ts'), block('ts'));
    assert.ok(block('ts').trimEnd().split('\n').length <= 20);
    run('npx', ['protoc-gen-larder', 'schema.proto'], folder);
    const options = { strict: true, module: 'nodenext', target: 'es2022', types: ['node'], outDir: 'out' };
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: options, include: ['*.ts'] }),
    );
    const checked = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
    assert.equal(checked.stdout, '');
    const printed = README.match(/It prints `([^`]+)`/)?.[1];
    assert.equal(run(process.execPath, [join(folder, 'out', 'example.js')], folder), `${printed}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
