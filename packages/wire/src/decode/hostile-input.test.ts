/**
 * Hostile messages: mutations aimed at every kind of pointer, random bytes, and known attacks on readers of this
 * sort. A reader answers with a WireError or with values from inside the message, and it ends.
 *
 * LARDER_FUZZ_CASES and LARDER_FUZZ_SEED change the number of cases (a million) and where they begin.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Encoder, encode, Memory, Message, WireError, type WireErrorCode } from '../index.ts';
import { DynamicObject, readDynamic } from '../testing/dynamic.ts';
import { GetMReply, GetMReplyView } from '../testing/get-m.ts';
import { KitchenSink, type KitchenSinkInit, KitchenSinkView } from '../testing/kitchen-sink.ts';
import { KITCHEN_SINK } from '../testing/kitchen-sink-schema.ts';
import { type Pointer, pointersOf } from '../testing/pointers.ts';
import type { Schema } from '../testing/schema.ts';
import { AROUND, Walker, walkGetM, walkKitchenSink } from '../testing/walk.ts';

const CASES = Number(process.env.LARDER_FUZZ_CASES ?? 1_000_000);
const SEED = Number(process.env.LARDER_FUZZ_SEED ?? 20_261_122);
/** Where messages lie; what is around them is not theirs. */
const START = 4096;
const GETM: Schema = {
  root: [
    { number: 1, kind: 'uint32' },
    { number: 2, kind: 'bytes', label: 'repeated' },
  ],
};

/** xorshift32. */
class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 1;
  }

  /** An integer in [0, limit). */
  below(limit: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return (state >>> 0) % limit;
  }
}

const full: KitchenSinkInit = {
  flag: true,
  int: -5,
  uint: 4_000_000_000,
  long: -3n,
  ulong: 2n ** 64n - 1n,
  smallLong: -(2 ** 53) + 1,
  single: 1.5,
  number: Math.PI,
  text: 'grüße',
  data: new Uint8Array([1, 2, 3]),
  color: -1,
  inner: { name: 'x', child: { name: 'y', child: {} } },
  maybeInt: 0,
  maybeText: '',
  choiceInner: { name: 'chosen' },
  texts: ['a', 'bc', ''],
  blobs: [new Uint8Array(3), new Uint8Array(0)],
  inners: [{ name: 'p' }, {}, { child: { name: 'q' } }],
  ints: [1, -2],
  doubles: [1.5, 2.5],
  ulongs: [1n],
  flags: [true, false],
  counts: [
    ['a', 1],
    ['__proto__', 2],
  ],
  chunks: [[-1, new Uint8Array(2)]],
  people: [['z', { name: 'zed' }]],
  farText: 'far',
  farNumber: 9,
};

interface Target {
  readonly message: Uint8Array;
  readonly pointers: readonly Pointer[];
  readonly walk: (walker: Walker, message: Message, bytes: number) => void;
}

function targets(): Target[] {
  const sink = (walker: Walker, message: Message, bytes: number): void =>
    walker.walk(
      bytes,
      message,
      (each) => new KitchenSinkView(each),
      (view) => walkKitchenSink(walker, view),
    );
  const getM = (walker: Walker, message: Message, bytes: number): void =>
    walker.walk(
      bytes,
      message,
      (each) => new GetMReplyView(each),
      (view) => walkGetM(walker, view),
    );
  const everything = encode(KitchenSink.from(full));
  const received = KitchenSinkView.read(everything);
  const relayed = encode(KitchenSink.from({ inner: received.inner!, inners: [received.inner!, {}], int: 1 }));
  const few = encode(KitchenSink.from({ text: 'few', choiceText: 'c', ints: [7], counts: [['k', 1]] }));
  const values = encode(GetMReply.from({ id: 7, vals: ['a', 'bb', new Uint8Array(40), ''] }));
  const target = (message: Uint8Array, schema: Schema, walk: Target['walk']): Target => ({
    message,
    pointers: pointersOf(schema, message),
    walk,
  });
  return [
    target(everything, KITCHEN_SINK, sink),
    target(relayed, KITCHEN_SINK, sink),
    target(few, KITCHEN_SINK, sink),
    target(values, GETM, getM),
    target(values, GETM, getM),
    target(few, KITCHEN_SINK, sink),
  ];
}

