/** The README's first example works as pasted: it is run, with only the package's name and the server put in. */
import { strict as assert } from 'node:assert';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { startServer } from './testing/servers.ts';

test("the README's first example", async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  const server = await startServer('larder');
  const folder = mkdtempSync(join(tmpdir(), 'larder-readme-'));
  try {
    const text = example
      .replace("'@larder/client'", JSON.stringify(new URL('./index.ts', import.meta.url).pathname))
      .replace('new Cache()', `new Cache({ servers: '${server.address}', throwOnTrouble: true })`);
    assert.match(text, /servers: /);
    const file = join(folder, 'example.mts');
    writeFileSync(file, text);
    const run = promisify(execFile);
    const { stdout } = await run(process.execPath, ['-C', 'larder-source', file]);
    assert.equal(stdout, 'user 7\nuser 7 1 1\n');
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
