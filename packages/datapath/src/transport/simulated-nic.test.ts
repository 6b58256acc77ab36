import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NIC_COMPLETION_BATCH, NIC_RING_DESCRIPTORS, SEND_BUFFER_BYTES } from '../limits.ts';
import type { Connection } from './connection.ts';
import { SimulatedNic } from './simulated-nic.ts';
import { makeMemory, TestHandler } from './testing/harness.ts';

/** What was written into one packet. */
type Part = { readonly copy: number } | { readonly reference: number };

function setUp(completionLag: number): {
  nic: SimulatedNic<unknown>;
  handler: TestHandler;
  connection: Connection<unknown>;
  allocator: ReturnType<typeof makeMemory>;
} {
  const allocator = makeMemory('node');
  const handler = new TestHandler();
  const nic = new SimulatedNic<unknown>({ arena: allocator.arena, allocator, handler, completionLag });
  return { nic, handler, connection: nic.connect(), allocator };
}

const packet = fc.array(
  fc.oneof(
    fc.record({ copy: fc.integer({ min: 1, max: 3 * SEND_BUFFER_BYTES }) }),
    fc.record({ reference: fc.integer({ min: 1, max: 5000 }) }),
  ),
  { minLength: 1, maxLength: 12 },
);

test('every packet has the parts that were written, and every part is released once, after it', () => {
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 150 }), fc.integer({ min: 0, max: 100 }), (packets, lag) => {
      const { nic, handler, connection, allocator } = setUp(lag);
      const value = allocator.allocate(allocator.classFor(10_000));
      const inUse = allocator.chunksInUse();
      let owner = 0;
      let parts: readonly Part[] = [];
      let copied = 0;
      handler.data = (_connection, _start, end) => {
        for (const part of parts) {
          if ('copy' in part) {
            for (let left = part.copy; left > 0; left -= Math.min(left, 9000)) {
              connection.copy(value, Math.min(left, 9000));
            }
            copied += part.copy;
          } else {
            connection.reference(value + 5, part.reference, owner++);
          }
        }
        return end;
      };
      for (const [number, next] of packets.entries()) {
        parts = next;
        const before = owner;
        assert.equal(nic.receive(connection, 100, 110), 110);
        assert.equal(nic.packetsPosted, number + 1);
        assert.ok(nic.packetsPosted - nic.packetsCompleted <= lag + NIC_COMPLETION_BATCH);
        if (nic.packetsCompleted <= number) {
          const bytes = nic.partsOf(number).reduce((sum, part) => sum + part.bytes, 0);
          assert.equal(
            bytes,
            next.reduce((sum, part) => sum + ('copy' in part ? part.copy : part.reference), 0),
          );
          const references = nic.partsOf(number).filter((part) => part.offset === value + 5);
          assert.deepEqual(
            references.map((part) => part.bytes),
            next.flatMap((part) => ('reference' in part ? [part.reference] : [])),
          );
          assert.ok(lag === 0 || !handler.released.includes(before));
        }
        assert.equal(connection.queuedBytes, 0);
      }
      assert.equal(nic.bytesCopied, copied);
      nic.close();
      assert.deepEqual(
        handler.released,
        Array.from({ length: owner }, (_, index) => index),
      );
      assert.equal(allocator.chunksInUse(), inUse);
    }),
    { numRuns: 30, seed: 7 },
  );
});

test('a packet is completed only after as many others as the lag says, in batches', () => {
  const { nic, handler, connection } = setUp(10);
  handler.data = (_connection, _start, end) => {
    connection.reference(1000, 64, nic.packetsPosted);
    return end;
  };
  for (let count = 1; count < 10 + NIC_COMPLETION_BATCH; count++) nic.receive(connection, 0, 8);
  assert.equal(handler.released.length, 0);
  nic.receive(connection, 0, 8);
  assert.equal(handler.released.length, NIC_COMPLETION_BATCH);
  nic.close();
});

test('what is referenced is not read: it need not even be there', () => {
  const { nic, handler, connection, allocator } = setUp(4);
  handler.data = (_connection, _start, end) => {
    connection.reference(allocator.arena.bytes * 4, 4096, 1);
    return end;
  };
  for (let count = 0; count < 100; count++) nic.receive(connection, 0, 8);
  assert.equal(nic.bytesPosted, 100 * 4096);
  assert.equal(nic.bytesCopied, 0);
  assert.deepEqual(nic.partsOf(nic.packetsPosted - 1), [{ offset: allocator.arena.bytes * 4, bytes: 4096 }]);
  assert.throws(() => nic.partsOf(0), { code: 'ARGUMENT' });
  nic.close();
  assert.equal(handler.released.length, 100);
});

test('many parts fill the ring early: the oldest packets complete, none is lost', () => {
  const { nic, handler, connection } = setUp(64);
  let owner = 0;
  handler.data = (_connection, _start, end) => {
    for (let part = 0; part < 1000; part++) connection.reference(64 * part, 64, owner++);
    return end;
  };
  for (let count = 0; count < 200; count++) nic.receive(connection, 0, 8);
  assert.ok(owner - handler.released.length <= NIC_RING_DESCRIPTORS);
  assert.equal(nic.partsOf(nic.packetsPosted - 1).length, 1000);
  nic.close();
  assert.equal(handler.released.length, owner);
});

test('a closed connection drops what is written to it and releases references', () => {
  const { nic, handler, connection, allocator } = setUp(4);
  handler.data = (_connection, _start, end) => {
    connection.copy(64, 100);
    connection.destroy();
    connection.reference(64, 100, 7);
    return end;
  };
  nic.receive(connection, 0, 8);
  assert.deepEqual(handler.released, [7]);
  assert.equal(handler.closed.length, 1);
  assert.equal(nic.packetsPosted, 0);
  nic.close();
  assert.equal(allocator.chunksInUse(), 0);
});

test('a lag that the ring cannot hold is refused', () => {
  assert.throws(() => setUp(NIC_RING_DESCRIPTORS), { code: 'ARGUMENT' });
  assert.throws(() => setUp(-1), { code: 'ARGUMENT' });
});
