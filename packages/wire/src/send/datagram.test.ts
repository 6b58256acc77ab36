/** Messages of the arena world in datagrams: what is referenced, how it is cut, and that it is given back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BUFFER_HEADER_BYTES, type DatagramReplies } from '@larder/datapath';
import fc from 'fast-check';
import { Memory } from '../decode/memory.ts';
import { Encoder } from '../encode/encoder.ts';
import { DATAGRAM_BYTES, DATAGRAM_REFERENCES_MAX, FRAGMENT_HEADER_BYTES } from '../limits.ts';
import { SendMemory } from '../memory/send-memory.ts';
import { Reassembler } from '../receive/reassembler.ts';
import { makeAllocator } from '../testing/arena.ts';
import { GetMReply, GetMReplyView } from '../testing/get-m.larder.ts';
import { sendDatagrams } from './datagram.ts';

const SEED = 20_261_120;
const THRESHOLD = 512;

/** Datagrams as they would leave; what they refer to is read when they end, and given back when the batch does. */
class Batch implements DatagramReplies {
  readonly sent: Buffer[] = [];
  readonly owners: number[] = [];
  referencedBytes = 0;
  readonly #memory: Memory;
  readonly #at: number;
  #parts: Buffer[] = [];
  #room = 0;

  constructor(memory: Memory, at: number) {
    this.#memory = memory;
    this.#at = at;
  }

  begin(bytes: number): number {
    this.#room = bytes;
    return this.#at;
  }

  reference(offset: number, bytes: number, owner: number): void {
    this.#parts.push(Buffer.from(this.#memory.u8.subarray(offset, offset + bytes)));
    this.owners.push(owner);
    this.referencedBytes += bytes;
  }

  end(bytes: number): void {
    assert.ok(bytes <= this.#room && this.#parts.length <= DATAGRAM_REFERENCES_MAX);
    this.sent.push(
      Buffer.concat([this.#memory.u8.subarray(this.#at, this.#at + bytes), ...this.#parts.splice(0)]),
    );
  }
}

test(`objects of any size in datagrams: large fields are referenced, cut, and given back (seed ${SEED})`, () => {
  const allocator = makeAllocator(16);
  const take = (bytes: number): number =>
    allocator.allocate(allocator.classFor(bytes + BUFFER_HEADER_BYTES)) + BUFFER_HEADER_BYTES;
  const room = take(DATAGRAM_BYTES);
  const source = take(60_000);
  for (let index = 0; index < 60_000; index++) allocator.arena.u8[source + index] = index * 7;
  const memory = Memory.ofArena(allocator.arena);
  const send = new SendMemory(allocator, { referenceBytesMin: THRESHOLD, referencesMax: 1000 });
  const reply = new GetMReply(new Encoder(send));
  const sizes = fc.oneof(
    fc.integer({ min: 0, max: 40 }),
    fc.integer({ min: 400, max: 700 }),
    fc.integer({ min: 1400, max: 20_000 }),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(sizes, fc.nat(20_000)), { maxLength: 12 }), (fields) => {
      const batch = new Batch(memory, room);
      reply.id = 77;
      for (const [bytes, start] of fields) reply.vals.appendAt(source + start, bytes);
      sendDatagrams(batch, reply, 5, 9);
      assert.ok(batch.sent.every((each) => each.length <= DATAGRAM_BYTES));
      const large = fields
        .map(([bytes]) => (bytes >= THRESHOLD ? bytes : 0))
        .reduce((sum, bytes) => sum + bytes, 0);
      if (batch.sent.length > 1) assert.equal(batch.referencedBytes, large, 'nothing large is copied');
      let received: number[][] = [];
      const reassembler = new Reassembler<string>(
        (message, type, id) => {
          assert.deepEqual([type, id], [5, 9]);
          received = new GetMReplyView(message).vals.toArray().map((val) => [...val]);
        },
        { clock: () => 0 },
      );
      for (const each of batch.sent.reverse())
        reassembler.push(Memory.of(each), each.byteOffset, each.byteOffset + each.length, 's');
      assert.deepEqual(
        received,
        fields.map(([bytes, start]) => [...memory.u8.subarray(source + start, source + start + bytes)]),
      );
      for (const owner of batch.owners) send.complete(owner);
      assert.equal(allocator.references(source - BUFFER_HEADER_BYTES), 1, 'only the test refers to it');
    }),
    { seed: SEED, numRuns: 200 },
  );
});

test('references too short to be cut one by one are copied', () => {
  const allocator = makeAllocator(8);
  const chunk = allocator.allocate(allocator.classFor(4096));
  const room = allocator.allocate(allocator.classFor(DATAGRAM_BYTES)) + BUFFER_HEADER_BYTES;
  const batch = new Batch(Memory.ofArena(allocator.arena), room);
  const reply = new GetMReply(
    new Encoder(new SendMemory(allocator, { referenceBytesMin: 1, referencesMax: 1000 })),
  );
  for (let index = 0; index < 200; index++) reply.vals.appendAt(chunk + BUFFER_HEADER_BYTES + index, 20);
  sendDatagrams(batch, reply, 1, 1);
  assert.ok(batch.sent.length > 1);
  assert.equal(batch.owners.length, 0);
  assert.ok(batch.sent.every((each) => each.length > FRAGMENT_HEADER_BYTES && each.length <= DATAGRAM_BYTES));
  assert.equal(allocator.references(chunk), 1);
});
