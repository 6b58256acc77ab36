/**
 * Generated code as it was when somebody last looked at it. After a change that is meant:
 * `LARDER_UPDATE_GOLDEN=1 node -C larder-source --test packages/wire-compiler/src/golden.test.ts`, then read the
 * difference.
 */
import { strict as assert } from 'node:assert';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { generateFrom } from './generate.ts';
import { folderReader } from './parser/load.ts';
import { withoutVersion } from './testing/generated-code.ts';
import { SCHEMA_FOLDER } from './testing/schema-folder.ts';

const GOLDEN_FOLDER = fileURLToPath(new URL('../testing/golden', import.meta.url));
const NAMES = ['key-value.proto', 'transit/place.proto', 'timeline.proto', 'golden.proto'];

for (const name of NAMES) {
  test(`golden file of ${name}`, () => {
    for (const { name: output, content } of generateFrom([name], folderReader([SCHEMA_FOLDER]))) {
      // Not `.ts`: these files are read by people, not by compilers.
      const path = join(GOLDEN_FOLDER, `${output}.txt`);
      if (process.env.LARDER_UPDATE_GOLDEN !== undefined) {
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, content);
      }
      assert.equal(
        withoutVersion(content),
        withoutVersion(readFileSync(path, 'utf8')),
        `${output} is not what it was`,
      );
    }
  });
}
