import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { libcUnavailableReason } from './libc.ts';

const missing = libcUnavailableReason() ?? false;
const OPTIONS = ['-C', 'larder-source', '--input-type=module-typescript', '-e'];

/** Waits for ever, which a parent that is killed cannot tell it to stop doing. */
const CHILD = `
  import { endWithParent } from '${new URL('./parent.ts', import.meta.url).href}';
  endWithParent();
  console.log('ready');
  setInterval(() => {}, 1e6);
`;
const PARENT = `
  import { spawn } from 'node:child_process';
  spawn(process.execPath, ${JSON.stringify([...OPTIONS, CHILD])}, { stdio: ['ignore', 'inherit', 'inherit'] });
  setInterval(() => {}, 1e6);
`;

test('a process that ends with its parent does, even when that one is killed', {
  skip: missing,
  timeout: 10_000,
}, async () => {
  const parent = spawn(process.execPath, [...OPTIONS, PARENT], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [data] = await once(parent.stdout, 'data');
  assert.equal(String(data).trim(), 'ready');
  parent.kill('SIGKILL');
  // Both have the other end of the pipe: it closes when the last of them is gone.
  await once(parent.stdout, 'close');
});
