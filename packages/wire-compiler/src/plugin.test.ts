/** The plugin as people run it: by protoc, by `npx buf generate`, by `larder generate`, and by its own command. */
import { strict as assert } from 'node:assert';
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { generateFrom } from './generate.ts';
import { folderReader } from './parser/load.ts';
import { GeneratedFolder, STRICTEST_OPTIONS } from './testing/generated-code.ts';
import { SCHEMA_FOLDER } from './testing/schema-folder.ts';

const LAUNCHER = fileURLToPath(new URL('../bin/protoc-gen-larder.js', import.meta.url));
const NAMES = ['transit/journey.proto', 'transit/place.proto', 'key-value.proto'];
const hasProtoc = spawnSync('protoc', ['--version']).status === 0;
const folder = mkdtempSync(join(tmpdir(), 'larder-plugin-'));
after(() => rmSync(folder, { recursive: true }));

function outputFolder(name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
}

function assertOutput(path: string, names: readonly string[] = NAMES): void {
  for (const { name, content } of generateFrom(names, folderReader([SCHEMA_FOLDER]), { imports: false }))
    assert.equal(readFileSync(join(path, name), 'utf8'), content, name);
}

function run(command: string, args: readonly string[], cwd = folder): SpawnSyncReturns<string> {
  // As `npx` does it: the commands of installed packages are found first.
  const commands = fileURLToPath(new URL('../../../node_modules/.bin', import.meta.url));
  const env = { ...process.env, PATH: `${commands}${delimiter}${process.env.PATH}` };
  return spawnSync(command, args, { encoding: 'utf8', cwd, env });
}

test('protoc runs the plugin', {
  skip: hasProtoc ? false : 'protoc is not installed (Debian: protobuf-compiler)',
}, () => {
  const path = outputFolder('protoc');
  const args = [`--plugin=protoc-gen-larder=${LAUNCHER}`, '-I', SCHEMA_FOLDER];
  const { status, stderr } = run('protoc', [...args, `--larder_out=${path}`, ...NAMES]);
  assert.equal(stderr, '');
  assert.equal(status, 0);
  assertOutput(path);
  writeFileSync(join(folder, 'old.proto'), '\nsyntax = "proto2";\nmessage A { optional int32 a = 1; }\n');
  const refused = run('protoc', [args[0]!, '-I', folder, `--larder_out=${path}`, 'old.proto']);
  assert.notEqual(refused.status, 0);
  assert.match(refused.stderr, /old\.proto:2:1: proto2 is not supported/);
});

test('buf runs the plugin', () => {
  const path = outputFolder('buf');
  const config = {
    version: 'v2',
    inputs: [{ directory: SCHEMA_FOLDER, paths: NAMES.map((name) => join(SCHEMA_FOLDER, name)) }],
    plugins: [{ local: LAUNCHER, out: 'gen', include_imports: true, include_wkt: true, strategy: 'all' }],
  };
  writeFileSync(join(path, 'buf.gen.yaml'), JSON.stringify(config));
  const buf = join(
    dirname(createRequire(import.meta.url).resolve('@bufbuild/buf/package.json')),
    'bin',
    'buf',
  );
  const { status, stderr } = run(process.execPath, [buf, 'generate'], path);
  assert.equal(stderr, '');
  assert.equal(status, 0);
  assertOutput(join(path, 'gen'));
  // With the comments of the file that buf brings along, so that it is not compared.
  assert.match(
    readFileSync(join(path, 'gen/google/protobuf/timestamp.larder.ts'), 'utf8'),
    /class Timestamp /,
  );
});

test('under buf, what is not supported is refused with its place', () => {
  const path = outputFolder('refused');
  const config = { version: 'v2', plugins: [{ local: LAUNCHER, out: 'gen' }] };
  writeFileSync(join(path, 'buf.gen.yaml'), JSON.stringify({ ...config, inputs: [{ directory: '.' }] }));
  const buf = join(
    dirname(createRequire(import.meta.url).resolve('@bufbuild/buf/package.json')),
    'bin',
    'buf',
  );
  const refused: readonly (readonly [string, RegExp])[] = [
    ['// x\nedition = "2023";\nmessage A {}\n', /a\.proto:2:1: editions are not supported/],
    ['syntax = "proto2";\nmessage A { repeated group B = 1 {} }\n', /a\.proto:1:1: proto2 is not supported/],
    ['syntax = "proto3";\nmessage A {\n  string s = 70000;\n}\n', /a\.proto:3:3: field s has number 70000/],
  ];
  for (const [text, pattern] of refused) {
    writeFileSync(join(path, 'a.proto'), text);
    const { status, stderr } = run(process.execPath, [buf, 'generate'], path);
    assert.notEqual(status, 0);
    assert.match(stderr, pattern);
  }
});

