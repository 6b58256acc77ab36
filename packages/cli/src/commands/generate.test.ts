/** `larder generate` as a person runs it. */
import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const LAUNCHER = fileURLToPath(new URL('../../bin/larder.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'larder-generate-'));
after(() => rmSync(folder, { recursive: true }));

function larder(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [LAUNCHER, 'generate', ...args], { encoding: 'utf8', cwd: folder });
}

test('a schema with an import, beside it and elsewhere', () => {
  mkdirSync(join(folder, 'protos'));
  writeFileSync(
    join(folder, 'protos', 'a.proto'),
    'syntax = "proto3";\nimport "b.proto";\nmessage A { B b = 1; }\n',
  );
  writeFileSync(join(folder, 'protos', 'b.proto'), 'syntax = "proto3";\nmessage B { string s = 1; }\n');
  const beside = larder('protos/a.proto');
  assert.equal(beside.stderr, '');
  assert.equal(beside.status, 0);
  assert.match(readFileSync(join(folder, 'protos', 'a.larder.ts'), 'utf8'), /from "\.\/b\.larder\.js"/);
  assert.ok(existsSync(join(folder, 'protos', 'b.larder.ts')));
  const args = ['-I', 'protos', '--out', 'gen', '--no-imports', '--option', 'import_extension=none'];
  assert.equal(larder(...args, 'protos/a.proto').status, 0);
  assert.match(readFileSync(join(folder, 'gen', 'a.larder.ts'), 'utf8'), /from "\.\/b\.larder"/);
  assert.ok(!existsSync(join(folder, 'gen', 'b.larder.ts')));
});

test('a schema that is wrong: the place, and exit code 1', () => {
  writeFileSync(join(folder, 'wrong.proto'), 'syntax = "proto3";\nmessage A {\n  string s = 0;\n}\n');
  const { status, stderr, stdout } = larder('wrong.proto');
  assert.equal(status, 1);
  assert.equal(stderr, 'wrong.proto:3:14: a field number must be between 1 and 536870911, not 0\n');
  assert.equal(stdout, '');
  assert.equal(larder('absent.proto').status, 1);
  assert.equal(larder().status, 2);
});
