/**
 * Nanoseconds per message of getM replies, beside protobufjs' generated code in the same run:
 * `node -C larder-source src/get-m.bench.ts [filter]`.
 *
 * Encoding includes filling the object. protobufjs makes one fresh Buffer; `joined` does the same; `into` writes
 * to memory that is there, as a transport's send buffer is; `list` makes a scatter-gather list; `send` is
 * serialize-and-send out of an arena to a connection that does nothing.
 */
import { Arena, PageTable, SlabAllocator, SlabClasses } from '@larder/datapath';
import protobuf from 'protobufjs';
import { Encoder, encode, encodeInto, Memory, Message, SendMemory, serialize } from './index.ts';
import { GetMReply, GetMReplyView } from './testing/get-m.larder.ts';

const SHAPES = [
  { values: 1, bytes: 16 },
  { values: 8, bytes: 16 },
  { values: 8, bytes: 64 },
  { values: 8, bytes: 512 },
  { values: 1, bytes: 8192 },
] as const;
const ROUNDS = 7;
const ROUND_MS = 60;

const { root } = protobuf.parse(
  'syntax = "proto3"; message GetMReply { uint32 id = 1; repeated bytes vals = 2; }',
);
const PeerReply = root.lookupType('GetMReply');

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

function makeMemory(): SlabAllocator {
  const arena = Arena.portable(64 << 20);
  const allocator = new SlabAllocator(new PageTable(arena, 64, 1), 64 * 1024, 1, new SlabClasses());
  allocator.setPageLimit(63);
  return allocator;
}

const filter = process.argv[2] ?? '';
const allocator = makeMemory();
const sendMemory = new SendMemory(allocator);

/** Takes everything and sends nothing, like a connection whose output is dropped at once. */
class NullTarget {
  readonly start: number = allocator.allocate(allocator.classFor(65_536)) + 64;
  cursor = this.start;
  reserve(): number {
    this.cursor = this.start;
    return this.start;
  }
  copy(_offset: number, bytes: number): void {
    sink += bytes;
  }
  writeBytes(bytes: Uint8Array): void {
    sink += bytes.length;
  }
  reference(_offset: number, _bytes: number, owner: number): void {
    sendMemory.complete(owner);
  }
}

for (const { values, bytes } of SHAPES) {
  const name = `${values} x ${bytes} B`;
  if (!name.includes(filter)) continue;
  const vals = Array.from({ length: values }, (_, index) => new Uint8Array(bytes).fill(index + 1));
  const places = vals.map((value) => {
    const chunk = allocator.allocate(allocator.classFor(bytes + 64));
    allocator.arena.u8.set(value, chunk + 64);
    return chunk + 64;
  });
  const portable = new GetMReply(new Encoder());
  const arena = new GetMReply(new Encoder(sendMemory));
  const target = new NullTarget();
  const output = new Memory(new ArrayBuffer(1 << 20));
  const fill = (reply: GetMReply): GetMReply => {
    reply.id = 7;
    for (let index = 0; index < values; index++) reply.vals.append(vals[index]!);
    return reply;
  };
  const results: Record<string, number> = {
    protobufjs: nanoseconds(() => PeerReply.encode({ id: 7, vals } as never).finish().length),
    joined: nanoseconds(() => encode(fill(portable)).length),
    into: nanoseconds(() => encodeInto(fill(portable), output, 0)),
    list: nanoseconds(() => serialize(fill(portable)).bytes),
    send: nanoseconds(() => {
      arena.id = 7;
      for (let index = 0; index < values; index++) arena.vals.appendAt(places[index]!, bytes);
      arena.$encoder.writeTo(target, arena, 0, 1);
      return target.cursor;
    }),
  };
  const wire = encode(fill(portable));
  const peerWire = PeerReply.encode({ id: 7, vals } as never).finish();
  const message = new Message();
  const memory = Memory.of(wire);
  const start = wire.byteOffset;
  const reading: Record<string, number> = {
    protobufjs: nanoseconds(() => {
      const decoded = PeerReply.decode(peerWire) as unknown as { id: number; vals: Uint8Array[] };
      let sum = decoded.id;
      for (const value of decoded.vals) sum += value[0]! + value.length;
      return sum;
    }),
    views: nanoseconds(() => {
      const view = GetMReplyView.read(wire);
      let sum = view.id;
      const list = view.vals;
      for (let index = 0; index < list.length; index++) {
        const value = list.at(index);
        sum += value[0]! + value.length;
      }
      return sum;
    }),
    located: nanoseconds(() => {
      const view = new GetMReplyView(message.over(memory, start, start + wire.length));
      let sum = view.id;
      const list = view.vals;
      for (let index = 0; index < list.length; index++) {
        const range = list.locate(index);
        sum += memory.u8[range.offset]! + range.bytes;
      }
      return sum;
    }),
  };
  const show = (what: string, times: Record<string, number>): void => {
    const peer = times.protobufjs!;
    const texts = Object.entries(times).map(
      ([key, ns]) => `${key} ${ns.toFixed(0)} (${(peer / ns).toFixed(2)})`,
    );
    console.log(`${name.padEnd(12)} ${what.padEnd(7)} ${texts.join('  ')}`);
  };
  show('encode', results);
  show('decode', reading);
}
console.log('ns per message (ratio of protobufjs; above 1 is faster)', sink > 0 ? '' : sink);
