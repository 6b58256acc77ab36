/**
 * Random traffic on every transport: requests of four bytes in arbitrary splits, answers of copied and
 * referenced parts, peers that read in bursts, handlers that pause and that stop when congested. Every byte of
 * every answer is checked, and every reference.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection } from './connection.ts';
import { availableTransports } from './select.ts';
import { openClient } from './testing/client.ts';
import { TestTransport } from './testing/harness.ts';

const REQUEST_BYTES = 4;
const VALUE_BYTES = 700_000;
const CLIENTS = 6;

/** A small seeded generator, so that a failure can be repeated. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** The parts of one answer: [start in the value, bytes, whether it is referenced]. */
function answerParts(request: Uint8Array): [number, number, boolean][] {
  const [kind = 0, a = 0, b = 0, c = 0] = request;
  const start = (a * 256 + b) % 10_000;
  switch (kind % 5) {
    case 0:
      return [[start, c, false]];
    case 1:
      return [[start, a * 40 + 1, true]];
    case 2:
      return [
        [start, b, false],
        [start + 5, b * 300, true],
        [start, 20_000 + c, false],
      ];
    case 3:
      return Array.from({ length: c % 90 }, (_, index) => [start + index, index * 7, index % 2 === 0]);
    default:
      return c < 20 ? [[start, 600_000, true]] : [[start, 1, false]];
  }
}

for (const { kind, available, reason } of availableTransports()) {
  if (!available) {
    test(`${kind}: not available here`, { skip: reason ?? true }, () => {});
    continue;
  }
  for (const [seed, zeroCopy] of [
    [1, false],
    [2, false],
    [3, true],
  ] as const) {
    if (zeroCopy && kind !== 'uring') continue;
    test(`${kind}: random traffic, seed ${seed}${zeroCopy ? ', zero-copy' : ''}`, async () => {
      const server = await TestTransport.start(kind, {
        limits: { outputBytesHigh: 200_000, outputBytesLow: 50_000, receiveBuffers: 4 },
        zeroCopy,
        zeroCopyBytesMin: 1000,
      });
      const next = random(seed);
      const { arena } = server.allocator;
      const value = server.allocator.allocate(server.allocator.classFor(VALUE_BYTES + 64)) + 64;
      for (let at = 0; at < VALUE_BYTES; at++) arena.u8[value + at] = next(256);
      let references = 0;
      server.handler.data = (connection, start, end) => {
        let at = start;
        while (at + REQUEST_BYTES <= end && !connection.isCongested) {
          answer(connection, arena.u8.subarray(at, at + REQUEST_BYTES));
          at += REQUEST_BYTES;
          if (next(50) === 0) {
            connection.pause();
            setImmediate(() => connection.resume());
            return at;
          }
        }
        return at;
      };
      const answer = (connection: Connection<unknown>, request: Uint8Array): void => {
        for (const [start, bytes, isReference] of answerParts(request)) {
          if (isReference) connection.reference(value + start, bytes, references++);
          else connection.copy(value + start, bytes);
        }
      };

      const socket = await server.listen();
      await Promise.all(
        Array.from({ length: CLIENTS }, async (_, name) => {
          const choose = random(seed * 100 + name);
          const client = await openClient(socket);
          const requests = Uint8Array.from({ length: 120 * REQUEST_BYTES }, () => choose(256));
          const expected: Uint8Array[] = [];
          for (let at = 0; at < requests.length; at += REQUEST_BYTES) {
            for (const [start, bytes] of answerParts(requests.subarray(at, at + REQUEST_BYTES))) {
              expected.push(arena.u8.subarray(value + start, value + start + bytes));
            }
          }
          client.socket.pause();
          for (let at = 0; at < requests.length; ) {
            const bytes = 1 + choose(40);
            client.socket.write(requests.subarray(at, at + bytes));
            at += bytes;
            await server.rounds(choose(3));
            if (choose(4) === 0) client.socket.resume();
            if (choose(4) === 0) client.socket.pause();
          }
          if (name % 2 === 0) client.socket.end();
          const all = Buffer.concat(expected);
          const received = await client.take(all.length, 20);
          assert.ok(received.equals(all), `client ${name}`);
          if (name % 2 === 0) await client.ended;
          client.socket.destroy();
        }),
      );
      await server.until(() => server.handler.closed.length === CLIENTS, 'the closes');
      await server.until(() => server.handler.released.length === references, 'the releases');
      assert.equal(new Set(server.handler.released).size, references, 'each reference once');
      server.allocator.release(value - 64);
      await server.stop();
      assert.equal(server.allocator.chunksInUse(), 0);
    });
  }
}
