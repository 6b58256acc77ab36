/** What the compiler refuses: with which code, and at which line and column. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { FIELD_NUMBER_MAX } from '@larder/wire';
import { CompilerError, type CompilerErrorCode } from './errors.ts';
import { generateFrom } from './generate.ts';
import { folderReader } from './parser/load.ts';
import { SCHEMA_FOLDER } from './testing/schema-folder.ts';

const HEAD = 'syntax = "proto3";\n';

/** The error of compiling `text`, which imports what is in `others`. */
function errorOf(text: string, others: Readonly<Record<string, string>> = {}): CompilerError {
  const files: Readonly<Record<string, string>> = { ...others, 'a.proto': text };
  try {
    generateFrom(['a.proto'], (name) => files[name]);
  } catch (error) {
    assert.ok(error instanceof CompilerError, String(error));
    return error;
  }
  throw new Error(`compiles: ${text}`);
}

/** [what is wrong, schema, code, line:column, part of the message] */
const CASES: readonly (readonly [string, string, CompilerErrorCode, string, RegExp])[] = [
  ['proto2', 'syntax = "proto2";', 'UNSUPPORTED', '1:10', /proto2 is not supported/],
  ['no syntax', '\nmessage A {}', 'UNSUPPORTED', '2:1', /syntax = "proto3"/],
  ['editions', '// x\nedition = "2023";', 'UNSUPPORTED', '2:1', /editions/],
  ['a group', `${HEAD}message A {\n  repeated group B = 1 {}\n}`, 'UNSUPPORTED', '3:12', /groups/],
  ['required', `${HEAD}message A { required int32 a = 1; }`, 'UNSUPPORTED', '2:13', /required/],
  ['a default', `${HEAD}message A { int32 a = 1 [default = 3]; }`, 'UNSUPPORTED', '2:26', /default values/],
  ['an extension range', `${HEAD}message A { extensions 4 to 5; }`, 'UNSUPPORTED', '2:13', /extension/],
  [
    'an extension',
    `${HEAD}message A {}\nextend A { int32 x = 4; }`,
    'UNSUPPORTED',
    '3:12',
    /custom options only/,
  ],
  ['features', `${HEAD}option features.field_presence = EXPLICIT;`, 'UNSUPPORTED', '2:8', /editions/],
  ['not a token', `${HEAD}message A { # }`, 'SYNTAX', '2:13', /"#"/],
  ['an open comment', `${HEAD}/* no end`, 'SYNTAX', '2:1', /not closed/],
  ['an open string', `syntax = "proto3`, 'SYNTAX', '1:10', /not closed/],
  ['an open message', `${HEAD}message A { int32 a = 1;`, 'SYNTAX', '2:25', /end of the file/],
  ['a missing semicolon', `${HEAD}message A { int32 a = 1 }`, 'SYNTAX', '2:25', /";"/],
  ['a missing number', `${HEAD}message A { int32 a; }`, 'SYNTAX', '2:20', /"="/],
  ['a wrong octal', `${HEAD}message A { int32 a = 09; }`, 'SYNTAX', '2:23', /octal/],
  ['an unknown type', `${HEAD}message A {\n  Nope a = 1;\n}`, 'UNKNOWN_TYPE', '3:3', /Nope is not defined/],
  [
    'a type that is a field',
    `${HEAD}message A { int32 a = 1; .A.a b = 2; }`,
    'UNKNOWN_TYPE',
    '2:26',
    /a field/,
  ],
  ['a number twice', `${HEAD}message A { int32 a = 1; int32 b = 1; }`, 'DUPLICATE', '2:32', /field a/],
  ['a name twice', `${HEAD}message A { int32 a = 1; int32 a = 2; }`, 'DUPLICATE', '2:32', /A.a is already/],
  [
    'a JSON name twice',
    `${HEAD}message A { int32 a_b = 1; int32 aB = 2; }`,
    'DUPLICATE',
    '2:34',
    /JSON name/,
  ],
  ['a message twice', `${HEAD}message A {}\nmessage A {}`, 'DUPLICATE', '3:9', /already a message/],
  [
    'a value twice',
    `${HEAD}enum A { X = 0; }\nenum B { X = 0; }`,
    'DUPLICATE',
    '3:10',
    /siblings of the enum/,
  ],
  ['number 0', `${HEAD}message A { int32 a = 0; }`, 'RESERVED', '2:23', /between 1 and/],
  ['number 19000', `${HEAD}message A { int32 a = 19000; }`, 'RESERVED', '2:19', /protobuf itself/],
  ['a huge number', `${HEAD}message A { int32 a = 536870912; }`, 'RESERVED', '2:23', /between/],
  [
    'a number beyond the wire format',
    `${HEAD}message A {\n  int32 a = ${FIELD_NUMBER_MAX + 1};\n}`,
    'UNSUPPORTED',
    '3:3',
    /the wire format has up to/,
  ],
  ['a reserved number', `${HEAD}message A { reserved 2 to 4; int32 a = 3; }`, 'RESERVED', '2:36', /reserved/],
  ['a reserved name', `${HEAD}message A { reserved "a"; int32 a = 3; }`, 'RESERVED', '2:33', /reserved/],
  ['an enum that begins at 1', `${HEAD}enum A { X = 1; }`, 'INVALID', '2:10', /must be 0/],
  ['an empty enum', `${HEAD}enum A {}`, 'INVALID', '2:6', /needs a value/],
  ['an alias', `${HEAD}enum A { X = 0; Y = 0; }`, 'DUPLICATE', '2:17', /allow_alias/],
  ['an empty oneof', `${HEAD}message A { oneof b {} }`, 'INVALID', '2:19', /needs a field/],
  ['a list in a oneof', `${HEAD}message A { oneof b { repeated int32 c = 1; } }`, 'INVALID', '2:23', /oneof/],
  [
    'a map in a oneof',
    `${HEAD}message A { oneof b { map<int32, int32> c = 1; } }`,
    'INVALID',
    '2:23',
    /oneof/,
  ],
  ['a map of floats', `${HEAD}message A { map<float, int32> c = 1; }`, 'INVALID', '2:17', /keys of a map/],
  ['an unknown option', `${HEAD}message A { int32 a = 1 [nope = 3]; }`, 'OPTION', '2:26', /no option nope/],
  ['an option of a wrong kind', `${HEAD}option deprecated = 3;`, 'OPTION', '2:21', /true or false/],
  [
    'jstype of a string',
    `${HEAD}message A { string a = 1 [jstype = JS_NUMBER]; }`,
    'OPTION',
    '2:20',
    /64-bit/,
  ],
  ['an import that is not there', `${HEAD}import "b.proto";`, 'IMPORT', '2:1', /b.proto is not found/],
  [
    'a method that hides its message',
    `${HEAD}message A {}\nservice S { rpc A(A) returns (.A); }`,
    'UNKNOWN_TYPE',
    '3:18',
    /A is a method, not a type/,
  ],
  [
    'an rpc of an enum',
    `${HEAD}enum E { X = 0; }\nservice S { rpc A(E) returns (E); }`,
    'INVALID',
    '3:18',
    /enum/,
  ],
];

