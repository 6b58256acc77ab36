/** docs/protocol/wire-format-vectors.json: what any implementation must write, read and refuse. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Encoder, encode, Message, WIRE_VERSION, WireError } from './index.ts';
import { DynamicObject, readDynamic } from './testing/dynamic.ts';
import { decodeReference, encodeReference } from './testing/reference-codec.ts';
import { fromJson, type Schema, toJson } from './testing/schema.ts';

interface Vector {
  readonly name: string;
  readonly schema: Schema;
  readonly value: { readonly [number: string]: unknown };
  readonly hex: string;
  readonly code: string;
}

const path = new URL('../../../docs/protocol/wire-format-vectors.json', import.meta.url);
const vectors = JSON.parse(readFileSync(path, 'utf8')) as {
  readonly version: number;
  readonly valid: readonly Vector[];
  readonly readable: readonly Vector[];
  readonly invalid: readonly Vector[];
};
const bytesOf = ({ hex }: Vector): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('the vectors are of the version that is written', () => {
  assert.equal(vectors.version, WIRE_VERSION);
  assert.ok(vectors.valid.length >= 30 && vectors.readable.length >= 5 && vectors.invalid.length >= 15);
});

for (const vector of vectors.valid) {
  const { name, schema, value, hex } = vector;
  test(`written and read: ${name}`, () => {
    const fields = fromJson(schema, 'root', value);
    assert.equal(hexOf(encodeReference(schema, fields)), hex);
    assert.equal(hexOf(encode(new DynamicObject(new Encoder(), schema, fields))), hex);
    const read = readDynamic(schema, Message.of(bytesOf(vector)));
    assert.deepEqual(read, decodeReference(schema, bytesOf(vector)));
    // What is absent is not among the values that come back.
    const again = toJson(schema, 'root', read);
    for (const [number, item] of Object.entries(again)) assert.deepEqual(item, value[number]);
    assert.equal(hexOf(encode(new DynamicObject(new Encoder(), schema, read))), hex);
  });
}

for (const vector of vectors.readable) {
  test(`read: ${vector.name}`, () => {
    const { schema, value } = vector;
    const read = readDynamic(schema, Message.of(bytesOf(vector)));
    assert.deepEqual(toJson(schema, 'root', read), value);
    assert.deepEqual(read, decodeReference(schema, bytesOf(vector)));
  });
}

for (const vector of vectors.invalid) {
  test(`refused: ${vector.name}`, () => {
    assert.throws(
      () => readDynamic(vector.schema, Message.of(bytesOf(vector))),
      (error) => error instanceof WireError && error.code === vector.code,
    );
  });
}

test('the worked examples of the specification are what is written', () => {
  const text = readFileSync(new URL('../../../docs/protocol/wire-format.md', import.meta.url), 'utf8');
  const blocks = [...text.slice(text.indexOf('## Worked examples')).matchAll(/```\n([\s\S]*?)```/g)];
  const hexOfBlock = (block: string): string =>
    block
      .trim()
      .split('\n')
      .map((line) => line.trim().match(/^\d+\s+((?:[0-9a-f]{2} +)+)/)?.[1] ?? '')
      .join('')
      .replaceAll(' ', '');
  const getM: Schema = {
    root: [
      { number: 1, kind: 'uint32' },
      { number: 2, kind: 'bytes', label: 'repeated' },
    ],
  };
  const outer: Schema = {
    root: [
      { number: 1, kind: 'message', message: 'inner' },
      { number: 40, kind: 'string' },
    ],
    inner: [{ number: 1, kind: 'string' }],
  };
  const first = fromJson(getM, 'root', { 1: 7, 2: ['68656c6c6f', '77'] });
  const second = fromJson(outer, 'root', { 1: { 1: 'in' }, 40: 'out' });
  assert.equal(hexOfBlock(blocks[0]![1]!), hexOf(encode(new DynamicObject(new Encoder(), getM, first))));
  assert.equal(hexOfBlock(blocks[1]![1]!), hexOf(encode(new DynamicObject(new Encoder(), outer, second))));
});
