/** Random schemas with values for them. */
import fc from 'fast-check';
import type { Field, FieldKind, Fields, Schema, Value } from './schema.ts';

const SCALARS = [
  'bool',
  'int32',
  'uint32',
  'int64',
  'uint64',
  'int64Number',
  'uint64Number',
  'float',
  'double',
  'string',
  'bytes',
] as const;
const KEYS = ['bool', 'int32', 'uint32', 'int64', 'uint64', 'int64Number', 'uint64Number', 'string'] as const;
const MESSAGES = ['root', 'inner', 'leaf'] as const;

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc.string({ unit: 'binary-ascii', maxLength: 80 }),
  fc.constantFrom('__proto__', 'constructor', '\ufffd', '\ufeffbom', 'ä'.repeat(300)),
);

function scalar(kind: FieldKind): fc.Arbitrary<Value> {
  switch (kind) {
    case 'bool':
      return fc.boolean();
    case 'int32':
      return fc.integer();
    case 'uint32':
      return fc.integer({ min: 0, max: 0xffff_ffff });
    case 'int64':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case 'uint64':
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    case 'int64Number':
      return fc.maxSafeInteger();
    case 'uint64Number':
      return fc.maxSafeNat();
    case 'float':
      return fc.float();
    case 'double':
      return fc.double();
    case 'string':
      return text;
    default:
      return fc.uint8Array({ maxLength: 700 });
  }
}

const number = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 300 }));

const field: fc.Arbitrary<Field> = fc.oneof(
  fc.record({ number, kind: fc.constantFrom(...SCALARS) }),
  fc.record({
    number,
    kind: fc.constantFrom(...SCALARS),
    label: fc.constantFrom('optional' as const, 'repeated' as const),
  }),
  fc.record({
    number,
    kind: fc.constant('message' as const),
    message: fc.constantFrom(...MESSAGES),
  }),
  fc.record({
    number,
    kind: fc.constant('message' as const),
    message: fc.constantFrom(...MESSAGES),
    label: fc.constant('repeated' as const),
  }),
  fc.record({
    number,
    kind: fc.constantFrom(...SCALARS, 'message' as const),
    message: fc.constantFrom(...MESSAGES),
    label: fc.constant('map' as const),
    key: fc.constantFrom(...KEYS),
  }),
);

const fields = fc
  .uniqueArray(field, { selector: (each) => each.number, maxLength: 12 })
  .map((list) => list.sort((one, other) => one.number - other.number));

const arbitrarySchema: fc.Arbitrary<Schema> = fc.record({ root: fields, inner: fields, leaf: fields });

function fieldValue(schema: Schema, each: Field, depth: number): fc.Arbitrary<Value> {
  const item = each.kind === 'message' ? fieldsOf(schema, each.message!, depth - 1) : scalar(each.kind);
  if (each.label === 'repeated') return fc.array(item, { maxLength: depth > 0 ? 5 : 1 });
  if (each.label === 'map') {
    return fc.uniqueArray(fc.tuple(scalar(each.key!), item), {
      selector: ([key]) => key,
      maxLength: depth > 0 ? 4 : 1,
    });
  }
  return item;
}

/** Some of a message's fields; those with messages only down to a depth. */
function fieldsOf(schema: Schema, name: string, depth: number): fc.Arbitrary<Fields> {
  const usable = schema[name]!.filter((each) => each.kind !== 'message' || depth > 0);
  const values = usable.map((each) =>
    fc.option(
      fieldValue(schema, each, depth).map((value): [number, Value] => [each.number, value]),
      { nil: undefined },
    ),
  );
  return fc
    .tuple(...values)
    .map((entries) => new Map(entries.filter((entry): entry is [number, Value] => entry !== undefined)));
}

/** A schema and a value for it. */
export const arbitraryMessage: fc.Arbitrary<{ schema: Schema; fields: Fields }> = arbitrarySchema.chain(
  (schema) => fieldsOf(schema, 'root', 2).map((value) => ({ schema, fields: value })),
);
