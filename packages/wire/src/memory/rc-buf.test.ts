/** Counted buffers: handles, leaks, values that change while they are sent. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CopyOnWrite,
  Encoder,
  leakReport,
  RcBuf,
  SendMemory,
  sendObject,
  setDevelopmentMode,
  trackLeaks,
  WireError,
  type WireErrorCode,
  WriteGuard,
  type WriteViolation,
} from '../index.ts';
import { makeAllocator, RecordingTarget } from '../testing/arena.ts';
import { GetMReply } from '../testing/get-m.larder.ts';

const hasCode =
  (code: WireErrorCode) =>
  (error: unknown): boolean =>
    error instanceof WireError && error.code === code;

test('a buffer lives as long as any handle, and each handle ends once', () => {
  const allocator = makeAllocator();
  const memory = new SendMemory(allocator);
  const buffer = RcBuf.from(memory, new Uint8Array([1, 2, 3, 4]));
  const clone = buffer.clone();
  const part = clone.slice(1, 3);
  assert.equal(buffer.references, 3);
  buffer.release();
  assert.throws(() => buffer.bytes, hasCode('RELEASED'));
  assert.throws(() => buffer.release(), hasCode('RELEASED'));
  assert.throws(() => buffer.clone(), hasCode('RELEASED'));
  buffer[Symbol.dispose]();
  assert.deepEqual([...part.bytes], [2, 3]);
  assert.equal(part.offset, clone.offset + 1);
  assert.throws(() => part.slice(1, 3), hasCode('RANGE'));
  clone.release();
  {
    using again = part.clone();
    assert.equal(again.references, 2);
  }
  assert.equal(part.references, 1);
  part.release();
  assert.equal(allocator.chunksInUse(), 0);
});

test('a handle is recovered from bytes in the middle of a buffer, and from nothing else', () => {
  const allocator = makeAllocator();
  const memory = new SendMemory(allocator);
  const buffer = RcBuf.allocate(memory, 1000);
  const recovered = RcBuf.recover(memory, buffer.bytes.subarray(500, 600));
  assert.equal(recovered?.references, 2);
  assert.equal(RcBuf.recover(memory, new Uint8Array(10)), undefined);
  assert.equal(RcBuf.recover(memory, allocator.arena.u8.subarray(0, 10)), undefined);
  const across = allocator.arena.u8.subarray(buffer.offset, buffer.offset + 5000);
  assert.equal(RcBuf.recover(memory, across), undefined, 'not all of it lies in the buffer');
  const stale = buffer.bytes;
  recovered?.release();
  buffer.release();
  assert.equal(RcBuf.recover(memory, stale), undefined);
});

test('too much memory is an error with a code', () => {
  const memory = new SendMemory(makeAllocator(1));
  assert.throws(() => RcBuf.allocate(memory, 2 ** 21), hasCode('TOO_LARGE'));
  const all: RcBuf[] = [];
  assert.throws(() => {
    for (;;) all.push(RcBuf.allocate(memory, 100_000));
  }, hasCode('NO_MEMORY'));
  for (const buffer of all) buffer.release();
});

test('the leak report names the place that made what was not released', () => {
  const memory = new SendMemory(makeAllocator());
  trackLeaks(true);
  const leaked = [1, 2, 3].map(() => RcBuf.allocate(memory, 50));
  RcBuf.allocate(memory, 10).release();
  const report = leakReport();
  assert.equal(report.length, 1);
  assert.deepEqual([report[0]?.handles, report[0]?.bytes], [3, 150]);
  assert.match(report[0]!.site, /rc-buf\.test\.ts/);
  for (const buffer of leaked) buffer.release();
  assert.deepEqual(leakReport(), []);
  trackLeaks(false);
});

test('in development mode a view kept from a freed buffer does not show the old value', () => {
  const memory = new SendMemory(makeAllocator());
  setDevelopmentMode(true);
  const buffer = RcBuf.from(memory, new Uint8Array(100).fill(7));
  const kept = buffer.bytes;
  const clone = buffer.clone();
  buffer.release();
  assert.equal(kept[50], 7);
  clone.release();
  assert.notEqual(kept[50], 7);
  setDevelopmentMode(false);
});

/** Sends one large value that stays in flight. */
function sendInFlight(options: { guarded: boolean; onViolation?: (violation: WriteViolation) => void }): {
  memory: SendMemory;
  target: RecordingTarget;
  value: CopyOnWrite;
} {
  const allocator = makeAllocator();
  const guard = new WriteGuard(allocator.arena, options.onViolation);
  const memory = new SendMemory(allocator, options.guarded ? { guard } : {});
  const target = new RecordingTarget(allocator);
  const value = new CopyOnWrite(memory, new Uint8Array(1000).fill(1));
  const reply = new GetMReply(new Encoder(memory));
  reply.vals.append(value.bytes);
  sendObject(target, reply);
  assert.equal(target.owners.length, 1);
  return { memory, target, value };
}

