/** Messages out of streams and datagrams, however they are cut, and what they hold. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  encode,
  FRAGMENT_HEADER_BYTES,
  FrameReader,
  Memory,
  type Message,
  Reassembler,
  ReceiveHolds,
  StreamReader,
  serialize,
  WireError,
  type WireErrorCode,
} from '../index.ts';
import { makeAllocator } from '../testing/arena.ts';
import { GetMReply, GetMReplyView } from '../testing/get-m.larder.ts';

const seed = 20_261_121;
const hasCode =
  (code: WireErrorCode) =>
  (error: unknown): boolean =>
    error instanceof WireError && error.code === code;

function frame(id: number, ...lengths: number[]): Buffer {
  const reply = GetMReply.from({ id, vals: lengths.map((length) => randomBytes(length)) });
  return Buffer.from(serialize(reply, { type: id * 2, id }).toUint8Array());
}

const lengths = fc.array(
  fc.array(fc.oneof(fc.integer({ min: 0, max: 100 }), fc.constantFrom(70_000, 200_000)), { maxLength: 4 }),
  { minLength: 1, maxLength: 6 },
);

test(`StreamReader: any frames in any chunks (seed ${seed})`, () => {
  fc.assert(
    fc.property(lengths, fc.array(fc.integer({ min: 1, max: 90_000 }), { minLength: 1 }), (shapes, cuts) => {
      const frames = shapes.map((shape, id) => frame(id, ...shape));
      const stream = Buffer.concat(frames);
      const received: Buffer[] = [];
      const reader = new StreamReader((message, type, id) => {
        assert.equal(type, id * 2);
        assert.equal(id, received.length);
        received.push(Buffer.from(message.toUint8Array()));
        return undefined;
      });
      for (let at = 0, cut = 0; at < stream.length; cut++) {
        const length = cuts[cut % cuts.length]!;
        reader.push(new Uint8Array(stream.subarray(at, at + length)));
        at += length;
      }
      assert.deepEqual(
        received,
        frames.map((each) => each.subarray(16)),
      );
    }),
    { seed, numRuns: 60 },
  );
});

/** Plays a transport: unconsumed bytes are given again, contiguous with what follows. */
function deliver(reader: FrameReader, memory: Memory, stream: Buffer, cuts: readonly number[]): void {
  let kept = Buffer.alloc(0);
  for (let at = 0, cut = 0; at < stream.length; cut++) {
    const length = cuts[cut % cuts.length]!;
    const input = Buffer.concat([kept, stream.subarray(at, at + length)]);
    at += length;
    memory.u8.set(input, 1000);
    const consumed = reader.push(1000, 1000 + input.length) - 1000;
    assert.ok(consumed >= 0 && consumed <= input.length);
    kept = Buffer.from(input.subarray(consumed));
    // What was delivered is somebody else's now.
    memory.u8.fill(0xee, 1000, 1000 + input.length);
  }
  assert.equal(kept.length, 0);
}

test(`FrameReader: any frames in any pieces, some retained (seed ${seed})`, () => {
  const memory = new Memory(new ArrayBuffer(1 << 20));
  fc.assert(
    fc.property(
      lengths,
      fc.array(fc.integer({ min: 1, max: 90_000 }), { minLength: 1 }),
      fc.infiniteStream(fc.boolean()),
      (shapes, cuts, keep) => {
        const frames = shapes.map((shape, id) => frame(id, ...shape));
        const received: Buffer[] = [];
        const retained: { view: GetMReplyView; expected: Buffer[]; at: number }[] = [];
        const dropped: Message[] = [];
        const reader = new FrameReader(memory, (message, type, id) => {
          assert.equal(type, id * 2);
          const view = new GetMReplyView(message);
          const expected = view.vals.toArray().map((value) => Buffer.from(value));
          received.push(Buffer.from(message.toUint8Array()));
          if (keep.next().value) retained.push({ view: view.retain(), expected, at: received.length - 1 });
          else dropped.push(message);
          return undefined;
        });
        deliver(reader, memory, Buffer.concat(frames), cuts);
        assert.deepEqual(
          received,
          frames.map((each) => each.subarray(16)),
        );
        for (const { view, expected, at } of retained) {
          assert.equal(view.id, at);
          assert.deepEqual(
            view.vals.toArray().map((value) => Buffer.from(value)),
            expected,
          );
          view.release();
          assert.throws(() => view.vals.at(0), WireError);
        }
      },
    ),
    { seed, numRuns: 60 },
  );
});

test('FrameReader stops when the handler wants no more, and goes on where it was', () => {
  const memory = new Memory(new ArrayBuffer(1 << 16));
  const stream = Buffer.concat([frame(0, 5), frame(1, 6), frame(2, 7)]);
  memory.u8.set(stream);
  const ids: number[] = [];
  const reader = new FrameReader(memory, (_message, _type, id) => {
    ids.push(id);
    return id !== 1;
  });
  const consumed = reader.push(0, stream.length);
  assert.deepEqual(ids, [0, 1]);
  assert.equal(reader.push(consumed, stream.length), stream.length);
  assert.deepEqual(ids, [0, 1, 2]);
});

