/** Hybrid pointers, their memory, and what becomes of it when things go wrong. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import {
  Encoder,
  encode,
  encodeInto,
  FRAME_HEADER_BYTES,
  Memory,
  SendMemory,
  sendObject,
  serialize,
  WireError,
  type WireErrorCode,
} from '../index.ts';
import { allocatedPerMessage } from '../testing/allocated-per-message.ts';
import { makeAllocator, place, RecordingTarget } from '../testing/arena.ts';
import { GetMReply, GetMReplyView } from '../testing/get-m.larder.ts';
import { Inner, KitchenSink, KitchenSinkView } from '../testing/kitchen-sink.larder.ts';

const bytesOf = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const hasCode =
  (code: WireErrorCode) =>
  (error: unknown): boolean =>
    error instanceof WireError && error.code === code;
const values = (view: GetMReplyView): Buffer[] => view.vals.toArray().map((value) => Buffer.from(value));

test('small values are copied at assignment: what happens to them afterwards is not sent', () => {
  const value = bytesOf(100);
  const before = value.slice();
  const reply = GetMReply.from({ id: 1, vals: [value] });
  value.fill(0);
  assert.deepEqual(values(GetMReplyView.read(encode(reply))), [Buffer.from(before)]);
});

test('portable: large values are parts of their own, small neighbours are one', () => {
  const [large, larger] = [bytesOf(512), bytesOf(5000)];
  const list = serialize(GetMReply.from({ id: 1, vals: [bytesOf(10), large, bytesOf(511), larger, 'text'] }));
  assert.equal(list.parts.length, 3);
  assert.equal(list.parts[1], large);
  assert.equal(list.parts[2], larger);
  assert.equal(GetMReplyView.read(list.toUint8Array()).vals.length, 5);
  list.release();
  assert.throws(() => list.release(), hasCode('RELEASED'));
});

test('arena: where a value lies and how long it is decides, and all counts return to what they were', () => {
  const allocator = makeAllocator();
  const memory = new SendMemory(allocator, { referenceBytesMin: 300 });
  const encoder = new Encoder(memory);
  const inArena = bytesOf(1000);
  const { owner, offset } = place(allocator, inArena);
  const target = new RecordingTarget(allocator);
  const reply = new GetMReply(encoder);
  const view = allocator.arena.u8.subarray(offset + 10, offset + 700);
  const foreign = bytesOf(2000);
  reply.vals.append(view); // referenced
  reply.vals.append(allocator.arena.u8.subarray(offset, offset + 299)); // too short
  reply.vals.append(foreign); // elsewhere: copied once
  reply.vals.appendAt(offset, 1000); // referenced by number
  reply.vals.appendAt(offset + 1, 20);
  allocator.retain(owner);
  reply.vals.appendReference(offset + 500, 100, owner); // counted by the caller
  assert.equal(allocator.references(owner), 4);
  const expected = [
    view,
    inArena.subarray(0, 299),
    foreign,
    inArena,
    inArena.subarray(1, 21),
    inArena.subarray(500, 600),
  ];
  const copies = expected.map((value) => Buffer.from(value));
  sendObject(target, reply, 3, 4);
  assert.deepEqual(
    target.parts.map(({ kind, bytes }) => [kind, bytes.length]),
    [
      ['referenced', 690],
      ['referenced', 2000],
      ['referenced', 1000],
      ['referenced', 100],
    ].toSpliced(0, 0, ['copied', FRAME_HEADER_BYTES + 8 + 8 + 48 + 319]),
  );
  const sent = target.take();
  const header = new DataView(sent.buffer, sent.byteOffset);
  assert.deepEqual(
    [0, 4, 8, 12].map((at) => header.getUint32(at, true)),
    [sent.length - 16, 3, 4, 0],
  );
  assert.deepEqual(values(GetMReplyView.read(sent.subarray(16))), copies);
  assert.equal(allocator.references(owner), 4, 'references live until the transport says that it is through');
  for (const released of target.owners) memory.complete(released);
  assert.equal(allocator.references(owner), 1);
  allocator.release(owner);
  target.close();
  encoder.dispose();
  assert.equal(allocator.chunksInUse(), 0);
});

test('a free buffer is not referenced', () => {
  const allocator = makeAllocator();
  const reply = new GetMReply(new Encoder(new SendMemory(allocator)));
  const { owner, offset } = place(allocator, bytesOf(1000));
  allocator.release(owner);
  assert.throws(() => reply.vals.appendAt(offset, 1000), hasCode('RELEASED'));
});

test('above the limit of references the smallest are copied, and the order stays', () => {
  const allocator = makeAllocator();
  const memory = new SendMemory(allocator, { referenceBytesMin: 64, referencesMax: 4 });
  const encoder = new Encoder(memory);
  const target = new RecordingTarget(allocator);
  const reply = new GetMReply(encoder);
  const lengths = [100, 900, 200, 800, 300, 700, 400, 600, 500];
  const contents = lengths.map(bytesOf);
  const places = contents.map((content) => place(allocator, content));
  for (const [index, { offset }] of places.entries()) reply.vals.appendAt(offset, lengths[index]!);
  sendObject(target, reply);
  assert.deepEqual(
    target.parts.filter(({ kind }) => kind === 'referenced').map(({ bytes }) => bytes.length),
    [900, 800, 700, 600],
  );
  assert.deepEqual(
    values(GetMReplyView.read(target.take().subarray(16))),
    contents.map((each) => Buffer.from(each)),
  );
  for (const owner of target.owners) memory.complete(owner);
  for (const { owner } of places) {
    assert.equal(allocator.references(owner), 1);
    allocator.release(owner);
  }
  target.close();
  encoder.dispose();
  assert.equal(allocator.chunksInUse(), 0);
});

test('large numeric lists are referenced at aligned places, whatever comes before', () => {
  const allocator = makeAllocator();
  const memory = new SendMemory(allocator, { referenceBytesMin: 16 });
  const encoder = new Encoder(memory);
  const target = new RecordingTarget(allocator);
  const doubles = Float64Array.from({ length: 500 }, (_, index) => index / 3);
  const { owner, offset } = place(allocator, new Uint8Array(doubles.buffer));
  const sink = new KitchenSink(encoder);
  sink.data = bytesOf(777);
  sink.text = 'odd';
  sink.doubles = new Float64Array(allocator.arena.buffer, offset, 500);
  sink.ints = [1, 2, 3];
  sendObject(target, sink);
  assert.ok(target.parts.some(({ kind, bytes }) => kind === 'referenced' && bytes.length === 4000));
  const received = target.take().slice(16);
  const view = KitchenSinkView.read(received);
  assert.deepEqual(view.doubles, doubles);
  assert.equal(view.doubles.buffer, received.buffer, 'the reader sees them where they lie');
  assert.deepEqual([...view.ints], [1, 2, 3]);
  for (const released of target.owners) memory.complete(released);
  allocator.release(owner);
  target.close();
  encoder.dispose();
  assert.equal(allocator.chunksInUse(), 0);
});

test('what was assigned is given back by reset, by a failure, and when the field is assigned again', () => {
  const allocator = makeAllocator();
  const memory = new SendMemory(allocator);
  const encoder = new Encoder(memory);
  const { owner, offset } = place(allocator, bytesOf(1000));
  const sink = new KitchenSink(encoder);
  const value = allocator.arena.u8.subarray(offset, offset + 1000);
  sink.data = value;
  assert.equal(allocator.references(owner), 2);
  sink.data = 'short';
  assert.equal(allocator.references(owner), 1);
  sink.blobs = [value, value];
  sink.choiceText = value;
  sink.chunks.set(1, value);
  sink.chunks.set(1, value);
  assert.equal(allocator.references(owner), 5);
  sink.choiceNumber = 5;
  sink.blobs = [];
  assert.equal(allocator.references(owner), 2);
  sink.reset();
  assert.equal(allocator.references(owner), 1);
  sink.data = value;
  sink.uint = -1;
  assert.throws(() => encode(sink), hasCode('RANGE'));
  assert.equal(allocator.references(owner), 1);
  assert.equal(encode(sink).length, 8, 'and the builder is empty again');
  encoder.dispose();
  allocator.release(owner);
  assert.equal(allocator.chunksInUse(), 0);
});

test('bytes of a field that was assigned again are not sent', () => {
  const sink = new KitchenSink();
  sink.text = 'a secret that must not leave';
  sink.data = bytesOf(10);
  sink.text = 'public';
  const bytes = encode(sink);
  assert.ok(!Buffer.from(bytes).includes('secret'));
  assert.equal(KitchenSinkView.read(bytes).text, 'public');
});

test('a builder that was filled before its encoder began another message is stale', () => {
  const encoder = new Encoder();
  const [one, other] = [new GetMReply(encoder), new GetMReply(encoder)];
  one.vals.append('one');
  other.id = 2;
  encode(other);
  assert.throws(() => one.vals.append('more'), hasCode('STALE'));
  assert.throws(() => encode(one), hasCode('STALE'));
  one.reset().vals.append('again');
  assert.deepEqual(values(GetMReplyView.read(encode(one))), [Buffer.from('again')]);
});

test('builders of different encoders do not mix', () => {
  const sink = new KitchenSink();
  const inner = Inner.from({ name: 'elsewhere' });
  assert.throws(() => {
    sink.inner = inner;
  }, hasCode('FOREIGN'));
});

test('objects inside objects end at 64, also those that contain themselves', () => {
  const encoder = new Encoder();
  const top = new Inner(encoder);
  let last = top;
  for (let depth = 1; depth <= 64; depth++) last = last.initChild();
  last.name = 'deep';
  let view = KitchenSinkView.read(encode(KitchenSink.from({}))).inner;
  assert.equal(view, undefined);
  const bytes = encode(top);
  assert.ok(bytes.length > 64 * 16);
  for (let depth = 0; depth <= 65; depth++) last = depth === 0 ? top : last.initChild();
  assert.throws(() => encode(top), hasCode('DEPTH'));
  top.child = top;
  assert.throws(() => encode(top), hasCode('DEPTH'));
  view = undefined;
});

test('out of an arena nothing is allocated per message, elsewhere one view for the copy', () => {
  const vals = Array.from({ length: 8 }, () => bytesOf(64));
  const large = bytesOf(1000);
  const fill = (reply: GetMReply): GetMReply => {
    reply.id = 1;
    for (const value of vals) reply.vals.append(value);
    return reply;
  };
  const allocator = makeAllocator();
  const memory = new SendMemory(allocator);
  const { offset } = place(allocator, large);
  const reply = new GetMReply(new Encoder(memory));
  const buffer = allocator.allocate(allocator.classFor(65_000)) + 64;
  const target = {
    cursor: 0,
    reserve: (): number => buffer,
    copy: (): void => {},
    writeBytes: (): void => {},
    reference: (_offset: number, _bytes: number, owner: number): void => memory.complete(owner),
  };
  const sent = allocatedPerMessage(() => {
    fill(reply).vals.appendAt(offset, 1000);
    sendObject(target, reply, 1, 2);
  });
  // The smallest object has 16 bytes; the rest is what the measurement itself allocates.
  assert.ok(sent < 12, `${sent} bytes per message`);
  const output = new Memory(new ArrayBuffer(65_536));
  const portable = new GetMReply();
  const block = portable.$encoder.bump;
  const into = allocatedPerMessage(() => encodeInto(fill(portable), output, 0));
  assert.ok(into < 120, `${into} bytes per message`);
  assert.equal(block.used, 0);
});

test('many pieces of the arena at once are as they are one after the other', () => {
  const allocator = makeAllocator();
  const encoder = new Encoder(new SendMemory(allocator));
  const contents = [3, 700, 0, 600, 20].map(bytesOf);
  const places = contents.map((content) => place(allocator, content));
  const pairs = Int32Array.from(places.flatMap(({ offset }, index) => [offset, contents[index]!.length]));
  const [one, other] = [new GetMReply(encoder), new GetMReply(encoder)];
  one.vals.appendAllAt(pairs, 2, 4);
  const together = encode(one);
  for (const [index, { offset }] of places.slice(1).entries()) {
    other.vals.appendAt(offset, contents[index + 1]!.length);
  }
  assert.deepEqual(together, encode(other));
  assert.deepEqual(
    values(GetMReplyView.read(together)),
    contents.slice(1).map((each) => Buffer.from(each)),
  );
});

test('of many pieces all are taken or none', () => {
  const allocator = makeAllocator();
  const encoder = new Encoder(new SendMemory(allocator));
  const { offset } = place(allocator, bytesOf(700));
  const pairs = Int32Array.of(offset, 700, offset, 20, allocator.arena.bytes - 10, 11);
  const reply = new GetMReply(encoder);
  assert.throws(() => reply.vals.appendAllAt(pairs, 0, 3), { code: 'RANGE' });
  assert.equal(reply.vals.length, 0);
  reply.vals.appendAllAt(pairs, 0, 2);
  assert.deepEqual(
    values(GetMReplyView.read(encode(reply))).map((each) => each.length),
    [700, 20],
  );
  assert.equal(allocator.references(allocator.recover(offset)), 1);
  assert.throws(() => new GetMReply().vals.appendAllAt(pairs, 0, 1), { code: 'TYPE' });
});

test('a message that outgrows the arena`s largest chunk is sent all the same', () => {
  const allocator = makeAllocator(4);
  const memory = new SendMemory(allocator, { referenceBytesMin: Number.POSITIVE_INFINITY });
  const encoder = new Encoder(memory);
  const target = new RecordingTarget(allocator);
  const content = bytesOf(3_000_000);
  sendObject(target, GetMReply.from({ vals: [content, 'x'] }, encoder));
  assert.deepEqual(values(GetMReplyView.read(target.take().subarray(16)))[0], Buffer.from(content));
  target.close();
  encoder.dispose();
  assert.equal(allocator.chunksInUse(), 0);
});

test('many small fields are sent from the block that they were copied to', () => {
  const allocator = makeAllocator();
  const memory = new SendMemory(allocator);
  const encoder = new Encoder(memory);
  const reply = new GetMReply(encoder);
  const target = new RecordingTarget(allocator);
  for (const count of [10, 300, 3000, 10]) {
    const contents = Array.from({ length: count }, () => bytesOf(200));
    for (const content of contents) reply.vals.append(content);
    sendObject(target, reply);
    const kinds = target.parts.map(({ kind }) => kind);
    const frontBytes = 16 + 16 + count * 208;
    assert.equal(kinds.includes('referenced'), frontBytes > 16_384);
    assert.deepEqual(
      values(GetMReplyView.read(target.take().subarray(16))),
      contents.map((each) => Buffer.from(each)),
    );
    for (const owner of target.owners.splice(0)) memory.complete(owner);
  }
  target.close();
  encoder.dispose();
  assert.equal(allocator.chunksInUse(), 0);
});

test('a connection takes objects of the portable world too, copied', () => {
  const allocator = makeAllocator();
  const target = new RecordingTarget(allocator);
  const large = bytesOf(20_000);
  sendObject(target, GetMReply.from({ id: 3, vals: ['small', large] }), 1, 2);
  assert.ok(target.parts.every(({ kind }) => kind === 'copied'));
  assert.deepEqual(values(GetMReplyView.read(target.take().subarray(16))), [
    Buffer.from('small'),
    Buffer.from(large),
  ]);
});

test('a block that one large message needed is not kept', () => {
  const reply = GetMReply.from({ vals: ['x'.repeat(3_000_000)] });
  encode(reply);
  assert.equal(reply.$encoder.bump.memory.u8.length, 0);
  encode(reply.assign({ vals: ['small'] }));
  assert.ok(reply.$encoder.bump.memory.u8.length < 10_000);
});

test('encodeInto says when there is no room', () => {
  const reply = GetMReply.from({ vals: ['text'] });
  assert.throws(() => encodeInto(reply, new Memory(new ArrayBuffer(16)), 0), hasCode('TOO_LARGE'));
});