for (const [what, text, code, place, pattern] of CASES) {
  test(`refused with its place: ${what}`, () => {
    const error = errorOf(text);
    assert.equal(error.code, code, error.message);
    assert.match(error.message, pattern);
    assert.ok(error.message.startsWith(`a.proto:${place}: `), `${error.message} (wanted ${place})`);
  });
}

test('nesting has a limit, and so have the braces of an option', () => {
  const nested = `${HEAD}${'message A {'.repeat(40)}${'}'.repeat(40)}`;
  assert.equal(errorOf(nested).code, 'LIMIT');
  const option = `${HEAD}option (x) = ${'{a:'.repeat(40)}1${'}'.repeat(40)};`;
  assert.equal(errorOf(option).code, 'LIMIT');
});

test('an import that is a folder, or no path at all, is an error at the import', () => {
  const read = folderReader([SCHEMA_FOLDER]);
  for (const path of ['shop', 'a\\0b', '../package.json', '/etc/passwd']) {
    const text = `${HEAD}import "${path}";`;
    const compile = (): unknown =>
      generateFrom(['a.proto'], (name) => (name === 'a.proto' ? text : read(name)));
    assert.throws(
      compile,
      (error: Error) => error instanceof CompilerError && /^a.proto:2:1: /.test(error.message),
    );
  }
});

test('files that import each other, and what is not imported', () => {
  const b = `${HEAD}import "a.proto";`;
  assert.match(
    errorOf(`${HEAD}import "b.proto";`, { 'b.proto': b }).message,
    /^b.proto:2:1: .*a.proto → b.proto/,
  );
  const c = { 'b.proto': `${HEAD}import "c.proto";`, 'c.proto': `${HEAD}message C {}` };
  const error = errorOf(`${HEAD}import "b.proto";\nmessage A { C c = 1; }`, c);
  assert.equal(error.code, 'UNKNOWN_TYPE');
  assert.match(error.message, /^a.proto:3:13: C is defined in c.proto, which is not imported/);
});

test('custom options are read over, and files that define them are not generated', () => {
  const files: Readonly<Record<string, string>> = {
    'options.proto': `${HEAD}package o; import "google/protobuf/descriptor.proto";
      extend google.protobuf.FieldOptions { string hint = 50000; }`,
    'a.proto': `${HEAD}import "options.proto"; message A { int32 a = 1 [(o.hint) = "x", deprecated = true]; }`,
  };
  const generated = generateFrom(['a.proto'], (name) => files[name]);
  assert.deepEqual(
    generated.map(({ name }) => name),
    ['a.larder.ts'],
  );
  assert.match(generated[0]!.content, /@deprecated/);
});
