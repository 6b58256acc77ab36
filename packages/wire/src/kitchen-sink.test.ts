/** One field of every kind through the compiler's code. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Encoder, encode, forward, Message, WireError } from './index.ts';
import { DynamicObject, readDynamic } from './testing/dynamic.ts';
import { Color, Inner, InnerView, KitchenSink, KitchenSinkView } from './testing/kitchen-sink.larder.ts';
import { KITCHEN_SINK } from './testing/kitchen-sink-schema.ts';
import { decodeReference, encodeReference } from './testing/reference-codec.ts';
import type { Fields, Schema, Value } from './testing/schema.ts';

/** A value for every field, and what a view must say of it. */
const FIELDS: Fields = new Map<number, Value>([
  [1, true],
  [2, -2_147_483_648],
  [3, 4_294_967_295],
  [4, -(2n ** 63n)],
  [5, 2n ** 64n - 1n],
  [6, Number.MIN_SAFE_INTEGER],
  [7, -0.5],
  [8, Number.MAX_VALUE],
  [9, 'grüße 😀'],
  [10, Uint8Array.of(0, 255)],
  [11, -1],
  [
    12,
    new Map<number, Value>([
      [1, 'outer'],
      [2, new Map<number, Value>([[1, 'inner']])],
    ]),
  ],
  [13, 0],
  [14, ''],
  [16, 0],
  [18, ['', 'a', 'bb']],
  [19, [Uint8Array.of(1), Uint8Array.of()]],
  [20, [new Map<number, Value>([[1, 'one']]), new Map()]],
  [21, [0, -1, 2_147_483_647]],
  [22, [0.1, Number.NEGATIVE_INFINITY]],
  [23, [0n, 2n ** 64n - 1n]],
  [24, [false, true]],
  [
    25,
    [
      ['a', 0],
      ['', 7],
    ],
  ],
  [26, [[-5, Uint8Array.of(9)]]],
  [27, [['who', new Map<number, Value>([[1, 'name']])]]],
  [40, 'far'],
  [200, 1],
]);

function check(view: KitchenSinkView): void {
  assert.equal(view.flag, true);
  assert.equal(view.int, -2_147_483_648);
  assert.equal(view.uint, 4_294_967_295);
  assert.equal(view.long, -(2n ** 63n));
  assert.equal(view.ulong, 2n ** 64n - 1n);
  assert.equal(view.smallLong, Number.MIN_SAFE_INTEGER);
  assert.equal(view.single, -0.5);
  assert.equal(view.number, Number.MAX_VALUE);
  assert.equal(view.text, 'grüße 😀');
  assert.deepEqual([...view.data], [0, 255]);
  assert.equal(view.color, Color.COLOR_NEGATIVE);
  assert.deepEqual(
    [view.inner?.name, view.inner?.child?.name, view.inner?.child?.child],
    ['outer', 'inner', undefined],
  );
  assert.deepEqual([view.maybeInt, view.maybeText], [0, '']);
  assert.deepEqual([view.choiceCase, view.choiceText, view.choiceNumber], ['choiceNumber', undefined, 0]);
  assert.deepEqual(view.texts.toArray(), ['', 'a', 'bb']);
  assert.deepEqual(
    view.blobs.toArray().map((each) => [...each]),
    [[1], []],
  );
  assert.deepEqual(
    [...view.inners].map(({ name }) => name),
    ['one', ''],
  );
  assert.deepEqual([...view.ints], [0, -1, 2_147_483_647]);
  assert.deepEqual([...view.doubles], [0.1, Number.NEGATIVE_INFINITY]);
  assert.deepEqual([...view.ulongs], [0n, 2n ** 64n - 1n]);
  assert.deepEqual(view.flags, [false, true]);
  assert.deepEqual(
    [...view.counts],
    [
      ['a', 0],
      ['', 7],
    ],
  );
  assert.deepEqual([...(view.chunks.get(-5) ?? [])], [9]);
  assert.equal(view.people.get('who')?.name, 'name');
  assert.deepEqual([view.farText, view.farNumber], ['far', 1]);
}

function filled(encoder?: Encoder): KitchenSink {
  const inner = { name: 'outer', child: { name: 'inner' } };
  return KitchenSink.from(
    {
      flag: true,
      int: -2_147_483_648,
      uint: 4_294_967_295,
      long: -(2n ** 63n),
      ulong: 2n ** 64n - 1n,
      smallLong: Number.MIN_SAFE_INTEGER,
      single: -0.5,
      number: Number.MAX_VALUE,
      text: 'grüße 😀',
      data: Uint8Array.of(0, 255),
      color: Color.COLOR_NEGATIVE,
      inner,
      maybeInt: 0,
      maybeText: '',
      choiceText: 'given up',
      choiceNumber: 0,
      texts: ['', 'a', 'bb'],
      blobs: [Uint8Array.of(1), Uint8Array.of()],
      inners: [{ name: 'one' }, {}],
      ints: [0, -1, 2_147_483_647],
      doubles: [0.1, Number.NEGATIVE_INFINITY],
      ulongs: [0n, 2n ** 64n - 1n],
      flags: [false, true],
      counts: [
        ['a', 9],
        ['', 7],
        ['a', 0],
      ],
      chunks: [[-5, Uint8Array.of(9)]],
      people: [['who', { name: 'name' }]],
      farText: 'far',
      farNumber: 1,
    },
    encoder,
  );
}

test('builder to view, builder to reference, reference to view: all the same', () => {
  const bytes = encode(filled());
  check(KitchenSinkView.read(bytes));
  assert.deepEqual(decodeReference(KITCHEN_SINK, bytes), FIELDS);
  check(KitchenSinkView.read(encodeReference(KITCHEN_SINK, FIELDS)));
});

