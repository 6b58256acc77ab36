/** What the long messages of many connections may hold together: who is let in, who gives way, what is given back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Memory } from '../decode/memory.ts';
import { FRAME_HEADER_BYTES, GATHER_GRACE_MS } from '../limits.ts';
import { putFrameHeader } from '../send/frame.ts';
import { FrameReader } from './frame-reader.ts';
import { GatherBudget } from './gather-budget.ts';

const MESSAGE_BYTES = 200_000;
const PIECE_BYTES = 50_000;

/** One connection, whose input always lies at the same place. */
class Peer {
  readonly delivered: number[] = [];
  readonly refused: number[] = [];
  readonly reader: FrameReader;
  readonly #memory: Memory = new Memory(new ArrayBuffer(FRAME_HEADER_BYTES + MESSAGE_BYTES));

  constructor(budget: GatherBudget) {
    this.reader = new FrameReader(
      this.#memory,
      (message, _type, id) => {
        assert.equal(message.toUint8Array().length, MESSAGE_BYTES);
        this.delivered.push(id);
        return true;
      },
      { budget, onRefused: (_type, id) => this.refused.push(id) },
    );
  }

  begin(id: number): void {
    putFrameHeader(this.#memory.view, 0, MESSAGE_BYTES, 1, id);
    this.#push(FRAME_HEADER_BYTES + PIECE_BYTES);
  }

  more(bytes: number = PIECE_BYTES): void {
    this.#push(bytes);
  }

  end(): void {
    for (let left = MESSAGE_BYTES - PIECE_BYTES; left > 0; left -= PIECE_BYTES) this.#push(PIECE_BYTES);
  }

  #push(bytes: number): void {
    assert.equal(this.reader.push(0, bytes), bytes, 'all of it is consumed');
  }
}

function setup(messages: number): { budget: GatherBudget; clock: { now: number }; peers: Peer[] } {
  const clock = { now: 0 };
  const budget = new GatherBudget({ bytesMax: messages * MESSAGE_BYTES, clock: () => clock.now });
  return { budget, clock, peers: Array.from({ length: messages + 1 }, () => new Peer(budget)) };
}

test('as many messages are let in as will be whole; the others are thrown away and their readers go on', () => {
  const { budget, peers } = setup(2);
  for (const [id, peer] of peers.entries()) peer.begin(id);
  assert.equal(budget.bytes, 2 * MESSAGE_BYTES);
  assert.deepEqual(
    peers.map(({ refused }) => refused),
    [[], [], [2]],
  );
  for (const peer of peers) peer.end();
  assert.deepEqual(
    peers.map(({ delivered }) => delivered),
    [[0], [1], []],
  );
  assert.equal(budget.bytes, 0);
  peers[2]!.begin(7);
  peers[2]!.end();
  assert.deepEqual([peers[2]!.delivered, peers[2]!.refused, budget.bytes], [[7], [2], 0]);
});

test('a message that has become slow gives way, as many as are needed; one that keeps up does not', () => {
  const { budget, clock, peers } = setup(2);
  peers[0]!.begin(0);
  peers[1]!.begin(1);
  // 150 000 bytes may take 10 s and 2.3 s more.
  peers[1]!.more(2 * PIECE_BYTES);
  clock.now = GATHER_GRACE_MS + 1000;
  peers[2]!.begin(2);
  assert.deepEqual(peers[2]!.refused, []);
  assert.equal(budget.bytes, 2 * MESSAGE_BYTES);
  // It learns of it when it goes on, once.
  assert.deepEqual(peers[0]!.refused, []);
  peers[0]!.end();
  assert.deepEqual([peers[0]!.refused, peers[0]!.delivered], [[0], []]);
  peers[1]!.more();
  assert.deepEqual(peers[1]!.delivered, [1]);
  peers[2]!.end();
  assert.deepEqual([peers[2]!.delivered, budget.bytes], [[2], 0]);
});

test('a connection that ends gives back what it held, and no more than that', () => {
  const { budget, peers } = setup(1);
  peers[0]!.begin(0);
  peers[1]!.begin(1);
  peers[1]!.reader.close();
  assert.equal(budget.bytes, MESSAGE_BYTES, 'it was refused, and holds nothing');
  peers[0]!.reader.close();
  peers[0]!.reader.close();
  assert.equal(budget.bytes, 0);
});