test('the write guard finds a buffer that was changed while it was sent, and where it was sent', () => {
  const found: WriteViolation[] = [];
  const { memory, target, value } = sendInFlight({ guarded: true, onViolation: (each) => found.push(each) });
  value.bytes[999] = 2;
  memory.complete(target.owners[0]!);
  assert.equal(found.length, 1);
  assert.equal(found[0]?.bytes, 1000);
  assert.match(found[0]!.site, /rc-buf\.test\.ts/);
  assert.equal(memory.guard?.watched, 0);

  const strict = sendInFlight({ guarded: true });
  strict.value.bytes[0] = 3;
  assert.throws(() => strict.memory.complete(strict.target.owners[0]!), hasCode('CHANGED'));

  const untouched = sendInFlight({ guarded: true });
  untouched.memory.complete(untouched.target.owners[0]!);
  untouched.value.bytes[0] = 3;
});

test('two parts of one buffer are sent: either may end first and then be changed', () => {
  for (const changedFirst of [0, 500]) {
    const found: WriteViolation[] = [];
    const allocator = makeAllocator();
    const guard = new WriteGuard(allocator.arena, (each) => found.push(each));
    const buffer = allocator.allocate(allocator.classFor(2000));
    for (const offset of [0, 500]) guard.posted(buffer + 64 + offset, 500, buffer);
    guard.completed(buffer);
    allocator.arena.u8[buffer + 64 + changedFirst] = 1;
    guard.completed(buffer);
    assert.deepEqual(found, []);
    assert.equal(guard.watched, 0);

    for (const offset of [0, 500]) guard.posted(buffer + 64 + offset, 500, buffer);
    guard.completed(buffer);
    for (const offset of [0, 500]) allocator.arena.u8[buffer + 64 + offset] = 2;
    guard.completed(buffer);
    assert.equal(found.length, 1);
    assert.equal(guard.watched, 0);
  }
});

test('a buffer that is always being sent is watched with a bounded memory', () => {
  const allocator = makeAllocator();
  const found: WriteViolation[] = [];
  const guard = new WriteGuard(allocator.arena, (each) => found.push(each));
  const buffer = allocator.allocate(allocator.classFor(2000));
  guard.posted(buffer + 64, 100, buffer);
  for (let count = 0; count < 1000; count++) {
    guard.posted(buffer + 64, 100, buffer);
    guard.completed(buffer);
    assert.equal(guard.watched, 1);
  }
  assert.deepEqual(found, []);
  guard.completed(buffer);
  assert.equal(guard.watched, 0);
});

test('in development mode memory is overwritten when a send was the last to need it', () => {
  setDevelopmentMode(true);
  const { memory, target, value } = sendInFlight({ guarded: true });
  const kept = value.bytes;
  value.release();
  assert.ok(kept.every((byte) => byte === 1));
  memory.complete(target.owners[0]!);
  assert.ok(kept.every((byte) => byte !== 1));
  setDevelopmentMode(false);
});

test('a copy-on-write value is updated in a copy while it is sent, and in place when it is not', () => {
  const { memory, target, value } = sendInFlight({ guarded: true });
  const sent = target.parts.at(-1)!.bytes;
  value.update((bytes) => bytes.fill(2));
  assert.equal(value.copies, 1);
  assert.ok(sent.every((byte) => byte === 1));
  memory.complete(target.owners[0]!);
  value.update((bytes) => bytes.fill(3));
  assert.equal(value.copies, 1);
  const snapshot = value.snapshot();
  value.replace(new Uint8Array([9]));
  assert.equal(snapshot.bytes[0], 3);
  assert.deepEqual([...value.bytes], [9]);
  snapshot.release();
  value.release();
  assert.throws(() => value.replace(new Uint8Array(1)), hasCode('RELEASED'));
});
