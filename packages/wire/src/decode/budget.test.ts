/**
 * The budget of reading: honest messages may be read again and again, hostile ones are refused before a walk through
 * all of them costs more than the budget.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Encoder,
  encode,
  Memory,
  Message,
  type ShapedClass,
  TRAVERSAL_BYTES_MIN,
  WireError,
} from '../index.ts';
import {
  Inner,
  InnerView,
  KitchenSink,
  type KitchenSinkInit,
  KitchenSinkView,
} from '../testing/kitchen-sink.larder.ts';

const isRefused = (error: unknown): boolean => error instanceof WireError && error.code === 'TRAVERSAL';
const read = (init: KitchenSinkInit): KitchenSinkView => KitchenSinkView.read(encode(KitchenSink.from(init)));
const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `name ${index}`);

test('loops that ask for the list each time', () => {
  const view = read({ texts: names(3000), ints: new Int32Array(5000).fill(1), blobs: ['b'] });
  for (let index = 0; index < view.texts.length; index++) assert.equal(view.texts.at(index), `name ${index}`);
  let sum = 0;
  for (let index = 0; index < view.ints.length; index++) sum += view.ints[index]!;
  assert.equal(sum, 5000);
});

test('one large field, read byte by byte through its getter', () => {
  const view = read({ data: new Uint8Array(1_000_000).fill(1) });
  let sum = 0;
  for (let index = 0; index < 1000; index++) sum += view.data[index]!;
  assert.equal(sum, 1000);
});

test('a short string, a nested object and a map of a kept copy, millions of times', () => {
  const counts = names(20).map((name, index) => [name, index] as const);
  const view = read({ text: 'short', inner: { name: 'inner', child: { name: 'child' } }, counts }).copy();
  for (let time = 0; time < 3_500_000; time++) {
    if (view.text !== 'short') assert.fail();
  }
  for (let time = 0; time < 1_500_000; time++) {
    if (view.inner!.child!.name !== 'child') assert.fail();
    if (view.counts.get('name 3') !== 3) assert.fail();
  }
  const nested = view.inner!.copy();
  for (let time = 0; time < 1_500_000; time++) {
    if (nested.child!.name !== 'child') assert.fail();
  }
});

test('a long map is asked for every key, and the last pair of a key counts', () => {
  const count = 20_000;
  const view = read({ counts: names(count).map((name, index) => [name, index] as const) });
  const start = performance.now();
  for (let index = 0; index < count; index++) assert.equal(view.counts.get(`name ${index}`), index);
  assert.ok(performance.now() - start < 2000, 'not every lookup looks at every pair');
  assert.equal(view.counts.has('name'), false);
  const other = encode(KitchenSink.from({ counts: [['other', 1]] }));
  assert.equal(view.$over(Message.of(other)).counts.get('other'), 1, 'nothing is kept for another message');
});

test('millions of bools are read at once, and forwarded objects as often as wanted', () => {
  const flags = new Array<boolean>(8_000_000).fill(true);
  assert.equal(read({ flags }).flags.length, flags.length);
  const received = read({ inner: { name: 'x'.repeat(4000), child: { name: 'y' } } });
  const view = read({ inner: received.inner!, inners: [received.inner!, { name: 'own' }] });
  for (let time = 0; time < 30_000; time++) {
    assert.equal(view.inner!.name.length, 4000);
    assert.equal(view.inners.at(0).child!.name, 'y');
  }
});

/** `levels` lists of `width` objects each, all of which are the next level's one list; at the end a text. */
function sharing(levels: number, width: number, textBytes: number): Uint8Array {
  const levelBytes = 16 + 8 * width;
  const bytes = new Uint8Array(levelBytes * levels + 16 + textBytes);
  const view = new DataView(bytes.buffer);
  const header = (at: number, bit: number, count: number, target: number): void => {
    [1, 1 << bit, count, target].forEach((word, index) => {
      view.setUint32(at + 4 * index, word, true);
    });
  };
  for (let level = 0; level < levels; level++) {
    const at = level * levelBytes;
    header(at, 1, width, at + 16);
    for (let index = 0; index < width; index++) view.setUint32(at + 20 + index * 8, at + levelBytes, true);
  }
  header(levels * levelBytes, 0, textBytes, levels * levelBytes + 16);
  return bytes;
}

/** A schema in which an object has objects of its own kind: `message Tree { string text = 1; repeated Tree trees = 2; }` */
const TREE: ShapedClass = {
  $shape: () => [
    [0, 'data'],
    [1, 'objects', TREE],
  ],
};

/** Objects that a test has visited: more than any budget pays for is an end, too. */
let visits = 0;

/** Reads everything below an object; returns how many objects there are. */
function walk(message: Message, at: number, depth: number): number {
  const opened = message.open(at, depth, TREE);
  const { at: place } = opened;
  const text = opened.slot(place, 0);
  if (text !== 0) opened.string(text);
  const list = opened.slot(place, 1);
  if (list === 0) return 1;
  const count = opened.uint32(list);
  const start = opened.list(list, count, 8);
  let objects = 1;
  visits += count;
  if (visits > 20_000_000) throw new Error('nothing ends the walk');
  for (let index = 0; index < count; index++)
    objects += walk(opened, opened.object(start + index * 8), depth + 1);
  return objects;
}

