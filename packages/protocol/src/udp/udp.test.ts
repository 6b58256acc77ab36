import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ArenaText, TEXT_AT } from '../testing/arena-text.ts';
import { FrameHeader, writeFrameHeader } from './frame.ts';
import { Reassembly, ReassemblyOutcome } from './reassembly.ts';

const SEED = 20_261_120;
const place: ArenaText = new ArenaText();

/** Puts a datagram into the arena and returns its end. */
function datagram(id: number, sequence: number, total: number, payload: string): number {
  writeFrameHeader(place.arena.view, TEXT_AT, id, sequence, total);
  return place.put(payload, TEXT_AT + 8);
}

function reassembly(
  options: { now?: () => number; bytesMax?: number; datagramsMax?: number; repliesMax?: number } = {},
): Reassembly {
  return new Reassembly(place.arena, {
    clock: options.now ?? (() => 0),
    timeoutMs: 100,
    bytesMax: options.bytesMax ?? 1_000_000,
    datagramsMax: options.datagramsMax ?? 64,
    repliesMax: options.repliesMax ?? 8,
  });
}

test('frame headers round-trip, and what is none is refused', () => {
  const frame = new FrameHeader(place.arena);
  assert.ok(frame.read(TEXT_AT, datagram(0xabcd, 2, 3, 'x')));
  assert.deepEqual([frame.requestId, frame.sequence, frame.total, frame.whole], [0xabcd, 2, 3, false]);
  assert.ok(!frame.read(TEXT_AT, datagram(1, 0, 0, 'x')), 'a total of 0');
  assert.ok(!frame.read(TEXT_AT, datagram(1, 3, 3, 'x')), 'a sequence number not below the total');
  assert.ok(!frame.read(TEXT_AT, TEXT_AT + 7), 'too short');
  datagram(1, 0, 1, '');
  place.arena.view.setUint16(TEXT_AT + 6, 1);
  assert.ok(!frame.read(TEXT_AT, TEXT_AT + 8), 'reserved bytes in use');
});

test('a reply is put together in whatever order and however often its datagrams come', () => {
  fc.assert(
    fc.property(
      fc.array(fc.stringMatching(/^[a-z]{0,20}$/), { minLength: 1, maxLength: 20 }),
      fc.array(fc.nat(), { minLength: 20, maxLength: 20 }),
      fc.array(fc.nat(), { maxLength: 10 }),
      (payloads, ranks, repeats) => {
        const order = payloads.map((_, index) => index).sort((a, b) => ranks[a]! - ranks[b]! || a - b);
        const assembly = reassembly();
        assert.ok(assembly.expect(5));
        const sent = [
          ...order
            .slice(0, -1)
            .flatMap((sequence, at) => (repeats.includes(at) ? [sequence, sequence] : [sequence])),
          order.at(-1)!,
        ];
        sent.forEach((sequence, at) => {
          const outcome = assembly.add(TEXT_AT, datagram(5, sequence, payloads.length, payloads[sequence]!));
          assert.equal(outcome === ReassemblyOutcome.complete, at === sent.length - 1);
        });
        assert.equal(Buffer.from(assembly.completed).toString(), payloads.join(''));
        assert.deepEqual([assembly.completedId, assembly.awaited, assembly.heldBytes], [5, 0, 0]);
      },
    ),
    { seed: SEED },
  );
});

test('what nobody awaits, and what contradicts itself, is dropped and counted', () => {
  const assembly = reassembly();
  assembly.expect(1);
  assert.ok(!assembly.expect(1), 'an id twice');
  assert.equal(assembly.add(TEXT_AT, datagram(2, 0, 1, 'x')), ReassemblyOutcome.dropped);
  assert.equal(assembly.add(TEXT_AT, datagram(1, 0, 3, 'x')), ReassemblyOutcome.partial);
  assert.equal(assembly.add(TEXT_AT, datagram(1, 1, 2, 'x')), ReassemblyOutcome.dropped);
  assert.equal(assembly.add(TEXT_AT, TEXT_AT + 3), ReassemblyOutcome.dropped);
  assert.equal(assembly.droppedDatagrams, 3);
});

test('memory is bounded: datagrams of a reply, replies, and bytes of all of them', () => {
  const assembly = reassembly({ datagramsMax: 4, bytesMax: 10, repliesMax: 2 });
  assert.ok(assembly.expect(1) && assembly.expect(2));
  assert.ok(!assembly.expect(3), 'more replies than are kept');
  assert.equal(assembly.add(TEXT_AT, datagram(1, 0, 5, 'x')), ReassemblyOutcome.abandoned);
  assert.ok(assembly.expect(3));
  assert.equal(assembly.add(TEXT_AT, datagram(2, 0, 2, '123456')), ReassemblyOutcome.partial);
  assert.equal(assembly.add(TEXT_AT, datagram(3, 0, 2, '12345')), ReassemblyOutcome.abandoned);
  assert.equal(assembly.completedId, 3);
  assert.equal(assembly.heldBytes, 6);
  assembly.forget(2);
  assert.deepEqual([assembly.heldBytes, assembly.awaited], [0, 0]);
});

test('a reply that does not complete in time is given up, and what comes late is dropped', () => {
  let now = 1000;
  const assembly = reassembly({ now: () => now });
  const expired: number[] = [];
  assembly.expect(1);
  now += 60;
  assembly.expect(2);
  assembly.add(TEXT_AT, datagram(1, 0, 2, 'x'));
  assert.equal(
    assembly.expire((id) => expired.push(id)),
    40,
  );
  now += 40;
  assert.equal(
    assembly.expire((id) => expired.push(id)),
    60,
  );
  assert.deepEqual(expired, [1]);
  assert.equal(assembly.add(TEXT_AT, datagram(1, 1, 2, 'y')), ReassemblyOutcome.dropped);
  now += 60;
  assert.equal(
    assembly.expire((id) => expired.push(id)),
    -1,
  );
  assert.deepEqual([expired, assembly.heldBytes], [[1, 2], 0]);
});
