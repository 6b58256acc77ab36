/** The README's first example works as it stands there. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

test('the example of the README, on another port', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const example = readme.match(/```ts\n([\s\S]*?)```/)?.[1] ?? '';
  assert.ok(example.split('\n').length <= 16, 'fifteen lines');
  const probe = createServer().listen(0);
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  const folder = mkdtempSync(join(tmpdir(), 'larder-readme-'));
  const file = join(folder, 'example.ts');
  const code = example
    .replaceAll('7070', String(port))
    .replace("'@larder/wire'", JSON.stringify(new URL('./index.ts', import.meta.url).href))
    .replace(
      "'./get-m.larder.ts'",
      JSON.stringify(new URL('./testing/get-m.larder.ts', import.meta.url).href),
    );
  writeFileSync(file, code);
  try {
    const { stdout } = await promisify(execFile)(process.execPath, ['-C', 'larder-source', file], {
      timeout: 20_000,
    });
    assert.equal(stdout, '1 2 1048576\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
