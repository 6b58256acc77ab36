/** The example of the protocol's README works as it stands there. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { startServer } from '../start-server.ts';

test('the example of the README, on another port', async () => {
  const readme = readFileSync(new URL('../../../protocol/README.md', import.meta.url), 'utf8');
  const example = /```ts\n([^`]*KeyValueClient[^`]*)```/.exec(readme)?.[1] ?? '';
  const server = await startServer({
    port: 0,
    adminPort: 'off',
    threads: 1,
    rpcPort: 0,
    memoryBytes: 16 << 20,
  });
  const port = server.addresses.find(({ kind }) => kind === 'rpc')?.port;
  const folder = mkdtempSync(join(tmpdir(), 'larder-rpc-readme-'));
  try {
    const code = example
      .replaceAll('11212', String(port))
      .replaceAll(/from '(@larder\/[^']+)'/g, (_, name: string) => `from '${import.meta.resolve(name)}'`);
    const file = join(folder, 'example.mts');
    writeFileSync(file, code);
    const { stdout } = await promisify(execFile)(process.execPath, ['-C', 'larder-source', file], {
      timeout: 20_000,
    });
    const wanted = [...example.matchAll(/console\.log.*\/\/ (.+)$/gm)].map(([, text]) => text);
    assert.equal(wanted.length, 4);
    assert.deepEqual(stdout.trimEnd().split('\n'), wanted);
  } finally {
    rmSync(folder, { recursive: true });
    await server.stop();
  }
});
