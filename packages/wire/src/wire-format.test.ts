/** The runtime against the format written down a second time: random schemas, field counts, schema evolution. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  BITMAP_WORDS_MAX,
  Encoder,
  encode,
  FIELD_NUMBER_MAX,
  Message,
  serialize,
  WireError,
} from './index.ts';
import { arbitraryMessage } from './testing/arbitrary.ts';
import { DynamicObject, readDynamic } from './testing/dynamic.ts';
import { decodeReference, encodeReference } from './testing/reference-codec.ts';
import type { Field, Fields, Schema } from './testing/schema.ts';

const seed = 20_261_120;

test(`random schemas and values: the same bytes as the reference, and the same values back (seed ${seed})`, () => {
  const encoder = new Encoder(null, { referenceBytesMin: Number.POSITIVE_INFINITY });
  fc.assert(
    fc.property(arbitraryMessage, ({ schema, fields }) => {
      const bytes = encode(new DynamicObject(encoder, schema, fields));
      assert.deepEqual(Buffer.from(bytes), Buffer.from(encodeReference(schema, fields)));
      assert.deepEqual(readDynamic(schema, Message.of(bytes)), decodeReference(schema, bytes));
    }),
    { seed, numRuns: 400 },
  );
});

test(`by reference or copied, a reader sees the same (seed ${seed})`, () => {
  fc.assert(
    fc.property(
      arbitraryMessage,
      fc.integer({ min: 0, max: 100 }),
      ({ schema, fields }, referenceBytesMin) => {
        const encoder = new Encoder(null, { referenceBytesMin, referencesMax: 5 });
        const list = serialize(new DynamicObject(encoder, schema, fields));
        const joined = list.toUint8Array();
        const copied = encodeReference(schema, fields);
        assert.deepEqual(decodeReference(schema, joined), decodeReference(schema, copied));
        assert.deepEqual(readDynamic(schema, Message.of(joined)), decodeReference(schema, copied));
        assert.ok(list.parts.length <= 1 + 2 * 5 + 1);
        assert.deepEqual(encode(new DynamicObject(encoder, schema, fields)).length, joined.length);
      },
    ),
    { seed, numRuns: 300 },
  );
});

/** `count` uint32 fields, every `step`-th number from 1. */
function manyFields(count: number, step: number): Schema {
  return {
    root: Array.from({ length: count }, (_, index): Field => ({ number: 1 + index * step, kind: 'uint32' })),
  };
}

for (const count of [1, 32, 33, 200]) {
  for (const step of [1, 3, 97]) {
    test(`${count} fields, every ${step}th number: all, none, and each alone`, () => {
      const schema = manyFields(count, step);
      const encoder = new Encoder();
      const check = (fields: Fields): Uint8Array => {
        const bytes = encode(new DynamicObject(encoder, schema, fields));
        assert.deepEqual(Buffer.from(bytes), Buffer.from(encodeReference(schema, fields)));
        assert.deepEqual(readDynamic(schema, Message.of(bytes)), fields);
        return bytes;
      };
      const all: Fields = new Map(schema.root!.map(({ number }) => [number, number * 7]));
      check(all);
      assert.equal(check(new Map()).length, 8);
      for (const [number, value] of all) check(new Map([[number, value]]));
    });
  }
}

test('the largest field number, and none beyond', () => {
  const schema: Schema = { root: [{ number: FIELD_NUMBER_MAX, kind: 'uint32' }] };
  const bytes = encodeReference(schema, new Map([[FIELD_NUMBER_MAX, 5]]));
  assert.equal(new DataView(bytes.buffer).getUint32(0, true), BITMAP_WORDS_MAX);
  assert.deepEqual(readDynamic(schema, Message.of(bytes)), new Map([[FIELD_NUMBER_MAX, 5]]));
});

test(`a reader of an older schema skips what it does not know (seed ${seed})`, () => {
  const encoder = new Encoder();
  fc.assert(
    fc.property(arbitraryMessage, fc.infiniteStream(fc.boolean()), ({ schema, fields }, keep) => {
      const older: Schema = {
        root: schema.root!.filter(() => keep.next().value),
        inner: schema.inner!.filter(() => keep.next().value),
        leaf: schema.leaf!.filter(() => keep.next().value),
      };
      const bytes = encode(new DynamicObject(encoder, schema, fields));
      assert.deepEqual(readDynamic(older, Message.of(bytes)), decodeReference(older, bytes));
    }),
    { seed, numRuns: 200 },
  );
});

test('another format version is refused with a code', () => {
  const bytes = new Uint8Array(16);
  bytes.set([1, 0, 1, 0]);
  assert.throws(
    () => Message.of(bytes).open(0, 0),
    (error) => error instanceof WireError && error.code === 'VERSION',
  );
});
