/** A folder that is no good is told when the routing starts. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Routing } from '../routing.ts';
import { checkSpoolFolder } from './spool-folder.ts';

const folder = mkdtempSync(join(tmpdir(), 'larder-spool-folder-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('a folder is made with those above it, for nobody else, and left empty', () => {
  const deep = join(folder, 'a', 'b', 'c');
  checkSpoolFolder(deep);
  checkSpoolFolder(deep);
  assert.equal(statSync(deep).mode & 0o777, 0o700);
  assert.deepEqual(readdirSync(deep), []);
});

const file = join(folder, 'file');
writeFileSync(file, '');
const bad: readonly (readonly [string, string])[] = [
  [file, 'EEXIST'],
  [join(file, 'below'), 'ENOTDIR'],
];
// Whatever is made below /proc does not exist, says the kernel, also about its own folders.
const proc: readonly (readonly [string, string])[] =
  process.platform === 'linux' ? [['/proc/nope', 'ENOENT']] : [];
for (const [path, code] of [...bad, ...proc]) {
  test(`${path.replace(folder, '…')}: routing does not start, and says why`, async () => {
    const config = { pools: { A: { servers: ['127.0.0.1:1'] } }, route: 'PoolRoute|A' };
    await assert.rejects(Routing.open({ config, services: { spoolFolder: path } }), {
      name: 'RoutingError',
      code,
      message: new RegExp(`undelivered deletes cannot be spooled to .*${code}`),
    });
  });
}
