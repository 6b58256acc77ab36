/** Pieces that are copied when the message is written: all lengths, all neighbours, and nothing beside them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena, MIB, PageTable, SlabAllocator, SlabClasses } from '@larder/datapath';
import fc from 'fast-check';
import { Encoder, encode, encodeInto, Memory, SendMemory, sendObject } from '../index.ts';
import { allocatedPerMessage } from '../testing/allocated-per-message.ts';
import { RecordingTarget } from '../testing/arena.ts';
import { GetMReply, GetMReplyView } from '../testing/get-m.larder.ts';
import { KitchenSink, KitchenSinkView } from '../testing/kitchen-sink.larder.ts';
import { copyAcross } from './copy.ts';

const SEED = 11;
const UNTOUCHED = 0xee;
const SOURCE_BYTES = 62_000;

test('copies of every length take all bytes and no others, in memory of every kind', () => {
  const memories = [new ArrayBuffer(4096), new SharedArrayBuffer(4096)].map((buffer) => new Memory(buffer));
  for (const from of memories) {
    for (let index = 0; index < 4096; index++) from.u8[index] = index * 7 + (index >> 8);
    for (const to of [...memories, new Memory(new ArrayBuffer(4096))]) {
      for (let bytes = 0; bytes <= 600; bytes++) {
        const [source, target] = [1000 + (bytes % 9), 2000 + (bytes % 7)];
        to.u8.fill(UNTOUCHED, 1990, 2700);
        copyAcross(from, source, to, target, bytes);
        assert.deepEqual(to.u8.slice(target, target + bytes), from.u8.slice(source, source + bytes));
        assert.ok(to.u8.subarray(1990, target).every((byte) => byte === UNTOUCHED));
        assert.ok(to.u8.subarray(target + bytes, 2700).every((byte) => byte === UNTOUCHED));
      }
    }
  }
});

function allocatorOver(arena: Arena): SlabAllocator {
  const allocator = new SlabAllocator(new PageTable(arena, 64, 1), 64 * 1024, 1, new SlabClasses());
  allocator.setPageLimit(3);
  return allocator;
}

/** A buffer of the arena that pieces are cut from. */
function makeSource(allocator: SlabAllocator): number {
  const source = allocator.allocate(allocator.classFor(SOURCE_BYTES + 64));
  const { u8 } = allocator.arena;
  for (let index = 0; index < SOURCE_BYTES; index++) u8[source + 64 + index] = index * 11 + (index >> 8);
  return source;
}

/** What may be put into a list, in any order. */
const steps = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('all' as const),
      pieces: fc.array(
        fc.tuple(fc.nat(60_000), fc.oneof(fc.nat(40), fc.nat(40), fc.nat(300), fc.nat(1500))),
        { maxLength: 9 },
      ),
    }),
    fc.record({ kind: fc.constant('one' as const), bytes: fc.uint8Array({ maxLength: 70 }) }),
    fc.record({ kind: fc.constant('peek' as const), index: fc.nat(20) }),
    fc.record({ kind: fc.constant('again' as const), text: fc.string({ maxLength: 50 }) }),
    fc.record({ kind: fc.constant('drop' as const) }),
  ),
  { maxLength: 8 },
);

for (const [kind, make] of [
  ['an ordinary arena', () => Arena.portable(4 * MIB)],
  ['a shared arena', () => Arena.shared(4 * MIB)],
] as const) {
  test(`whatever is put before and behind them, pieces come through: ${kind}`, () => {
    const arena = make();
    const allocator = allocatorOver(arena);
    const encoder = new Encoder(new SendMemory(allocator, { referenceBytesMin: 1000 }));
    const target = new RecordingTarget(allocator);
    const sink = new KitchenSink(encoder);
    const source = makeSource(allocator);
    const at = (offset: number): number => source + 64 + offset;
    const run = (commands: typeof steps extends fc.Arbitrary<infer T> ? T : never, isSent: boolean): void => {
      let expected: Buffer[] = [];
      let text = '';
      for (const step of commands) {
        if (step.kind === 'all') {
          const pairs = Int32Array.from(step.pieces.flatMap(([offset, bytes]) => [at(offset), bytes]));
          sink.blobs.appendAllAt(pairs, 0, step.pieces.length);
          for (const [offset, bytes] of step.pieces) {
            expected.push(Buffer.from(arena.u8.slice(at(offset), at(offset) + bytes)));
          }
        } else if (step.kind === 'one') {
          sink.blobs.append(step.bytes);
          expected.push(Buffer.from(step.bytes));
        } else if (step.kind === 'peek') {
          const found = expected[step.index];
          if (found !== undefined) assert.deepEqual(Buffer.from(sink.blobs.peek(step.index)), found);
        } else if (step.kind === 'again') {
          sink.text = step.text;
          text = sink.text;
        } else {
          sink.blobs = [];
          expected = [];
        }
      }
      let bytes: Uint8Array;
      if (isSent) {
        sendObject(target, sink);
        bytes = target.take().subarray(16);
        for (const owner of target.owners.splice(0)) encoder.send!.complete(owner);
      } else bytes = encode(sink);
      const view = KitchenSinkView.read(bytes);
      assert.deepEqual(
        view.blobs.toArray().map((blob) => Buffer.from(blob)),
        expected,
      );
      assert.equal(view.text, text);
    };
    fc.assert(fc.property(steps, fc.boolean(), run), { seed: SEED, numRuns: 400 });
    target.close();
    encoder.dispose();
    assert.equal(allocator.references(source), 1);
    allocator.release(source);
    assert.equal(allocator.chunksInUse(), 0);
  });
}