test('a frame that claims too much is refused before memory is taken for it', () => {
  const header = new Uint8Array(16);
  const view = new DataView(header.buffer);
  view.setUint32(0, 0x7fff_ffff, true);
  assert.throws(() => new StreamReader(() => undefined).push(header), hasCode('TOO_LARGE'));
  const memory = new Memory(header.buffer);
  assert.throws(() => new FrameReader(memory, () => undefined).push(0, 16), hasCode('TOO_LARGE'));
  view.setUint32(0, 1 << 30, true);
  const before = process.memoryUsage().arrayBuffers;
  const patient = new StreamReader(() => undefined);
  patient.push(header);
  patient.push(new Uint8Array(1000));
  assert.ok(
    process.memoryUsage().arrayBuffers - before < 1 << 20,
    'memory grows with what came, not with the claim',
  );
  view.setUint32(12, 1, true);
  assert.throws(() => new StreamReader(() => undefined).push(header), hasCode('FRAME'));
});

test('retained messages hold receive buffers up to a limit, and copies beyond', () => {
  const allocator = makeAllocator();
  const memory = Memory.ofArena(allocator.arena);
  const holds = new ReceiveHolds(allocator, 2);
  const kept: GetMReplyView[] = [];
  const reader = new FrameReader(
    memory,
    (message) => {
      kept.push(new GetMReplyView(message).retain());
      return undefined;
    },
    { holds },
  );
  const buffers = [1, 2, 3].map(() => allocator.allocate(allocator.classFor(10_000)));
  for (const buffer of buffers) {
    const input = Buffer.concat([frame(buffers.indexOf(buffer), 3), frame(9, 4)]);
    memory.u8.set(input, buffer + 64);
    reader.push(buffer + 64, buffer + 64 + input.length);
  }
  assert.deepEqual(
    buffers.map((buffer) => allocator.references(buffer)),
    [2, 2, 1],
  );
  assert.deepEqual([holds.buffers, holds.copiedOut], [2, 2]);
  for (const buffer of buffers.slice(2)) memory.u8.fill(0xee, buffer + 64, buffer + 300);
  assert.deepEqual(
    kept.map((view) => view.id),
    [0, 9, 1, 9, 2, 9],
  );
  const detached = kept[0]!;
  detached.$message.detach();
  kept[1]!.release();
  assert.deepEqual([holds.buffers, allocator.references(buffers[0]!)], [1, 1]);
  assert.equal(detached.vals.length, 1, 'a detached message holds nothing and reads on');
  const copy = kept[2]!.copy();
  for (const view of kept) if (!view.$message.isReleased) view.release();
  assert.equal(copy.id, 1);
  assert.throws(() => kept[2]!.release(), hasCode('RELEASED'));
  assert.equal(holds.buffers, 0);
  for (const buffer of buffers) allocator.release(buffer);
  assert.equal(allocator.chunksInUse(), 0);
});

test('retain counts: the last release ends the views', () => {
  const view = GetMReplyView.read(encode(GetMReply.from({ id: 5 })));
  view.retain().retain();
  view.release();
  assert.equal(view.id, 5);
  view.release();
  assert.throws(() => view.id, hasCode('RELEASED'));
  assert.throws(() => view.retain(), hasCode('RELEASED'));
});

// ---- datagrams

/** The datagrams of a message. */
function fragments(id: number, message: Uint8Array, partBytes: number): Buffer[] {
  const count = Math.max(1, Math.ceil(message.length / partBytes));
  return Array.from({ length: count }, (_, index) => {
    const header = Buffer.alloc(FRAGMENT_HEADER_BYTES);
    header.writeUInt32LE(id, 0);
    header.writeUInt32LE(7, 4);
    header.writeUInt32LE(message.length, 8);
    header.writeUInt16LE(index, 12);
    header.writeUInt16LE(count, 14);
    return Buffer.concat([header, message.subarray(index * partBytes, (index + 1) * partBytes)]);
  });
}

function makeReassembler(options: Partial<ConstructorParameters<typeof Reassembler>[1]> = {}): {
  reassembler: Reassembler<string>;
  received: { id: number; source: string; bytes: Buffer }[];
  clock: { now: number };
  push: (datagram: Uint8Array, source?: string) => void;
} {
  const received: { id: number; source: string; bytes: Buffer }[] = [];
  const clock = { now: 0 };
  const reassembler = new Reassembler<string>(
    (message, type, id, source) => {
      assert.equal(type, 7);
      received.push({ id, source, bytes: Buffer.from(message.toUint8Array()) });
    },
    { clock: () => clock.now, ...options },
  );
  const push = (datagram: Uint8Array, source = 'a'): void => {
    const memory = Memory.of(datagram);
    reassembler.push(memory, datagram.byteOffset, datagram.byteOffset + datagram.length, source);
  };
  return { reassembler, received, clock, push };
}

