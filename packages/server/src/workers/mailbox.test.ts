import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAILBOX_ENTRIES } from '../limits.ts';
import { AcceptBalance, divideLimit } from './accept-balance.ts';
import { ConnectionKind, ConnectionTable } from './connection-table.ts';
import { MAILBOX_BYTES, Mailbox } from './mailbox.ts';

test('a mailbox gives out what was put in, in order, over many rounds', () => {
  const buffer = new SharedArrayBuffer(MAILBOX_BYTES);
  const producer = new Mailbox(buffer, 0);
  const consumer = new Mailbox(buffer, 0);
  let next = 0;
  for (let round = 0; round < 10; round++) {
    for (let index = 0; index < 700; index++) assert.ok(producer.put(round * 700 + index));
    assert.equal(consumer.waiting, 700);
    for (let index = 0; index < 700; index++) assert.equal(consumer.take(), next++);
    assert.equal(consumer.take(), -1);
  }
});

test('a full mailbox refuses and loses nothing', () => {
  const mailbox = new Mailbox(new SharedArrayBuffer(MAILBOX_BYTES), 0);
  for (let index = 0; index < MAILBOX_ENTRIES; index++) assert.ok(mailbox.put(index));
  assert.equal(mailbox.put(5), false);
  assert.equal(mailbox.take(), 0);
  assert.ok(mailbox.put(MAILBOX_ENTRIES));
  for (let index = 1; index <= MAILBOX_ENTRIES; index++) assert.equal(mailbox.take(), index);
});

test('a mailbox goes on when its positions wrap around 32 bits', () => {
  const buffer = new SharedArrayBuffer(MAILBOX_BYTES);
  new Int32Array(buffer).fill(0x7fff_fff0, 0, 2);
  const mailbox = new Mailbox(buffer, 0);
  for (let index = 0; index < 100; index++) {
    assert.ok(mailbox.put(index));
    assert.equal(mailbox.take(), index);
  }
});

test('connections go to whoever has most room, and to the accepting worker when nobody has', () => {
  const gone = [0, 0, 0];
  const balance = new AcceptBalance(
    [3, 3, 2].map((connectionsMax, index) => ({ connectionsMax, gone: () => gone[index]! })),
  );
  const counts = [0, 0, 0];
  for (let index = 0; index < 8; index++) counts[balance.choose()]!++;
  assert.deepEqual(counts, [3, 3, 2]);
  assert.equal(balance.choose(), 0, 'worker 0 refuses what is too much');
  // The refusal is counted as gone by worker 0; then a connection of worker 1 ends.
  gone[0] = 1;
  gone[1] = 1;
  assert.equal(balance.choose(), 1);
});

test('a descriptor that did not fit a mailbox is counted where it went', () => {
  const balance = new AcceptBalance([2, 2].map((connectionsMax) => ({ connectionsMax, gone: () => 0 })));
  assert.equal(balance.choose(), 0);
  assert.equal(balance.choose(), 1);
  balance.correct(1, 0);
  assert.equal(balance.choose(), 1);
});

test('a limit is divided without a rest', () => {
  assert.deepEqual(divideLimit(10, 3), [4, 3, 3]);
  assert.deepEqual(divideLimit(1, 2), [1, 0]);
  assert.deepEqual(divideLimit(1024, 2), [512, 512]);
});

test('the table of connections shows what is open, to every thread', () => {
  const buffer = new SharedArrayBuffer(ConnectionTable.bytes(4));
  const owner = new ConnectionTable(buffer, 0, 4);
  const reader = new ConnectionTable(buffer, 0, 4);
  owner.open(1, ConnectionKind.tcp, 'tcp:127.0.0.1:5', 10);
  owner.open(3, ConnectionKind.listening, 'tcp:0.0.0.0:1', 0);
  owner.touch(1, 12);
  assert.deepEqual(reader.read(1), {
    kind: 'tcp',
    isListening: false,
    address: 'tcp:127.0.0.1:5',
    activeSeconds: 12,
  });
  assert.equal(reader.read(3)?.isListening, true);
  assert.equal(reader.read(0), undefined);
  owner.close(1);
  owner.close(1);
  assert.equal(reader.read(1), undefined);
  owner.open(1, ConnectionKind.unix, 'unix', 13);
  assert.equal(reader.read(1)?.address, 'unix');
});
