/** proto3's JSON mapping, by examples whose JSON is written out here. */
import { strict as assert } from 'node:assert';
import { after, before, test } from 'node:test';
import { encode, Message, type View, WireError, type WireObject } from '@larder/wire';
import {
  fromJson,
  fromJsonString,
  type MessageSchema,
  toJson,
  toJsonString,
  toProtobuf,
} from '@larder/wire/protobuf';
import { generateFrom } from './generate.ts';
import { folderReader } from './parser/load.ts';
import { GeneratedFolder } from './testing/generated-code.ts';
import { SCHEMA_FOLDER } from './testing/schema-folder.ts';

type AnySchema = MessageSchema<WireObject, object, View>;

const NAMES = ['shop/order.proto', 'edge-cases.proto', 'transit/place.proto'];
const folder = new GeneratedFolder(
  generateFrom(NAMES, folderReader([SCHEMA_FOLDER]), { parameter: 'import_extension=ts' }),
);
after(() => folder.remove());

let schemas: Readonly<Record<string, AnySchema>>;
before(async () => {
  const modules = await Promise.all(NAMES.map((name) => folder.load(name.replace(/proto$/, 'larder.ts'))));
  schemas = Object.assign({}, ...modules) as Readonly<Record<string, AnySchema>>;
});

function schemaOf(name: string): AnySchema {
  const found = schemas[`${name}Schema`];
  assert.ok(found, name);
  return found;
}

function view(schema: AnySchema, builder: WireObject): View {
  return new schema.view(Message.of(encode(builder)));
}

function throughWire(name: string, init: object): View {
  const schema = schemaOf(name);
  return view(schema, schema.builder.from(init));
}

const ORDER = {
  orderName: 'orders/1',
  customerId: 'c',
  lineItems: [
    {
      sku: 's',
      quantity: 2,
      unitPrice: { currencyCode: 'EUR', units: '9007199254740993', nanos: -5 },
      percent: 10,
    },
    { loyalty: {} },
  ],
  state: 'STATE_CANCELLED',
  labels: { __proto__x: '1', b: '' },
  history: { '-3': 'STATE_PAID', '7': 'STATE_PLACED' },
  createTime: '2026-11-20T10:00:00.500Z',
  metadata: { a: [1, 'x', null, { b: true }] },
  note: 'a note',
  loyaltyPoints: '12',
  version: '9007199254740991',
  checksum: '18446744073709551615',
};

test('messages from JSON and back: names, 64 bits, enums, maps, and protobuf’s own types', () => {
  const schema = schemaOf('Order');
  const read = view(schema, fromJson(schema, ORDER));
  assert.deepEqual(toJson(schema, read), ORDER);
  assert.deepEqual(JSON.parse(toJsonString(schema, read)), ORDER);
  assert.equal(Reflect.get(read, 'version'), Number.MAX_SAFE_INTEGER, 'jstype = JS_NUMBER');
  assert.equal(Reflect.get(read, 'checksum'), 2n ** 64n - 1n, 'jstype = JS_STRING changes nothing');
  const options = { useProtoFieldName: true, enumAsInteger: true };
  const json = toJson(schema, read, options) as Readonly<Record<string, unknown>>;
  assert.equal(json.customer_id, 'c');
  assert.equal(json.state, -1);
});

test('scalars: base64, NaN and infinities, minus zero, defaults', () => {
  const scalars = throughWire('Scalars', {
    bytesValue: Uint8Array.of(0xfb, 0xff),
    doubleValue: Number.NaN,
    floatValue: Number.NEGATIVE_INFINITY,
    boolValue: true,
    int32Value: -1,
    fixed64Value: 1n,
  });
  assert.deepEqual(toJson(schemaOf('Scalars'), scalars), {
    doubleValue: 'NaN',
    floatValue: '-Infinity',
    int32Value: -1,
    fixed64Value: '1',
    boolValue: true,
    bytesValue: '+/8=',
  });
  const zero = view(schemaOf('Scalars'), fromJson(schemaOf('Scalars'), { doubleValue: -0 }));
  assert.ok(Object.is(Reflect.get(zero, 'doubleValue'), -0));
  const empty = toJson(schemaOf('Scalars'), throughWire('Scalars', {}), { alwaysEmitImplicit: true });
  assert.equal((empty as Readonly<Record<string, unknown>>).int64Value, '0');
  assert.deepEqual(
    toJson(schemaOf('Optionals'), throughWire('Optionals', { int32Value: 0, stringValue: '' })),
    {
      int32Value: 0,
      stringValue: '',
    },
  );
});

test('Any, with the types that it may have', () => {
  const schema = schemaOf('Order');
  const json = { attachments: [{ '@type': 'type.googleapis.com/city.transit.v1.LatLng', latitude: 1.5 }] };
  const types = [schemaOf('LatLng')];
  const read = view(schema, fromJson(schema, json, { types }));
  assert.deepEqual(toJson(schema, read, { types }), json);
  assert.throws(() => toJson(schema, read), WireError);
});

test('what does not fit is a WireError', () => {
  const schema = schemaOf('Order');
  for (const json of [
    { nope: 1 },
    { state: 'NOPE' },
    { version: '9007199254740993' },
    { labels: 3 },
    [],
    null,
    'x',
  ])
    assert.throws(() => view(schema, fromJson(schema, json)), WireError, JSON.stringify(json));
  assert.throws(() => fromJsonString(schema, '{'), WireError);
  assert.deepEqual(
    toJson(schema, view(schema, fromJson(schema, { nope: 1 }, { ignoreUnknownFields: true }))),
    {},
  );
  assert.equal(toProtobuf(schema, view(schema, fromJson(schema, {}))).length, 0);
});