test('the command compiles by itself, and says where a schema is wrong', () => {
  const path = outputFolder('command');
  const args = ['-I', SCHEMA_FOLDER, '--out', path, ...NAMES.map((name) => join(SCHEMA_FOLDER, name))];
  const { status, stdout, stderr } = run(process.execPath, [LAUNCHER, ...args]);
  assert.equal(stderr, '');
  assert.equal(status, 0);
  assert.ok(stdout.split('\n').includes(join(path, 'transit/journey.larder.ts')));
  assertOutput(path, [...NAMES, 'google/protobuf/duration.proto']);

  writeFileSync(join(path, 'wrong.proto'), 'syntax = "proto3";\nmessage A {\n  Nope a = 1;\n}\n');
  const wrong = run(process.execPath, [LAUNCHER, join(path, 'wrong.proto')]);
  assert.equal(wrong.status, 1);
  assert.equal(wrong.stderr, 'wrong.proto:3:3: Nope is not defined\n');
  assert.equal(run(process.execPath, [LAUNCHER, '--nonsense']).status, 2);
  assert.match(run(process.execPath, [LAUNCHER, '--version']).stdout, /^protoc-gen-larder \d+\.\d+\.\d+\n$/);
});

test('JavaScript and declarations instead of TypeScript', () => {
  const [file] = generateFrom(['transit/place.proto'], folderReader([SCHEMA_FOLDER]), {
    parameter: 'target=js',
  });
  assert.equal(file?.name, 'transit/place.larder.js');
  assert.match(file.content, /export class PlaceView extends wire\.View/);
  assert.doesNotMatch(file.content, /: wire\.Message/);
});

test('JavaScript with its declarations, which say what the TypeScript says', () => {
  const parameter = 'target=js+dts';
  const files = generateFrom(['golden.proto', 'key-value.proto'], folderReader([SCHEMA_FOLDER]), {
    parameter,
  });
  assert.deepEqual(files.map(({ name }) => name).sort(), [
    'golden.larder.d.ts',
    'golden.larder.js',
    'key-value.larder.d.ts',
    'key-value.larder.js',
  ]);
  for (const { content } of files) assert.match(content, /^\/\/ .*\n|^\/\/ @generated/);
  const declarations = files.find(({ name }) => name === 'golden.larder.d.ts')!.content;
  assert.match(declarations, /get data\(\): Uint8Array;/);
  assert.match(declarations, /static \$shape\(\): wire\.Shape;/);
  const project = new GeneratedFolder(files);
  try {
    project.write(
      'use.ts',
      `import { KitchenSink, KitchenSinkView } from './golden.larder.js';
       import { encode } from '@larder/wire';
       export const view: KitchenSinkView = KitchenSinkView.read(encode(KitchenSink.from({ texts: ['a'] })));
       export const count: number = view.texts.length;`,
    );
    assert.equal(project.check(STRICTEST_OPTIONS), '');
  } finally {
    project.remove();
  }
});

test('an option that does not exist is an error and no stack trace', () => {
  const read = folderReader([SCHEMA_FOLDER]);
  assert.throws(() => generateFrom(['golden.proto'], read, { parameter: 'nope=1' }), {
    name: 'CompilerError',
    code: 'OPTION',
    message: 'invalid option "nope=1"',
  });
});

test('custom options under buf: what defines them is passed over, unless somebody has its types', () => {
  const path = outputFolder('options');
  const imports = { include_imports: true, include_wkt: true };
  const config = {
    version: 'v2',
    inputs: [{ directory: '.' }],
    plugins: [{ local: LAUNCHER, out: 'gen', ...imports }],
  };
  writeFileSync(join(path, 'buf.gen.yaml'), JSON.stringify(config));
  writeFileSync(
    join(path, 'rules.proto'),
    `syntax = "proto2"; package rules; import "google/protobuf/descriptor.proto";
     message Rule { optional int32 max = 1; }
     extend google.protobuf.FieldOptions { optional Rule rule = 50001; }`,
  );
  const user = (fields: string): string => `syntax = "proto3"; import "rules.proto";
    message User { string email = 1 [(rules.rule).max = 3]; ${fields} }`;
  writeFileSync(join(path, 'user.proto'), user(''));
  const buf = join(
    dirname(createRequire(import.meta.url).resolve('@bufbuild/buf/package.json')),
    'bin',
    'buf',
  );
  const good = run(process.execPath, [buf, 'generate'], path);
  assert.equal(good.stderr, '');
  assert.deepEqual(readdirSync(join(path, 'gen'), { recursive: true }), ['user.larder.ts']);
  writeFileSync(join(path, 'user.proto'), user('rules.Rule rule = 2;'));
  assert.match(
    run(process.execPath, [buf, 'generate'], path).stderr,
    /rules\.proto:1:1: proto2 is not supported/,
  );
});
