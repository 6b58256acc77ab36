/** The schemas that tests compile: hand-written in the manner of public ones. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const SCHEMA_FOLDER: string = fileURLToPath(new URL('../../testing/schemas', import.meta.url));

/** The import names of all of them. */
export const SCHEMA_NAMES: readonly string[] = readdirSync(SCHEMA_FOLDER, {
  recursive: true,
  encoding: 'utf8',
})
  .map((name) => name.replaceAll('\\', '/'))
  .filter((name) => name.endsWith('.proto'))
  .sort();

/** protobuf's own proto3 files, which are part of the compiler. */
export const WELL_KNOWN_NAMES: readonly string[] = [
  'any',
  'api',
  'duration',
  'empty',
  'field_mask',
  'source_context',
  'struct',
  'timestamp',
  'type',
  'wrappers',
].map((name) => `google/protobuf/${name}.proto`);
