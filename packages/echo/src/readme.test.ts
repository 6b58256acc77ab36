/** The README's example works as it stands there. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { SERIALIZERS } from './serializers/serializer-list.ts';

const README: string = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

test('the example of the README', async () => {
  const example = README.match(/```ts\n([\s\S]*?)```/)?.[1] ?? '';
  const folder = mkdtempSync(join(tmpdir(), 'larder-readme-'));
  const file = join(folder, 'example.ts');
  const index = JSON.stringify(new URL('./index.ts', import.meta.url).href);
  writeFileSync(file, example.replace("'@larder/echo'", index));
  try {
    const { stdout } = await promisify(execFile)(process.execPath, ['-C', 'larder-source', file], {
      timeout: 20_000,
    });
    assert.match(stdout, /^[1-9]\d* echoes, 0 wrong, p99 \d+\.\d+ ms; 0 refused\n$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the table of serializers has all of them', () => {
  const named = [...README.matchAll(/^\| `([a-z-]+)` \|/gm)].map((match) => match[1]!);
  for (const { name } of SERIALIZERS) assert.ok(named.includes(name), name);
});