test(`Reassembler: fragments in any order, doubled, of several messages at once (seed ${seed})`, () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 1, max: 1000 })), {
        minLength: 1,
        maxLength: 5,
      }),
      fc.infiniteStream(fc.nat()),
      (shapes, order) => {
        const { reassembler, received, push } = makeReassembler();
        const messages = shapes.map(([length]) => new Uint8Array(randomBytes(length)));
        const datagrams = messages.flatMap((message, id) =>
          fragments(id, message, shapes[id]![1]).flatMap((datagram, index) =>
            index % 3 === 0 && message.length > shapes[id]![1] ? [datagram, datagram] : [datagram],
          ),
        );
        // A fragment that comes again after its message is complete begins another, which is given up in time.
        const shuffled = datagrams.map((datagram) => ({ datagram, rank: order.next().value }));
        shuffled.sort((one, other) => one.rank - other.rank);
        for (const { datagram } of shuffled) push(datagram);
        const byId = new Map(received.map(({ id, bytes }) => [id, bytes]));
        assert.equal(byId.size, messages.length);
        for (const [id, message] of messages.entries()) assert.deepEqual(byId.get(id), Buffer.from(message));
        assert.equal(reassembler.datagramsDropped, 0);
      },
    ),
    { seed, numRuns: 150 },
  );
});

test('Reassembler: what contradicts itself or others is dropped, and the rest is not harmed', () => {
  const { reassembler, received, push } = makeReassembler({ messageBytesMax: 10_000 });
  const message = new Uint8Array(randomBytes(1000));
  const parts = fragments(1, message, 300);
  const bad = (change: (datagram: Buffer) => void, of = 0): void => {
    const datagram = Buffer.from(parts[of]!);
    change(datagram);
    push(datagram);
  };
  push(parts[0]!);
  push(Buffer.alloc(15));
  bad((datagram) => datagram.writeUInt16LE(9, 12), 1); // index beyond count
  bad((datagram) => datagram.writeUInt16LE(0, 14), 1); // no parts
  bad((datagram) => datagram.writeUInt32LE(900, 8), 1); // another length
  bad((datagram) => datagram.writeUInt32LE(8, 4), 1); // another type
  bad((datagram) => datagram.writeUInt32LE(0xffff_ffff, 8), 1);
  bad((datagram) => datagram.writeUInt16LE(1, 14), 0); // said to be whole, and is not
  push(Buffer.concat([parts[1]!, Buffer.alloc(1)])); // longer than the others
  push(fragments(1, message, 299)[1]!); // another cut
  assert.equal(reassembler.datagramsDropped, 9);
  for (const part of parts.slice(1)) push(part);
  assert.deepEqual(
    received.map(({ bytes }) => bytes),
    [Buffer.from(message)],
  );
  assert.equal(reassembler.unfinishedBytes, 0);
});

test('Reassembler: sources do not mix, old messages are given up, memory is bounded', () => {
  const { reassembler, received, clock, push } = makeReassembler({
    messagesMax: 3,
    bytesMax: 5000,
    timeoutMs: 100,
  });
  const message = new Uint8Array(randomBytes(1000));
  const [first, second] = fragments(1, message, 500);
  push(first!, 'a');
  push(second!, 'b');
  assert.equal(received.length, 0);
  push(second!, 'a');
  assert.deepEqual([received.length, received[0]?.source], [1, 'a']);
  clock.now = 100;
  push(first!, 'c');
  assert.deepEqual([reassembler.unfinished, reassembler.messagesDropped], [1, 1]);
  for (const source of ['d', 'e', 'f']) push(first!, source);
  assert.deepEqual([reassembler.unfinished, reassembler.unfinishedBytes], [3, 3000]);
  push(fragments(2, new Uint8Array(4500), 4000)[0]!, 'g');
  assert.deepEqual([reassembler.unfinished, reassembler.unfinishedBytes], [1, 4500]);
});

test(`streams and datagrams of garbage end with a code or are dropped, and take no memory (seed ${seed})`, () => {
  const before = process.memoryUsage().arrayBuffers;
  const { reassembler, push } = makeReassembler({ bytesMax: 1 << 20, messageBytesMax: 1 << 20 });
  const garbage = fc.uint8Array({ maxLength: 200 }).chain((bytes) =>
    // Small numbers in the first words go further than random ones.
    fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 4 }).map((words) => {
      const view = new DataView(bytes.buffer);
      for (const [index, word] of words.entries())
        if (bytes.length >= index * 4 + 4) view.setUint32(index * 4, word, true);
      return bytes;
    }),
  );
  fc.assert(
    fc.property(fc.array(garbage, { maxLength: 6 }), (chunks) => {
      const reader = new StreamReader((message) => {
        try {
          new GetMReplyView(message).vals.toArray();
        } catch (error) {
          assert.ok(error instanceof WireError);
        }
        return undefined;
      });
      try {
        for (const chunk of chunks) reader.push(chunk);
      } catch (error) {
        assert.ok(error instanceof WireError);
      }
      for (const chunk of chunks) {
        try {
          push(chunk);
        } catch (error) {
          // The handler's own check of the type.
          assert.ok(error instanceof assert.AssertionError);
        }
      }
    }),
    { seed, numRuns: 3000 },
  );
  assert.ok(reassembler.unfinishedBytes <= 1 << 20);
  assert.ok(process.memoryUsage().arrayBuffers - before < 64 << 20);
});