test('lists that share their elements are refused, after no more than twice the budget', () => {
  const bytes = sharing(6, 1000, 0);
  const start = performance.now();
  assert.throws(() => walk(Message.of(bytes), 0, 0), isRefused);
  assert.ok(performance.now() - start < 5000);
  // Few objects, but each of them leads to a long text.
  assert.throws(() => walk(Message.of(sharing(2, 100, 1_000_000)), 0, 0), isRefused);
});

test('whatever leads to one long text many times is followed', () => {
  const count = 200;
  const textBytes = 1_000_000;
  /** One field with a list; `entries` are the words of each element, with the text's size and place in them. */
  const message = (bit: number, entries: (text: number) => readonly number[]): Message => {
    const words = entries(0).length;
    const text = 16 + count * words * 4;
    const object = new DataView(new ArrayBuffer(text + 24 + textBytes));
    const put = (at: number, values: readonly number[]): void =>
      values.forEach((value, index) => {
        object.setUint32(at + index * 4, value, true);
      });
    put(0, [1, 1 << bit, count, 16]);
    for (let index = 0; index < count; index++) put(16 + index * words * 4, entries(text + 24));
    // An Inner whose name the text is, for fields that lead to objects.
    put(text, [1, 1, textBytes, text + 24]);
    return Message.of(new Uint8Array(object.buffer));
  };
  const free = { objectBytes: 0, elementBytes: 0 };
  const isSound = (hostile: Message): boolean =>
    hostile.isWithin(TRAVERSAL_BYTES_MIN, 0, 0, KitchenSinkView, free);
  for (const [bit, entries] of [
    [17, (text) => [textBytes, text]],
    [18, (text) => [textBytes, text]],
    [19, (text) => [0, text - 24]],
    [24, (text) => [textBytes, text, 0, 0]],
    [25, (text) => [0, 0, textBytes, text]],
    [26, (text) => [0, 0, 0, text - 24]],
  ] as readonly (readonly [number, (text: number) => readonly number[]])[]) {
    assert.equal(isSound(message(bit, entries)), false, `bit ${bit}`);
    assert.equal(isSound(message(bit, (text) => entries(text).map(() => 0))), true, `bit ${bit}, but empty`);
  }
  const numbers = message(21, () => [0, 0]);
  assert.equal(numbers.isWithin(1500, 0, 0, KitchenSinkView, free), false, '200 doubles');
  assert.equal(numbers.isWithin(1700, 0, 0, KitchenSinkView, free), true);
});

test('a message that leads to little is read on, however it is made; one that is refused stays so', () => {
  const shared = Message.of(sharing(2, 100, 50));
  const once = walk(shared, 0, 0);
  for (let time = 0; time < 100; time++) assert.equal(walk(shared, 0, 0), once);
  const hostile = Message.of(sharing(6, 1000, 0));
  assert.throws(() => walk(hostile, 0, 0), isRefused);
  assert.throws(() => walk(hostile, 0, 0), isRefused);
  const bytes = encode(KitchenSink.from({ text: 'next' }));
  hostile.over(Memory.of(bytes), bytes.byteOffset, bytes.byteOffset + bytes.length);
  assert.equal(new KitchenSinkView(hostile).text, 'next', 'the next message is judged by itself');
});

test('what other schema is read counts: a message that is sound to one of them can be hostile to another', () => {
  const message = Message.of(sharing(6, 1000, 0));
  const flat: ShapedClass = { $shape: () => [[0, 'data']] };
  for (let visited = 0; visited < TRAVERSAL_BYTES_MIN * 2; visited += 24) message.open(0, 0, flat);
  assert.throws(() => walk(message, 0, 0), isRefused);
});

test('broken fields are no reason to refuse the rest', () => {
  const object = KitchenSink.from(
    { text: 'read', texts: ['broken'], data: new Uint8Array(100_000) },
    new Encoder(),
  );
  const bytes = encode(object);
  // The list of texts is outside.
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(8 + 2 * 8 + 4, 0xffff_fff0, true);
  const view = KitchenSinkView.read(bytes);
  assert.throws(() => view.texts, { code: 'BOUNDS' });
  for (let time = 0; time < 2000; time++) assert.equal(view.data.length, 100_000);
  assert.equal(view.text, 'read');
});

test('elements have whole numbers', () => {
  const view = read({ texts: ['a', 'b'], counts: [['k', 1]] });
  for (const index of [0.5, -1, 2, Number.NaN, 2 ** 32]) {
    assert.throws(() => view.texts.at(index), { code: 'RANGE' });
    if (index !== 2) assert.throws(() => view.counts.keyAt(index), { code: 'RANGE' });
  }
});

test('what was forwarded 64 times is read, what was forwarded more often is too deep', () => {
  const forwarded = (times: number): InnerView => {
    let bytes = encode(Inner.from({ name: 'core' }));
    for (let time = 0; time < times; time++) bytes = encode(Inner.from({ child: InnerView.read(bytes) }));
    return InnerView.read(bytes);
  };
  let view = forwarded(64);
  for (let level = 0; level < 64; level++) view = view.child!;
  assert.equal(view.name, 'core');
  view = forwarded(65);
  assert.throws(
    () => {
      for (let level = 0; level < 65; level++) view = view.child!;
    },
    { code: 'DEPTH' },
  );
});
