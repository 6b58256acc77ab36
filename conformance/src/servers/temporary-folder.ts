/**
 * Folders for socket files, passwords and memory files. Made at the first use, because suites are registered
 * even when a filter runs none of their tests, and removed when the process ends, however the tests ended.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const made = new Set<string>();
process.on('exit', () => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

/** A function that returns the path of `name` in a folder of its own under `parent`. */
export function temporaryFolder(parent: string): (name: string) => string {
  let folder: string | undefined;
  return (name) => {
    if (folder === undefined) {
      folder = mkdtempSync(join(parent, 'conformance-'));
      made.add(folder);
    }
    return join(folder, name);
  };
}