test('a builder tells what was assigned to it', () => {
  const sink = filled();
  assert.equal(sink.text, 'grüße 😀');
  assert.deepEqual([...sink.data], [0, 255]);
  assert.equal(sink.inner?.child?.name, 'inner');
  assert.deepEqual([sink.choiceCase, sink.choiceNumber, sink.choiceText], ['choiceNumber', 0, undefined]);
  assert.deepEqual(sink.flags, [false, true]);
  assert.deepEqual(sink.doubles, Float64Array.of(0.1, Number.NEGATIVE_INFINITY));
  assert.deepEqual([...sink.counts.keys()], ['a', '']);
  assert.equal(sink.texts.length, 3);
  sink.reset();
  assert.deepEqual(
    [sink.text, sink.inner, sink.choiceCase, sink.texts.length],
    ['', undefined, undefined, 0],
  );
});

test('a view of a place in the middle of a buffer, at any alignment', () => {
  const bytes = encode(filled());
  for (let shift = 0; shift < 9; shift++) {
    const room = new Uint8Array(bytes.length + 32).fill(0xff);
    room.set(bytes, shift);
    const view = KitchenSinkView.read(room.subarray(shift, shift + bytes.length));
    check(view);
    const isAligned = shift % 8 === 0;
    assert.equal(
      view.doubles.buffer === room.buffer,
      isAligned,
      'a list is seen in place when it is aligned',
    );
    check(view.copy());
  }
});

/** What a newer sender's `Inner` has beside `name` and `child`. */
const NEWER: Schema = {
  root: [
    { number: 1, kind: 'string' },
    { number: 2, kind: 'message', message: 'root' },
    { number: 3, kind: 'string', label: 'repeated' },
    { number: 77, kind: 'double' },
  ],
};
const NEWER_FIELDS: Fields = new Map<number, Value>([
  [1, 'known'],
  [2, new Map<number, Value>([[3, ['deep']]])],
  [3, ['un', 'known']],
  [77, 1.25],
]);

test('unknown fields are skipped by a reader, and kept when the object is forwarded unread', () => {
  const sent = encode(new DynamicObject(new Encoder(), NEWER, NEWER_FIELDS));
  const view = InnerView.read(sent);
  assert.equal(view.name, 'known');
  assert.equal(view.child?.name, '');
  assert.deepEqual(Buffer.from(forward(view)), Buffer.from(sent));
  // Inside other objects, at any depth, over several hops.
  const first = encode(
    KitchenSink.from({ inner: view, inners: [{}, view], people: [['p', view]], choiceInner: view }),
  );
  const hop = KitchenSinkView.read(first);
  assert.deepEqual(
    [hop.inner?.name, hop.inners.at(1).name, hop.people.get('p')?.name],
    ['known', 'known', 'known'],
  );
  const second = encode(KitchenSink.from({ inner: { name: 'around', child: hop.inner! } }));
  const last = KitchenSinkView.read(second).inner?.child;
  assert.equal(last?.child?.name, '');
  // The last receiver has the newer schema again.
  const newest: Schema = {
    root: [{ number: 12, kind: 'message', message: 'around' }],
    around: [{ number: 2, kind: 'message', message: 'inner' }],
    inner: NEWER.root!.map((field) => (field.kind === 'message' ? { ...field, message: 'inner' } : field)),
  };
  const read = readDynamic(newest, Message.of(second)).get(12) as Fields;
  assert.deepEqual(read.get(2), NEWER_FIELDS);
  assert.deepEqual(decodeReference(newest, second).get(12), read);
});

test('a relayed view reads on when its message moves to a copy, and ends with it', () => {
  const inner = InnerView.read(encode(Inner.from({ name: 'relayed' })));
  const message = new Message();
  const bytes = encode(KitchenSink.from({ inner, text: 'around' }));
  const view = new KitchenSinkView(
    message.borrow(Message.of(bytes).memory, bytes.byteOffset, bytes.byteOffset + bytes.length, null),
  );
  const relayed = view.inner!;
  view.retain();
  bytes.fill(0xee);
  assert.deepEqual([relayed.name, view.text], ['relayed', 'around']);
  view.release();
  assert.throws(
    () => relayed.name,
    (error) => error instanceof WireError && error.code === 'RELEASED',
  );
});

test('numbers that do not fit their field are refused', () => {
  const refused = (change: (sink: KitchenSink) => void): void => {
    const sink = new KitchenSink();
    assert.throws(
      () => {
        change(sink);
        encode(sink);
      },
      (error) => error instanceof WireError && (error.code === 'RANGE' || error.code === 'TYPE'),
    );
  };
  refused((sink) => {
    sink.int = 2 ** 31;
  });
  refused((sink) => {
    sink.int = 0.5;
  });
  refused((sink) => {
    sink.uint = -1;
  });
  refused((sink) => {
    sink.uint = Number.NaN;
  });
  refused((sink) => {
    sink.long = 2n ** 63n;
  });
  refused((sink) => {
    sink.ulong = -1n;
  });
  refused((sink) => {
    sink.smallLong = 2 ** 53;
  });
  refused((sink) => {
    sink.ints = [1, 2 ** 31];
  });
  refused((sink) => {
    sink.ulongs = [-1n];
  });
  refused((sink) => {
    sink.flags = [1 as unknown as boolean];
  });
  refused((sink) => {
    sink.chunks.set(2 ** 31, new Uint8Array(1));
  });
});
