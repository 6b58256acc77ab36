/** Generated code that is checked in is what the compiler makes of its schema today. */
import { strict as assert } from 'node:assert';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { generateFrom } from './generate.ts';
import { folderReader } from './parser/load.ts';
import { withoutVersion } from './testing/generated-code.ts';

const PACKAGES = fileURLToPath(new URL('../..', import.meta.url));
/** [folder, schema] */
const CHECKED_IN: readonly (readonly [string, string])[] = [
  ['client/src/testing', 'album.proto'],
  ['protocol/src/rpc', 'larder-rpc.proto'],
  ['echo/src/schema', 'echo.proto'],
  ['wire/src/rpc', 'failure.proto'],
  ['wire/src/testing', 'get-m.proto'],
  ['wire/src/testing', 'kitchen-sink.proto'],
];

for (const [folder, schema] of CHECKED_IN) {
  test(`${schema} is compiled (LARDER_UPDATE_GOLDEN=1 compiles it)`, () => {
    const read = folderReader([join(PACKAGES, folder)]);
    for (const { name, content } of generateFrom([schema], read, { parameter: 'import_extension=ts' })) {
      const path = join(PACKAGES, folder, name);
      if (process.env.LARDER_UPDATE_GOLDEN !== undefined) writeFileSync(path, content);
      assert.equal(
        withoutVersion(readFileSync(path, 'utf8')),
        withoutVersion(content),
        `${path} is not up to date`,
      );
    }
  });
}
