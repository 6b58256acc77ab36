/**
 * Nanoseconds per message for objects of many small fields, beside protobufjs' generated code in the same run:
 * `node -C larder-source src/kitchen-sink.bench.ts`. Encoding includes filling the object; reading reads every
 * field that is there. protobufjs gets 64-bit integers as numbers, and no check of UTF-8.
 */
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import { Encoder, encode, encodeInto, Memory } from './index.ts';
import { KitchenSink, type KitchenSinkInit, KitchenSinkView } from './testing/kitchen-sink.larder.ts';

const ROUNDS = 7;
const ROUND_MS = 60;

const source = readFileSync(new URL('./testing/kitchen-sink.proto', import.meta.url), 'utf8');
const PeerSink = protobuf.parse(source, { keepCase: false }).root.lookupType('larder.testing.KitchenSink');

let sink = 0;

/** The fastest of several rounds, in processor time, so that other programs do not count. */
function nanoseconds(body: () => number): number {
  let best = Number.POSITIVE_INFINITY;
  let iterations = 1000;
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.cpuUsage();
    for (let index = 0; index < iterations; index++) sink += body();
    const { user, system } = process.cpuUsage(start);
    const elapsed = (user + system) * 1000;
    if (round > 1) best = Math.min(best, elapsed / iterations);
    iterations = Math.max(1000, Math.round((iterations * ROUND_MS * 1e6) / elapsed));
  }
  return best;
}

const output = new Memory(new ArrayBuffer(1 << 16));

interface Case {
  readonly name: string;
  readonly init: KitchenSinkInit;
  readonly fill: (builder: KitchenSink) => void;
  readonly read: (view: KitchenSinkView) => number;
  readonly peerRead: (message: { readonly [name: string]: never }) => number;
}

const CASES: readonly Case[] = [
  {
    name: '8 scalars',
    init: {
      flag: true,
      int: -5,
      uint: 400_000,
      smallLong: 7_000_000_000,
      single: 1.5,
      number: 2.25,
      color: 1,
      maybeInt: 3,
    },
    fill: (builder) => {
      builder.flag = true;
      builder.int = -5;
      builder.uint = 400_000;
      builder.smallLong = 7_000_000_000;
      builder.single = 1.5;
      builder.number = 2.25;
      builder.color = 1;
      builder.maybeInt = 3;
    },
    read: (view) =>
      Number(view.flag) +
      view.int +
      view.uint +
      view.smallLong +
      view.single +
      view.number +
      view.color +
      view.maybeInt!,
    peerRead: (message) =>
      Number(message.flag) +
      message.int! +
      message.uint! +
      Number(message.smallLong) +
      message.single! +
      message.number! +
      message.color! +
      message.maybeInt!,
  },
  {
    name: '4 strings',
    init: {
      text: 'user@example.com',
      maybeText: 'Ada Lovelace',
      choiceText: '2026-11-20T10:00:00Z',
      farText: 'grüße',
    },
    fill: (builder) => {
      builder.text = 'user@example.com';
      builder.maybeText = 'Ada Lovelace';
      builder.choiceText = '2026-11-20T10:00:00Z';
      builder.farText = 'grüße';
    },
    read: (view) => view.text.length + view.maybeText!.length + view.choiceText!.length + view.farText.length,
    peerRead: (message) => {
      const { text, maybeText, choiceText, farText } = message as unknown as Record<string, string>;
      return text!.length + maybeText!.length + choiceText!.length + farText!.length;
    },
  },
  {
    name: '64 doubles',
    init: { doubles: Float64Array.from({ length: 64 }, (_, index) => index / 7) },
    fill: (builder) => {
      builder.doubles = DOUBLES;
    },
    read: (view) => {
      let sum = 0;
      const { doubles } = view;
      for (let index = 0; index < doubles.length; index++) sum += doubles[index]!;
      return sum;
    },
    peerRead: (message) => {
      let sum = 0;
      const { doubles } = message as unknown as { doubles: number[] };
      for (let index = 0; index < doubles.length; index++) sum += doubles[index]!;
      return sum;
    },
  },
  {
    name: '8 objects',
    init: { inners: Array.from({ length: 8 }, (_, index) => ({ name: `name ${index}` })) },
    fill: (builder) => {
      for (const name of NAMES) builder.inners.add().name = name;
    },
    read: (view) => {
      let sum = 0;
      const { inners } = view;
      for (let index = 0; index < inners.length; index++) sum += inners.at(index).name.length;
      return sum;
    },
    peerRead: (message) => {
      let sum = 0;
      const { inners } = message as unknown as { inners: { name: string }[] };
      for (let index = 0; index < inners.length; index++) sum += inners[index]!.name.length;
      return sum;
    },
  },
];
const DOUBLES = Float64Array.from({ length: 64 }, (_, index) => index / 7);
const NAMES = Array.from({ length: 8 }, (_, index) => `name ${index}`);

for (const { name, init, fill, read, peerRead } of CASES) {
  if (!name.includes(process.argv[2] ?? '')) continue;
  const builder = new KitchenSink(new Encoder());
  const filled = (): KitchenSink => {
    fill(builder);
    return builder;
  };
  const peerWire = PeerSink.encode(init as never).finish();
  const wire = encode(filled());
  const times = {
    encode: {
      protobufjs: nanoseconds(() => PeerSink.encode({ ...init } as never).finish().length),
      joined: nanoseconds(() => encode(filled()).length),
      into: nanoseconds(() => encodeInto(filled(), output, 0)),
    },
    read: {
      protobufjs: nanoseconds(() => peerRead(PeerSink.decode(peerWire) as never)),
      views: nanoseconds(() => read(KitchenSinkView.read(wire))),
    },
  };
  for (const [what, each] of Object.entries(times)) {
    const texts = Object.entries(each).map(
      ([key, ns]) => `${key} ${ns.toFixed(0)} (${(each.protobufjs / ns).toFixed(2)})`,
    );
    console.log(`${name.padEnd(12)} ${what.padEnd(7)} ${texts.join('  ')}`);
  }
  console.log(`${name.padEnd(12)} bytes   protobufjs ${peerWire.length}  larder ${wire.length}`);
}
console.log('ns per message (ratio of protobufjs; above 1 is faster)', sink > 0 ? '' : sink);
