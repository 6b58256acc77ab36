/**
 * Hostile messages by the million: mutations aimed at every kind of pointer, random bytes, truncation, each walked
 * in full by the generated views. A case is known by its number and its seed.
 */
import assert from 'node:assert/strict';
import { encode, Memory, Message } from '../index.ts';
import { GetMReply, GetMReplyView } from './get-m.larder.ts';
import { KitchenSink, type KitchenSinkInit, KitchenSinkView } from './kitchen-sink.larder.ts';
import { KITCHEN_SINK } from './kitchen-sink-schema.ts';
import { type Pointer, pointersOf } from './pointers.ts';
import type { Schema } from './schema.ts';
import { AROUND, Walker, walkGetM, walkKitchenSink } from './walk.ts';

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

/** Throws for the first case that is not answered as it must be; returns the reads. */
export function walkHostileMessages(cases: number, seed: number): number {
  const random = new Random(seed);
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
    for (; number < cases; number++) {
      const target = all[number % all.length]!;
      const bytes = mutate(random, memory, target);
      target.walk(walker, message, bytes);
    }
  } catch (error) {
    throw new Error(`case ${number} of seed ${seed}`, { cause: error });
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  const codes = [...walker.refused.keys()].sort();
  assert.deepEqual(codes, ['BOUNDS', 'DEPTH', 'RANGE', 'UTF8', 'VERSION'], 'all of these were met');
  return walker.reads;
}
