/** Copies of objects inside others have what belongs to them, and nothing else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Encoder, encode, Message } from '../index.ts';
import { toJson } from '../protobuf.ts';
import { DynamicObject, readDynamic } from '../testing/dynamic.ts';
import {
  InnerSchema,
  type InnerView,
  KitchenSink,
  type KitchenSinkInit,
  KitchenSinkSchema,
  KitchenSinkView,
} from '../testing/kitchen-sink.larder.ts';
import { KITCHEN_SINK } from '../testing/kitchen-sink-schema.ts';
import type { Fields, Schema, Value } from '../testing/schema.ts';

const read = (init: KitchenSinkInit): KitchenSinkView => KitchenSinkView.read(encode(KitchenSink.from(init)));
const large = new Uint8Array(1_000_000);

test('a small object of a large message is copied alone, with all below it', () => {
  const view = read({ data: large, inners: [{ name: 'kept', child: { name: 'below', child: {} } }] });
  const copy = view.inners.at(0).copy();
  assert.deepEqual(toJson(InnerSchema, copy), { name: 'kept', child: { name: 'below', child: {} } });
  assert.ok(copy.$message.bytes < 200, `${copy.$message.bytes} bytes`);
  assert.equal(copy.copy().child!.copy().name, 'below');
  assert.equal(read({ data: large, inner: {} }).inner!.copy().name, '');
});

test('a whole message is copied as it came', () => {
  const view = read({ data: large, text: 'text' });
  assert.deepEqual(view.copy().$message.toUint8Array(), view.$message.toUint8Array());
});

test('an object with fields that this schema does not have, or that are broken, is copied with its message', () => {
  const bytes = encode(KitchenSink.from({ inner: { name: 'name' }, data: large }));
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const at = KitchenSinkView.read(bytes).inner!.$at;
  const copyOfInner = (): InnerView => KitchenSinkView.read(bytes).inner!.copy();
  assert.ok(copyOfInner().$message.bytes < 100);
  // Field 3 instead of field 1.
  view.setUint32(at + 4, 4, true);
  assert.equal(copyOfInner().$message.bytes, bytes.length);
  view.setUint32(at + 4, 1, true);
  view.setUint32(at + 12, 0xffff_fff0, true);
  const broken = copyOfInner();
  assert.equal(broken.$message.bytes, bytes.length);
  assert.throws(() => broken.name, { code: 'BOUNDS' });
});

test('a released message is not copied', () => {
  const view = read({ inner: { name: 'name' } });
  const { inner } = view;
  view.retain();
  view.release();
  assert.throws(() => inner!.copy(), { code: 'RELEASED' });
});

test('fields of every kind are copied', () => {
  const init: KitchenSinkInit = {
    flag: true,
    long: -3n,
    number: Math.PI,
    text: 'text',
    data: new Uint8Array([1, 2, 3]),
    maybeText: '',
    choiceInner: { name: 'chosen' },
    texts: ['a', 'bc', ''],
    blobs: [new Uint8Array(3), new Uint8Array(0)],
    inners: [{ name: 'p' }, {}, { child: { name: 'q' } }],
    ints: [1, -2, 3],
    ulongs: [1n],
    flags: [true, false, true],
    counts: [['a', 1]],
    chunks: [[-1, new Uint8Array(2)]],
    people: [
      ['z', { name: 'zed' }],
      ['y', { child: {} }],
    ],
    farText: 'far',
    farNumber: 9,
  };
  const wrapped: Schema = {
    root: [
      { number: 1, kind: 'message', message: 'sink' },
      { number: 2, kind: 'bytes' },
    ],
    sink: KITCHEN_SINK.root!,
    inner: KITCHEN_SINK.inner!,
  };
  const alone = encode(KitchenSink.from(init));
  const fields: Fields = new Map<number, Value>([
    [1, readDynamic(KITCHEN_SINK, Message.of(alone))],
    [2, large],
  ]);
  const message = Message.of(encode(new DynamicObject(new Encoder(), wrapped, fields)));
  const view = new KitchenSinkView(message, message.object(message.slot(0, 0)), 1);
  const copy = view.copy();
  assert.deepEqual(toJson(KitchenSinkSchema, copy), toJson(KitchenSinkSchema, KitchenSinkView.read(alone)));
  assert.ok(copy.$message.bytes < alone.length * 2);
  assert.deepEqual([...copy.ints], [1, -2, 3]);
});