/** A value for a word that once led somewhere. */
function mutatedWord(random: Random, before: number, at: number, bytes: number): number {
  switch (random.below(12)) {
    case 0:
      return 0;
    case 1:
      return 0xffff_ffff - random.below(16);
    case 2:
      return 0x8000_0000 - random.below(3);
    case 3:
      return bytes + random.below(5) - 2;
    case 4:
      return at;
    case 5:
      return before + 1 + random.below(8);
    case 6:
      return before - 1 - random.below(8);
    case 7:
      return before ^ (1 << random.below(32));
    case 8:
      return 0xffff_0000;
    case 9:
      return Math.floor(0x1_0000_0000 / (8 << random.below(2))) + random.below(4);
    default:
      return random.below(bytes + 16);
  }
}

/** Writes a hostile message to the memory; returns its length. */
function mutate(random: Random, memory: Memory, { message, pointers }: Target): number {
  const { u8, view } = memory;
  u8.set(message, START);
  let bytes = message.length;
  const kind = random.below(100);
  if (kind < 65) {
    for (let count = 1 + random.below(3); count > 0; count--) {
      const { at } = pointers[random.below(pointers.length)]!;
      view.setUint32(START + at, mutatedWord(random, view.getUint32(START + at, true), at, bytes), true);
    }
  } else if (kind < 85) {
    for (let count = 1 + random.below(4); count > 0; count--)
      u8[START + random.below(bytes)] = random.below(256);
  } else if (kind < 93) {
    bytes = random.below(bytes);
  } else {
    bytes = random.below(bytes);
    for (let at = 0; at < bytes; at++) u8[START + at] = random.below(256);
    // Most random bytes fail at once; some get a header that lets them go further.
    if (bytes > 8 && random.below(4) > 0) view.setUint32(START, 1, true);
  }
  u8.fill(AROUND, START + bytes, START + message.length + 8);
  return bytes;
}

