/**
 * Hostile messages: mutations aimed at every kind of pointer, random bytes, and known attacks on readers of this
 * sort. A reader answers with a WireError or with values from inside the message, and it ends.
 *
 * LARDER_FUZZ_CASES and LARDER_FUZZ_SEED change the number of cases (a million) and where they begin.
 */
import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { test } from 'node:test';
import fc from 'fast-check';
import { Encoder, encode, Message, WireError, type WireErrorCode } from '../index.ts';
import { DynamicObject, readDynamic } from '../testing/dynamic.ts';
import { GetMReplyView } from '../testing/get-m.larder.ts';
import { walkHostileMessages } from '../testing/hostile-messages.ts';
import { KitchenSink, KitchenSinkView } from '../testing/kitchen-sink.larder.ts';
import type { Schema } from '../testing/schema.ts';

const CASES = Number(process.env.LARDER_FUZZ_CASES ?? 1_000_000);
const SEED = Number(process.env.LARDER_FUZZ_SEED ?? 20_261_122);

test(`${CASES} mutated and random messages, walked in full (seed ${SEED})`, () => {
  assert.ok(walkHostileMessages(CASES, SEED) > CASES * 3);
});

test(`text is refused exactly when it is not UTF-8 (seed ${SEED})`, () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.constantFrom(0x41, 0x80, 0xbf, 0xc2, 0xe2, 0x82, 0xac, 0xed, 0xef, 0xbd, 0xf0, 0x9f, 0xf5, 0xff),
        { maxLength: 8 },
      ),
      (codes) => {
        const text = Uint8Array.from(codes);
        const view = KitchenSinkView.read(encode(KitchenSink.from({ text })));
        if (isUtf8(text)) assert.deepEqual(Buffer.from(view.text), Buffer.from(text));
        else assert.throws(() => view.text, hasCode('UTF8'));
      },
    ),
    { seed: SEED, numRuns: 3000 },
  );
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

test('reading the same relays again and again keeps nothing, and too many different ones end with a code', () => {
  // A list of messages: every element a relay, 16 bytes each, to a message of 8 bytes that is somewhere else each time.
  const count = 70_000;
  const bytes = new Uint8Array(16 + count * (8 + 16) + 8);
  const view = new DataView(bytes.buffer);
  [1, 1 << 19, count, 16].forEach((word, index) => {
    view.setUint32(index * 4, word, true);
  });
  const relays = 16 + count * 8;
  for (let index = 0; index < count; index++) {
    view.setUint32(20 + index * 8, relays + index * 16, true);
    view.setUint32(relays + index * 16, 0xffff_0000, true);
    // The empty object at the end, out of a message that begins a byte earlier each time.
    view.setUint32(relays + index * 16 + 4, index, true);
    view.setUint32(relays + index * 16 + 8, 8 + index, true);
    view.setUint32(relays + index * 16 + 12, bytes.length - 8 - index, true);
  }
  view.setUint32(bytes.length - 8, 1, true);
  const { inners } = KitchenSinkView.read(bytes);
  for (let index = 0; index < 200_000; index++) assert.equal(inners.at(index % 1000).name, '');
  assert.throws(() => inners.toArray(), hasCode('TRAVERSAL'));
});

test('what is not UTF-8 is refused, what is comes through', () => {
  const view = (text: Uint8Array): KitchenSinkView =>
    KitchenSinkView.read(encode(KitchenSink.from({ text })));
  for (let length = 0; length < 20; length++) {
    const text = 'the quick brown fox '.slice(0, length);
    assert.equal(view(Buffer.from(text)).text, text);
  }
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
