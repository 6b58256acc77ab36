/** The news of a file: as editors write it, and as Kubernetes mounts it. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { systemClock } from '../clock.ts';
import { openSource } from './source.ts';

/** Only the watch can tell in time. */
const NEVER_MS = 3_600_000;
const folder = mkdtempSync(join(tmpdir(), 'larder-source-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Calls `change` and resolves with the text that the news brings. */
async function newsOf(file: string, change: () => void): Promise<string | undefined> {
  const source = openSource({ file }, systemClock, NEVER_MS);
  // What waits for news does not keep the process alive.
  const alive = setInterval(() => {}, 1000);
  try {
    const { promise, resolve } = Promise.withResolvers<void>();
    source.start(resolve);
    change();
    await promise;
    return await source.read();
  } finally {
    clearInterval(alive);
    source.close();
  }
}

function mountVersion(version: string): void {
  mkdirSync(join(folder, version));
  writeFileSync(join(folder, version, 'config.json'), version);
  symlinkSync(version, join(folder, '..data_tmp'));
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
}

test('Kubernetes swaps the folder behind a link', { timeout: 10_000 }, async () => {
  mountVersion('..2026_1');
  const file = join(folder, 'config.json');
  symlinkSync(join('..data', 'config.json'), file);
  // The file and its link stay as they are: what changes is called `..data`.
  assert.equal(await newsOf(file, () => mountVersion('..2026_2')), '..2026_2');
});

test('a file that another one takes the place of', { timeout: 10_000 }, async () => {
  const file = join(folder, 'plain.json');
  writeFileSync(file, 'one');
  const replace = (): void => {
    writeFileSync(`${file}.new`, 'two');
    renameSync(`${file}.new`, file);
  };
  assert.equal(await newsOf(file, replace), 'two');
});
