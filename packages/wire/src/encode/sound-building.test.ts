/** Messages built in unusual ways: too many references, objects forwarded, wrong types, failures half-way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Encoder,
  encode,
  forward,
  RcBuf,
  SendMemory,
  sendObject,
  serialize,
  WireError,
  type WireErrorCode,
} from '../index.ts';
import { makeAllocator, RecordingTarget } from '../testing/arena.ts';
import { GetMReply } from '../testing/get-m.larder.ts';
import { Inner, InnerView, KitchenSink, KitchenSinkView } from '../testing/kitchen-sink.larder.ts';

const hasCode =
  (code: WireErrorCode) =>
  (error: unknown): boolean =>
    error instanceof WireError && error.code === code;

test('of too many references just so many are copied that the others fit, equal ones too', () => {
  const allocator = makeAllocator();
  const memory = new SendMemory(allocator, { referencesMax: 4 });
  const encoder = new Encoder(memory);
  const buffer = RcBuf.from(memory, new Uint8Array(8192));
  const fill = (sizes: readonly number[]): GetMReply => {
    const reply = new GetMReply(encoder);
    for (const bytes of sizes) reply.vals.appendAt(buffer.offset, bytes);
    return reply;
  };
  const cases: [number[], number][] = [
    [[8192, 8192, 8192, 8192], 4],
    [[8192, 8192, 8192, 8192, 8192], 4],
    [[8192, 600, 8192, 600, 8192, 600, 8192, 8192], 4],
    [[600, 700, 600], 3],
  ];
  for (const [sizes, referenced] of cases) {
    const target = new RecordingTarget(allocator);
    sendObject(target, fill(sizes));
    assert.equal(target.parts.filter(({ kind }) => kind === 'referenced').length, referenced);
    const [sent, copied] = [target.take(), encode(fill(sizes))];
    assert.deepEqual(Buffer.from(sent.subarray(sent.length - copied.length)), Buffer.from(copied));
    for (const owner of target.owners) memory.complete(owner);
    const list = serialize(fill(sizes));
    assert.ok(Buffer.from(list.toUint8Array()).equals(copied));
    assert.equal(list.parts.filter(({ length }) => sizes.includes(length)).length >= referenced, true);
    list.release();
  }
  assert.equal(buffer.references, 1);
});

test('a field assigned again and again holds one reference', () => {
  const memory = new SendMemory(makeAllocator());
  const sink = new KitchenSink(new Encoder(memory));
  const buffer = RcBuf.from(memory, new Uint8Array(5000));
  for (let count = 0; count < 1000; count++) sink.data = buffer.bytes;
  assert.equal(sink.$encoder.references.count, 1);
  assert.equal(buffer.references, 2);
  sink.reset();
  assert.equal(buffer.references, 1);
});

test('objects of one received message share its bytes when they are forwarded', () => {
  const received = encode(
    KitchenSink.from({ inners: Array.from({ length: 100 }, (_, index) => ({ name: `the ${index}th` })) }),
  );
  const view = KitchenSinkView.read(received);
  const sink = new KitchenSink();
  for (let index = 0; index < 100; index++) sink.inners.append(view.inners.at(index));
  sink.inner = view.inners.at(7);
  const sent = encode(sink);
  assert.ok(sent.length < received.length + 101 * 24 + 100, `${sent.length} of ${received.length}`);
  const read = KitchenSinkView.read(sent);
  assert.equal(read.inners.length, 100);
  assert.equal(read.inners.at(99).name, 'the 99th');
  assert.equal(read.inner?.name, 'the 7th');
});

test('an object inside a message is forwarded as what it is', () => {
  const view = KitchenSinkView.read(encode(KitchenSink.from({ text: 'outside', inner: { name: 'inside' } })));
  assert.equal(InnerView.read(forward(view.inner!)).name, 'inside');
  assert.equal(KitchenSinkView.read(forward(view)).inner?.name, 'inside');
  const again = InnerView.read(forward(InnerView.read(forward(view.inner!))));
  assert.equal(again.name, 'inside');
});

test('an encoder of another arena is refused by a connection that knows its own', () => {
  const [here, there] = [makeAllocator(), makeAllocator()];
  const target = Object.assign(new RecordingTarget(here), { arena: here.arena });
  const reply = GetMReply.from({ id: 1 }, new Encoder(new SendMemory(there)));
  assert.throws(() => sendObject(target, reply), hasCode('FOREIGN'));
  sendObject(target, GetMReply.from({ id: 1 }, new Encoder(new SendMemory(here))));
  assert.equal(target.parts.length === 0, true);
  assert.ok(target.take().length > 0);
});

test('values of wrong types throw TYPE, whatever they are', () => {
  const wrong: ((sink: KitchenSink) => void)[] = [
    (sink) => (sink.data = new ArrayBuffer(5) as unknown as Uint8Array),
    (sink) => (sink.data = new Float64Array(5) as unknown as Uint8Array),
    (sink) => (sink.data = [1, 2] as unknown as Uint8Array),
    (sink) => (sink.text = null as unknown as string),
    (sink) => (sink.text = 5 as unknown as string),
    (sink) => (sink.long = 5 as unknown as bigint),
    (sink) => (sink.ulong = '5' as unknown as bigint),
    (sink) => (sink.int = '5' as unknown as number),
    (sink) => (sink.uint = 5n as unknown as number),
    (sink) => (sink.number = '5' as unknown as number),
    (sink) => (sink.single = {} as unknown as number),
    (sink) => sink.counts.set('a', '5' as unknown as number),
    (sink) => sink.texts.append(undefined as unknown as string),
  ];
  for (const [index, assign] of wrong.entries()) {
    const sink = new KitchenSink();
    assert.throws(
      () => {
        assign(sink);
        encode(sink);
      },
      hasCode('TYPE'),
      `case ${index}`,
    );
    // What failed leaves nothing behind.
    assert.equal(KitchenSinkView.read(encode(KitchenSink.from({ text: 'x' }, sink.$encoder))).text, 'x');
  }
});

test('a pair whose value is refused is not in the map, and one that was there stays', () => {
  const sink = new KitchenSink();
  sink.counts.set('old', 77);
  encode(sink);
  assert.throws(() => sink.counts.set('x', 2 ** 40), hasCode('RANGE'));
  sink.counts.set('y', 1);
  assert.throws(() => sink.counts.set('y', 2 ** 40), hasCode('RANGE'));
  sink.chunks.set(1, Buffer.from('one'));
  assert.throws(() => sink.chunks.set(2, null as unknown as Uint8Array), hasCode('TYPE'));
  assert.throws(() => sink.chunks.set(1, null as unknown as Uint8Array), hasCode('TYPE'));
  const { counts, chunks } = KitchenSinkView.read(encode(sink));
  assert.deepEqual([...counts], [['y', 1]]);
  assert.deepEqual(
    [...chunks].map(([key, value]) => [key, Buffer.from(value).toString()]),
    [[1, 'one']],
  );
});

test('a list that contains itself is too deep, and what follows is as it should be', () => {
  const encoder = new Encoder();
  const sink = new KitchenSink(encoder);
  const inner = new Inner(encoder);
  inner.child = inner;
  sink.inners.append(inner);
  assert.throws(() => encode(sink), hasCode('DEPTH'));
  sink.text = 'next';
  const read = KitchenSinkView.read(encode(sink));
  assert.deepEqual([read.text, read.inners.length], ['next', 0]);
});

const SECRET = 'TOPSECRET';
const leaks = (message: Uint8Array): boolean => Buffer.from(message).includes(SECRET);

test('a field takes a part of its own bytes', () => {
  const large = `${SECRET.repeat(100)}the end`;
  for (const text of ['hello world', large]) {
    for (const encoder of [new Encoder(), new Encoder(new SendMemory(makeAllocator()))]) {
      const sink = new KitchenSink(encoder);
      sink.data = Buffer.from(text);
      sink.text = 'x';
      sink.data = sink.data.subarray(text.length - 5);
      sink.choiceText = text;
      sink.choiceText = sink.$encoder.peek(sink.$choiceTextSize, sink.$choiceTextPlace) as unknown as string;
      sink.blobs = [text, 'second'];
      sink.blobs = [sink.blobs.peek(1), sink.blobs.peek(0).subarray(0, 3)];
      sink.ints = Int32Array.of(1, 2, 3);
      sink.ints = sink.ints.subarray(0, 3);
      const view = KitchenSinkView.read(encode(sink));
      assert.equal(Buffer.from(view.data).toString(), text.slice(-5));
      assert.equal(view.choiceText, text);
      assert.deepEqual(
        view.blobs.toArray().map((each) => Buffer.from(each).toString()),
        ['second', text.slice(0, 3)],
      );
      assert.deepEqual([...view.ints], [1, 2, 3]);
    }
  }
});

test('what was replaced is not sent', () => {
  const replaced: ((sink: KitchenSink) => void)[] = [
    (sink) => {
      sink.inner = { name: SECRET };
      sink.inner = undefined;
    },
    (sink) => {
      sink.inner = { name: SECRET };
      sink.inner = { name: 'other' };
    },
    (sink) => {
      sink.inner = { child: { name: SECRET } };
      sink.initInner().name = 'other';
    },
    (sink) => {
      sink.inners = [{ name: SECRET }, { name: 'b' }];
      sink.inners = [{ name: 'c' }];
    },
    (sink) => {
      sink.people.set('a', Inner.from({ name: SECRET }, sink.$encoder));
      sink.people.set('a', Inner.from({ name: 'other' }, sink.$encoder));
    },
    (sink) => {
      sink.people = new Map([[SECRET, { name: 'a' }]]);
      sink.people = new Map();
    },
    (sink) => {
      sink.choiceInner = { name: SECRET };
      sink.choiceNumber = 3;
    },
    (sink) => {
      sink.inner = InnerView.read(encode(Inner.from({ name: SECRET })));
      sink.inner = undefined;
    },
    (sink) => {
      const wrong = { name: SECRET, child: { name: 5 as unknown as string } };
      assert.throws(() => Inner.from(wrong, sink.$encoder), hasCode('TYPE'));
    },
  ];
  for (const [index, replace] of replaced.entries()) {
    for (const encoder of [new Encoder(), new Encoder(new SendMemory(makeAllocator()))]) {
      const sink = KitchenSink.from({ text: 'before', counts: new Map([['k', 1]]) }, encoder);
      replace(sink);
      sink.data = 'after';
      sink.doubles = [1.5];
      const message = encode(sink);
      assert.ok(!leaks(message), `case ${index}`);
      const view = KitchenSinkView.read(message);
      assert.equal(view.text, 'before');
      assert.equal(Buffer.from(view.data).toString(), 'after');
      assert.equal(view.counts.get('k'), 1);
      assert.deepEqual([...view.doubles], [1.5]);
      assert.equal(encoder.hasGarbage, false);
    }
  }
});

test('what an object shares with one that was replaced stays, and its references are given back once', () => {
  const memory = new SendMemory(makeAllocator());
  const buffer = RcBuf.from(memory, new Uint8Array(5000).fill(7));
  const sink = new KitchenSink(new Encoder(memory));
  const shared = Inner.from({ name: 'shared' }, sink.$encoder);
  const outer = new Inner(sink.$encoder);
  outer.child = shared;
  outer.name = buffer.bytes as unknown as string;
  sink.inner = outer;
  sink.inner = shared;
  sink.data = buffer.bytes;
  assert.equal(buffer.references, 3);
  const view = KitchenSinkView.read(encode(sink));
  assert.equal(view.inner?.name, 'shared');
  assert.equal(view.data.length, 5000);
  assert.equal(buffer.references, 1);
});