test('pieces are copied once, when the message is written, and up to the last byte of the arena', () => {
  const arena = Arena.portable(4 * MIB);
  const encoder = new Encoder(new SendMemory(allocatorOver(arena), { referenceBytesMin: 1000 }));
  const reply = new GetMReply(encoder);
  const last = arena.bytes - 5;
  arena.u8.set([1, 2, 3, 4, 5], last);
  reply.vals.appendAllAt(Int32Array.of(MIB, 40, last, 5, MIB, 40), 0, 3);
  arena.u8.fill(9, MIB, MIB + 40);
  const output = new Memory(new ArrayBuffer(1024));
  output.u8.fill(UNTOUCHED);
  const bytes = encodeInto(reply, output, 100);
  assert.deepEqual(
    GetMReplyView.read(output.u8.subarray(100, 100 + bytes))
      .vals.toArray()
      .map((value) => [...value]),
    [Array(40).fill(9), [1, 2, 3, 4, 5], Array(40).fill(9)],
  );
  assert.ok(output.u8.subarray(0, 100).every((byte) => byte === UNTOUCHED));
  assert.ok(output.u8.subarray(100 + bytes).every((byte) => byte === UNTOUCHED));
});

test('pairs that are not there, or lie outside the arena, are refused', () => {
  const arena = Arena.portable(4 * MIB);
  const reply = new GetMReply(new Encoder(new SendMemory(allocatorOver(arena))));
  const pairs = Int32Array.of(MIB, 4, arena.bytes - 3, 4, -1, 4, MIB, -4);
  for (const [from, count] of [
    [0, 2],
    [4, 1],
    [6, 1],
    [0, 5],
    [-2, 1],
    [0, -1],
    [8, 1],
  ] as const) {
    assert.throws(() => reply.vals.appendAllAt(pairs, from, count), { code: 'RANGE' }, `${from} ${count}`);
    assert.equal(reply.vals.length, 0);
  }
  reply.vals.appendAllAt(pairs, 0, 1);
  assert.equal(GetMReplyView.read(encode(reply)).vals.length, 1);
});

test('when one of many is refused, none is in the message, and nothing is held', () => {
  const allocator = allocatorOver(Arena.portable(4 * MIB));
  const encoder = new Encoder(new SendMemory(allocator, { referenceBytesMin: 1000 }));
  const reply = new GetMReply(encoder);
  const source = makeSource(allocator);
  const freed = makeSource(allocator);
  allocator.release(freed);
  const pairs = Int32Array.of(source + 64, 30, source + 64, 2000, source + 99, 40, freed + 64, 3000);
  assert.throws(() => reply.vals.appendAllAt(pairs, 0, 4), { code: 'RELEASED' });
  assert.equal(allocator.references(source), 1);
  reply.vals.append('alone');
  assert.deepEqual(
    GetMReplyView.read(encode(reply)).vals.toArray().map(String),
    [Buffer.from('alone')].map((bytes) => String(new Uint8Array(bytes))),
  );
  assert.equal(encoder.bump.used, 0);
  reply.vals.appendAllAt(pairs, 0, 3);
  assert.equal(encoder.bump.used, 70, 'what is referenced takes no room');
  assert.equal(GetMReplyView.read(encode(reply)).vals.length, 3);
  encoder.dispose();
  allocator.release(source);
  assert.equal(allocator.chunksInUse(), 0);
});

test('lists grow by doubling, whatever is put into them', () => {
  const allocator = allocatorOver(Arena.portable(4 * MIB));
  const source = makeSource(allocator);
  for (const encoder of [new Encoder(), new Encoder(new SendMemory(allocator))]) {
    const reply = new GetMReply(encoder);
    let blocks = 0;
    let start = -1;
    let memory: Memory | undefined;
    for (let index = 0; index < 50_000; index++) {
      if (encoder.send !== null && index % 2 === 0)
        reply.vals.appendAllAt(Int32Array.of(source + 64, 9), 0, 1);
      else reply.vals.append('some text');
      if (encoder.bump.memory === memory && encoder.bump.start === start) continue;
      ({ memory, start } = encoder.bump);
      blocks++;
    }
    assert.ok(blocks <= 10, `${blocks} blocks`);
    assert.equal(GetMReplyView.read(encode(reply)).vals.length, 50_000);
    encoder.dispose();
  }
});

test('in steady state nothing is allocated for a reply of eight values given by place', () => {
  const allocator = allocatorOver(Arena.portable(4 * MIB));
  const memory = new SendMemory(allocator, { referenceBytesMin: 1000 });
  const reply = new GetMReply(new Encoder(memory));
  const source = makeSource(allocator);
  const pairs = Int32Array.from(
    [3, 8, 64, 100, 17, 300, 1000, 2000].flatMap((bytes) => [source + 64, bytes]),
  );
  const buffer = allocator.allocate(allocator.classFor(32_000)) + 64;
  const target = {
    cursor: 0,
    reserve: (): number => buffer,
    copy: (): void => {},
    writeBytes: (): void => {},
    reference: (_offset: number, _bytes: number, owner: number): void => memory.complete(owner),
  };
  const bytes = allocatedPerMessage(() => {
    reply.id = 1;
    reply.vals.appendAllAt(pairs, 0, 8);
    sendObject(target, reply, 1, 2);
  });
  // Two of the smallest objects have 32 bytes.
  assert.ok(bytes < 12, `${bytes} bytes per message`);
  assert.equal(allocator.references(source), 1);
});