test(`${CASES} mutated and random messages, walked in full (seed ${SEED})`, () => {
  const random = new Random(SEED);
  const memory = new Memory(new ArrayBuffer(START * 3));
  memory.u8.fill(AROUND);
  const all = targets();
  const kinds = new Set(all.flatMap(({ pointers }) => pointers.map(({ kind }) => kind)));
  assert.equal(kinds.size, 16, 'every kind of pointer is aimed at');
  const walker = new Walker(memory, START);
  const message = new Message();
  const { stackTraceLimit } = Error;
  // A stack for each of millions of expected errors takes longer than all the rest.
  Error.stackTraceLimit = 0;
  let number = 0;
  try {
    for (; number < CASES; number++) {
      const target = all[number % all.length]!;
      const bytes = mutate(random, memory, target);
      target.walk(walker, message, bytes);
    }
  } catch (error) {
    throw new Error(`case ${number} of seed ${SEED}`, { cause: error });
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  const codes = [...walker.refused.keys()].sort();
  assert.deepEqual(codes, ['BOUNDS', 'DEPTH', 'RANGE', 'UTF8', 'VERSION'], 'all of these were met');
  assert.ok(walker.reads > CASES * 3);
});

const hasCode =
  (code: WireErrorCode) =>
  (error: unknown): boolean =>
    error instanceof WireError && error.code === code;

/** A tree whose nodes have a list of nodes, in which a list may lead to the node itself. */
const TREE: Schema = { root: [{ number: 1, kind: 'message', message: 'root', label: 'repeated' }] };

test('a small message that leads to itself a million times ends soon', () => {
  const branches = 100;
  const bytes = new Uint8Array(16 + branches * 8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 1, true);
  view.setUint32(4, 1, true);
  view.setUint32(8, branches, true);
  view.setUint32(12, 16, true);
  // Every element is the root itself: 100^64 objects.
  const start = performance.now();
  assert.throws(() => readDynamic(TREE, Message.of(bytes)), hasCode('DEPTH'));
  // A reader that goes on after errors is stopped by what it has visited.
  const message = Message.of(bytes);
  let visits = 0;
  const visit = (depth: number): void => {
    for (;;) {
      message.open(0, depth % 64);
      visits++;
    }
  };
  assert.throws(() => visit(1), hasCode('TRAVERSAL'));
  assert.ok(visits < 4_000_000);
  assert.ok(performance.now() - start < 3000);
});

test('many names for the same bytes cost what they lead to', () => {
  const count = 10_000;
  const size = 100_000;
  const bytes = new Uint8Array(16 + 8 + count * 8 + size);
  const view = new DataView(bytes.buffer);
  [1, 2, count, 16].forEach((word, index) => {
    view.setUint32(index * 4, word, true);
  });
  for (let index = 0; index < count; index++) {
    view.setUint32(16 + index * 8, size, true);
    view.setUint32(20 + index * 8, 24 + count * 8, true);
  }
  const list = GetMReplyView.read(bytes).vals;
  assert.equal(list.at(0).length, size);
  assert.throws(() => list.toArray(), hasCode('TRAVERSAL'), 'a gigabyte out of 180 KB');
});

test('sizes and counts that overflow 32 bits are outside', () => {
  for (const [size, offset] of [
    [0xffff_ffff, 16],
    [16, 0xffff_ffff],
    [0xffff_fff0, 0x20],
    [0x8000_0000, 0x8000_0000],
  ] as const) {
    const bytes = new Uint8Array(64);
    const view = new DataView(bytes.buffer);
    [1, 1 << 9, size, offset].forEach((word, index) => {
      view.setUint32(index * 4, word, true);
    });
    assert.throws(() => KitchenSinkView.read(bytes).data, hasCode('BOUNDS'));
    view.setUint32(4, 1 << 22, true);
    assert.throws(() => KitchenSinkView.read(bytes).ulongs, hasCode('BOUNDS'));
    view.setUint32(4, 1 << 17, true);
    assert.throws(() => KitchenSinkView.read(bytes).texts, hasCode('BOUNDS'));
  }
});

test('a relay that leads to itself, or outside, ends with a code', () => {
  const bytes = new Uint8Array(32);
  const view = new DataView(bytes.buffer);
  [0xffff_0000, 0, 32, 0].forEach((word, index) => {
    view.setUint32(index * 4, word, true);
  });
  assert.throws(() => KitchenSinkView.read(bytes), hasCode('DEPTH'));
  view.setUint32(8, 33, true);
  assert.throws(() => KitchenSinkView.read(bytes), hasCode('BOUNDS'));
  [0xffff_0000, 0xffff_fff8, 16, 16].forEach((word, index) => {
    view.setUint32(index * 4, word, true);
  });
  assert.throws(() => KitchenSinkView.read(bytes), hasCode('BOUNDS'));
});

test('what is not UTF-8 is refused, what is comes through', () => {
  const view = (text: Uint8Array): KitchenSinkView =>
    KitchenSinkView.read(encode(KitchenSink.from({ text })));
  for (const good of ['\ufffd', '\ufeff', '\0', '€', '😀', 'a\ufffdb', 'ä'.repeat(100)]) {
    assert.equal(view(Buffer.from(good)).text, good);
  }
  for (const bad of ['80', 'c080', 'eda080', 'f4908080', 'e282', 'ff', '61ff62', 'f8888080 80', 'efbfbdff']) {
    const bytes = Buffer.from(bad.replaceAll(' ', ''), 'hex');
    assert.throws(() => view(new Uint8Array(bytes)).text, hasCode('UTF8'), bad);
  }
});

test('map keys such as __proto__ are keys like any other, and the last of several counts', () => {
  const entries: [string, number][] = [
    ['__proto__', 1],
    ['constructor', 2],
    ['toString', 3],
  ];
  const { counts } = KitchenSinkView.read(encode(KitchenSink.from({ counts: entries })));
  assert.deepEqual([...counts], entries);
  assert.equal(counts.get('__proto__'), 1);
  assert.equal(counts.get('hasOwnProperty'), undefined);
  assert.equal(counts.toMap().get('constructor'), 2);
  assert.equal(({} as Record<string, unknown>)['1'], undefined);
  const schema: Schema = { root: [{ number: 25, kind: 'uint32', label: 'map', key: 'string' }] };
  const bytes = encode(
    new DynamicObject(
      new Encoder(),
      schema,
      new Map([
        [
          25,
          [
            ['k', 1],
            ['j', 2],
          ],
        ],
      ]),
    ),
  );
  // Makes the second key the first once more.
  bytes.copyWithin(32, 16, 24);
  const doubled = KitchenSinkView.read(bytes).counts;
  assert.deepEqual([doubled.size, doubled.get('k'), doubled.toMap().get('k')], [2, 2, 2]);
});
