/** The parser against protoc and buf: the same descriptors, the same comments at the same places. */
import { strict as assert } from 'node:assert';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { before, test } from 'node:test';
import { clone, fromBinary, toJsonString } from '@bufbuild/protobuf';
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';
import { SCHEMA_FOLDER, SCHEMA_NAMES } from '../testing/schema-folder.ts';
import { folderReader, loadSchemas } from './load.ts';

const hasProtoc = spawnSync('protoc', ['--version']).status === 0;
const mine = new Map<string, FileDescriptorProto>();

before(() => {
  for (const file of loadSchemas(SCHEMA_NAMES, folderReader([SCHEMA_FOLDER])).files)
    mine.set(file.name, file);
});

/** What a compiler makes of all schemas, as a FileDescriptorSet with source info. */
function compileWith(run: (output: string) => void): FileDescriptorProto[] {
  const folder = mkdtempSync(join(tmpdir(), 'larder-parser-'));
  try {
    const output = join(folder, 'set.binpb');
    run(output);
    return fromBinary(FileDescriptorSetSchema, readFileSync(output)).file;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function withoutSourceInfo(file: FileDescriptorProto): string {
  const copy = clone(FileDescriptorProtoSchema, file);
  copy.sourceCodeInfo = undefined;
  // buf notes unused imports and the like in unknown fields, which are no part of the schema.
  copy.$unknown = [];
  return toJsonString(FileDescriptorProtoSchema, copy, { prettySpaces: 1 });
}

/** Path → place and comments. */
function locations(file: FileDescriptorProto): Map<string, string> {
  return new Map(
    (file.sourceCodeInfo?.location ?? []).map((each) => [
      each.path.join('.'),
      JSON.stringify([each.span, each.leadingComments, each.trailingComments, each.leadingDetachedComments]),
    ]),
  );
}

/** The first difference says enough; a whole descriptor would hide it. */
function assertSameLines(found: string, wanted: string, what: string): void {
  const lines = wanted.split('\n');
  const differing = found.split('\n').findIndex((line, index) => line !== lines[index]);
  if (differing < 0) return;
  const around = (text: string): string =>
    text
      .split('\n')
      .slice(Math.max(0, differing - 6), differing + 2)
      .join('\n');
  assert.equal(around(found), around(wanted), what);
}

function assertSame(theirs: readonly FileDescriptorProto[]): void {
  for (const file of theirs) {
    if (!SCHEMA_NAMES.includes(file.name)) continue;
    const own = mine.get(file.name);
    assert.ok(own, file.name);
    assertSameLines(withoutSourceInfo(own), withoutSourceInfo(file), file.name);
    const wanted = locations(file);
    for (const [path, found] of locations(own)) {
      assert.equal(found, wanted.get(path), `${file.name}: what stands at the path ${path}`);
    }
  }
  assert.ok(theirs.length >= SCHEMA_NAMES.length);
}

test('descriptors and comments are those of protoc', {
  skip: hasProtoc ? false : 'protoc is not installed (Debian: protobuf-compiler)',
}, () => {
  assertSame(
    compileWith((output) => {
      execFileSync('protoc', [
        '-I',
        SCHEMA_FOLDER,
        '--include_imports',
        '--include_source_info',
        '-o',
        output,
        ...SCHEMA_NAMES,
      ]);
    }),
  );
});

test('descriptors and comments are those of buf', () => {
  const buf = join(
    dirname(createRequire(import.meta.url).resolve('@bufbuild/buf/package.json')),
    'bin',
    'buf',
  );
  assertSame(
    compileWith((output) => {
      execFileSync(process.execPath, [buf, 'build', SCHEMA_FOLDER, '-o', `${output}`]);
    }),
  );
});
