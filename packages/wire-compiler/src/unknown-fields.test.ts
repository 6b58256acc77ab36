/** Fields that a newer schema has: what forwarding keeps, and what conversions drop or refuse. */
import { strict as assert } from 'node:assert';
import { after, before, test } from 'node:test';
import { encode, forward, Message, type View, type WireObject } from '@larder/wire';
import { fromJson, fromProtobuf, type MessageSchema, toJson, toProtobuf } from '@larder/wire/protobuf';
import { generateFrom } from './generate.ts';
import { GeneratedFolder } from './testing/generated-code.ts';

type AnySchema = MessageSchema<WireObject, object, View>;

const OLDER = 'message Inner { string name = 1; } message Outer { int32 id = 1; Inner inner = 3; }';
const NEWER = `message Inner { string name = 1; bytes data = 40; }
message Outer { int32 id = 1; string added = 2; Inner inner = 3; repeated Inner inners = 70; }`;
const texts = new Map([
  ['older.proto', `syntax = "proto3"; package older; ${OLDER}`],
  ['newer.proto', `syntax = "proto3"; package newer; ${NEWER}`],
]);
const folder = new GeneratedFolder(
  generateFrom([...texts.keys()], (name) => texts.get(name), { parameter: 'import_extension=ts' }),
);
after(() => folder.remove());

let older: AnySchema;
let newer: AnySchema;
before(async () => {
  older = (await folder.load('older.larder.ts')).OuterSchema as AnySchema;
  newer = (await folder.load('newer.larder.ts')).OuterSchema as AnySchema;
});

const KNOWN = { id: 5, inner: { name: 'x' } };
const REFUSE = { unknownFields: 'refuse' } as const;

function read(schema: AnySchema, bytes: Uint8Array): View {
  return new schema.view(Message.of(bytes));
}

test('what is known of a newer message is converted, the rest is dropped or refused', () => {
  for (const [init, field] of [
    [{ ...KNOWN, added: 'new' }, 2],
    [{ ...KNOWN, inner: { name: 'x', data: Uint8Array.of(1) } }, 40],
    [{ ...KNOWN, inners: [{}] }, 70],
  ] as const) {
    const sent = encode(newer.builder.from(init));
    const view = read(older, sent);
    assert.deepEqual(toJson(older, view), KNOWN);
    assert.deepEqual(toJson(older, read(older, encode(fromProtobuf(older, toProtobuf(older, view))))), KNOWN);
    const refused = { code: 'UNKNOWN', message: new RegExp(` a field ${field} `) };
    assert.throws(() => toJson(older, view, REFUSE), refused);
    assert.throws(() => toProtobuf(older, view, REFUSE), refused);
    const protobuf = toProtobuf(newer, read(newer, sent), REFUSE);
    assert.throws(() => fromProtobuf(older, protobuf, undefined, REFUSE), refused);
    assert.deepEqual(toJson(older, read(older, encode(fromProtobuf(older, protobuf)))), KNOWN);
    assert.deepEqual(Buffer.from(forward(view)), Buffer.from(sent), 'forwarding keeps everything');
  }
});

test('nothing is refused of a message that the schema knows', () => {
  const view = read(older, encode(older.builder.from(KNOWN)));
  assert.deepEqual(toJson(older, view, REFUSE), KNOWN);
  const bytes = toProtobuf(older, view, REFUSE);
  assert.deepEqual(toJson(older, read(older, encode(fromProtobuf(older, bytes, undefined, REFUSE)))), KNOWN);
});

test('JSON with unknown fields is refused unless they are to be ignored, as proto3 says', () => {
  const json = { ...KNOWN, added: 'new' };
  assert.throws(() => fromJson(older, json), { code: 'TYPE' });
  const builder = fromJson(older, json, { ignoreUnknownFields: true });
  assert.deepEqual(toJson(older, read(older, encode(builder))), KNOWN);
});
