/**
 * Seeded mutations of the schemas that tests compile. A case takes one schema, changes it in some places and
 * compiles it; anything but generated code or a `CompilerError` with a place is a failure.
 */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CompilerError } from '../errors.ts';
import { generateFrom } from '../generate.ts';
import { folderReader, loadSchemas } from '../parser/load.ts';
import { Random } from './random-message.ts';
import { SCHEMA_FOLDER, SCHEMA_NAMES } from './schema-folder.ts';

const SEED = 3;
const CASE_MS_MAX = 2000;
/** Of so many cases one goes through code generation too, which is slower than all the rest. */
const GENERATE_EVERY = 20;

const PIECES: readonly string[] = [
  ...[
    '{',
    '}',
    '(',
    ')',
    '[',
    ']',
    '<',
    '>',
    ';',
    '=',
    ',',
    '.',
    '"',
    "'",
    '/*',
    '*/',
    '//',
    '-',
    '\\',
    '\0',
  ],
  ...['message ', 'enum ', 'oneof ', 'map<', 'repeated ', 'optional ', 'group ', 'extend ', 'reserved '],
  ...['to max', 'stream ', 'returns', 'import ', 'package ', 'option ', 'syntax', 'rpc ', 'int32', '.edge.'],
  ...[
    '0',
    '1',
    '19000',
    '65505',
    '536870912',
    '99999999999999999999',
    '0x',
    '1e9',
    '__proto__',
    'constructor',
  ],
  ...['\ufeff', '\u2028', '😀', '\ud800', '\r', '\n', '\t'],
];

function mutate(text: string, random: Random): string {
  let mutated = text;
  for (let times = 1 + random.integer(4); times > 0; times--) {
    const at = random.integer(mutated.length + 1);
    const end = Math.min(mutated.length, at + random.integer(random.chance(20) ? 200 : 8));
    const kind = random.integer(4);
    if (kind === 0) mutated = mutated.slice(0, at) + mutated.slice(end);
    else if (kind === 1) mutated = mutated.slice(0, at) + random.pick(PIECES) + mutated.slice(at);
    else if (kind === 2) mutated = mutated.slice(0, at) + random.pick(PIECES) + mutated.slice(end);
    else mutated = mutated.slice(0, end) + mutated.slice(at, end) + mutated.slice(end);
  }
  return mutated;
}

/** Registers one test of `cases` cases. */
export function runMalformedSchemas(cases: number): void {
  const texts = new Map(SCHEMA_NAMES.map((name) => [name, readFileSync(join(SCHEMA_FOLDER, name), 'utf8')]));
  // The largest schema would take nearly all the time.
  const names = SCHEMA_NAMES.filter((name) => (texts.get(name)?.length ?? 0) < 5000);
  const read = folderReader([SCHEMA_FOLDER]);
  test(`${cases} malformed schemas end in code or in an error with a place`, () => {
    let refused = 0;
    for (let index = 0; index < cases; index++) {
      const random = new Random(SEED * 1_000_003 + index);
      const name = random.pick(names);
      const text = mutate(texts.get(name) ?? '', random);
      const started = performance.now();
      const source = (each: string): string | undefined => (each === name ? text : read(each));
      try {
        if (index % GENERATE_EVERY === 0) generateFrom([name], source);
        else loadSchemas([name], source);
      } catch (error) {
        const isRight = error instanceof CompilerError && error.place !== undefined;
        assert.ok(isRight, `case ${index} of ${name}: ${String(error)}\n${text}`);
        refused++;
      }
      assert.ok(
        performance.now() - started < CASE_MS_MAX,
        `case ${index} of ${name} takes too long:\n${text}`,
      );
    }
    assert.ok(refused > cases / 2 && refused < cases, `${refused} of ${cases} were refused`);
  });
}
