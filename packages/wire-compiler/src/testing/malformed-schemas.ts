/**
 * Seeded mutations of schemas: mostly of short ones that have everything between them, so that a million cases are a
 * matter of seconds, and of those that tests compile. A case takes one schema, changes it in some places and compiles
 * it; anything but generated code or a `CompilerError` with a place is a failure.
 *
 * LARDER_FUZZ_CASES and LARDER_FUZZ_SEED change the number of cases and where they begin.
 */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { CompilerError } from '../errors.ts';
import { generateFrom } from '../generate.ts';
import { folderReader, loadSchemas, type SourceReader } from '../parser/load.ts';
import { Random } from './random-message.ts';
import { SCHEMA_FOLDER, SCHEMA_NAMES } from './schema-folder.ts';

const CASE_MS_MAX = 2000;
/** Of so many cases one goes through code generation too, which is slower than all the rest. */
const GENERATE_EVERY = 10;
/** Of so many cases one is a mutation of a long schema, with its imports. */
const LONG_EVERY = 100;

/** Each by itself: the kinds of statements, types, literals and comments. */
const SHORT: readonly string[] = [
  'syntax = "proto3";\nmessage A { int32 a = 1; repeated string b = 2; A c = 3; }\n',
  'syntax = "proto3"; package x.y;\nmessage M { map<string, .x.y.M> m = 1; oneof o { bytes b = 2; E e = 3; } enum E { Z = 0; } }',
  'syntax = "proto3";\n// About E.\nenum E { option allow_alias = true; A = 0; B = 1 [deprecated = true]; C = 0x1; reserved 5 to 9, "D"; }',
  'syntax = "proto3"; message A {}\nservice S { rpc Do(A) returns (.A); rpc Watch(stream A) returns (stream A) { option deprecated = true; } }',
  'syntax = "proto3"; /* block */ message A { reserved 2, 4 to max; reserved "x"; optional double d = 1 [json_name = "e"]; }',
  'syntax = "proto3"; option java_package = "a" "b"; message A { message B { message C { uint64 d = 100 [jstype = JS_NUMBER]; } C c = 1; } B b = 65504; }',
  'syntax = "proto3"; import "google/protobuf/timestamp.proto"; message A { google.protobuf.Timestamp at = 1; }',
  'syntax = "proto3"; message A { repeated sint32 p = 1 [packed = false]; fixed64 f = 2; bool g = 3; float h = 33; };;',
];

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

/** Anything but a `CompilerError` with a place comes through. */
function compile(name: string, source: SourceReader, isGenerated: boolean): 'code' | 'error' {
  try {
    if (isGenerated) generateFrom([name], source);
    else loadSchemas([name], source);
    return 'code';
  } catch (error) {
    if (error instanceof CompilerError && error.place !== undefined) return 'error';
    throw error;
  }
}

/** Registers one test. */
export function runMalformedSchemas(casesUnlessTold: number, seedUnlessTold: number): void {
  const cases = Number(process.env.LARDER_FUZZ_CASES ?? casesUnlessTold);
  const seed = Number(process.env.LARDER_FUZZ_SEED ?? seedUnlessTold);
  const texts = new Map<string, string | undefined>();
  const readFile = folderReader([SCHEMA_FOLDER]);
  const read: SourceReader = (name) => {
    if (!texts.has(name)) texts.set(name, readFile(name));
    return texts.get(name);
  };
  const long = SCHEMA_NAMES.map((name) => [name, read(name)!] as const);
  const short = SHORT.map((text) => ['short.proto', text] as const);
  test(`${cases} malformed schemas end in code or in an error with a place (seed ${seed})`, () => {
    let refused = 0;
    for (let index = 0; index < cases; index++) {
      const random = new Random(seed * 1_000_003 + index);
      const [name, good] = random.pick(index % LONG_EVERY === 0 ? long : short);
      const text = mutate(good, random);
      const started = performance.now();
      try {
        const source: SourceReader = (each) => (each === name ? text : read(each));
        if (compile(name, source, index % GENERATE_EVERY === 0) === 'error') refused++;
      } catch (cause) {
        throw new Error(`case ${index} of seed ${seed}, a mutation of ${name}:\n${text}`, { cause });
      }
      assert.ok(
        performance.now() - started < CASE_MS_MAX,
        `case ${index} of seed ${seed} takes too long:\n${text}`,
      );
    }
    assert.ok(refused > cases / 4 && refused < cases, `${refused} of ${cases} were refused`);
  });
}
