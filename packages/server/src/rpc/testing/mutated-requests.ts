/**
 * Requests of every method with seeded mutations, and random bytes, straight into the handler of the typed
 * protocol: each is answered once, with a reply or a failure, and at the end no reference to an item is left.
 */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { planStore, Store } from '@larder/cache';
import { Arena, BufferPool, SEND_BUFFER_BYTES } from '@larder/datapath';
import * as rpc from '@larder/protocol/rpc';
import { encode, Memory, Message, type WireObject } from '@larder/wire';
import { COUNTER_COUNT } from '../../session/counters.ts';
import { itemOfOwner } from '../item-owners.ts';
import { RpcHandler } from '../rpc-handler.ts';
import type { RpcOutput, RpcStream } from '../rpc-output.ts';

const SEED = 0x1a_4de5;
const ROOM_BYTES = 60_000;
const { KeyValueTypes: types } = rpc;

const KEYS = ['a', 'b', 'list', 'list2', 'x'.repeat(250)];
const VALUES = ['', 'value', 'v'.repeat(600), 'v'.repeat(9000)];

/** A generator of numbers in [0, below). */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 0x1_0000_0000) * below);
  };
}

function requests(random: (below: number) => number): [number, WireObject] {
  const key = KEYS[random(KEYS.length)]!;
  const val = VALUES[random(VALUES.length)]!;
  const vals = Array.from({ length: random(6) }, () => VALUES[random(VALUES.length)]!);
  const makers: (() => [number, WireObject])[] = [
    () => [types.get, rpc.GetRequest.from({ key, version: random(2) === 0 })],
    () => [types.getM, rpc.GetMRequest.from({ keys: KEYS.slice(random(5)) })],
    () => [types.getList, rpc.GetListRequest.from({ key })],
    () => [types.getFromList, rpc.GetFromListRequest.from({ key, index: random(5) })],
    () => [
      types.put,
      rpc.PutRequest.from({ key, val, mode: random(5), flags: random(3), version: random(9) }),
    ],
    () => [types.putM, rpc.PutMRequest.from({ keys: KEYS.slice(0, vals.length), vals, expiry: random(3) })],
    () => [types.putList, rpc.PutListRequest.from({ key, vals })],
    () => [types.append, rpc.AppendRequest.from({ key, val })],
    () => [types.delete, rpc.DeleteRequest.from({ key, holdoff: random(2) })],
    () => [types.leaseGet, rpc.LeaseGetRequest.from({ key })],
    () => [types.leaseSet, rpc.LeaseSetRequest.from({ key, val, token: random(3) })],
  ];
  return makers[random(makers.length)]!();
}

/** Counts replies, and gives references back as a transport does. */
class CountingOutput implements RpcOutput {
  readonly replyBytesMax: number = 1 << 20;
  readonly replies: null = null;
  readonly stream: CountingStream | null;
  #sent = 0;

  constructor(stream: CountingStream | null) {
    this.stream = stream;
  }

  get answered(): number {
    return this.#sent + (this.stream?.takeFrames() ?? 0);
  }

  send(reply: WireObject): void {
    encode(reply);
    this.#sent++;
  }
}

/** A connection whose output is dropped; replies that are written to it directly move its cursor once. */
class CountingStream implements RpcStream {
  cursor: number;
  limit: number;
  readonly #start: number;
  readonly #store: Store;
  #frames = 0;

  constructor(store: Store, start: number, bytes: number) {
    this.#store = store;
    this.#start = start;
    this.cursor = start;
    this.limit = start + bytes;
  }

  /** Replies so far. */
  takeFrames(): number {
    if (this.cursor !== this.#start) {
      this.cursor = this.#start;
      this.#frames++;
    }
    return this.#frames;
  }

  reserve(): number {
    return this.cursor;
  }

  copy(): void {}

  reference(_offset: number, _bytes: number, owner: number): void {
    this.#store.release(itemOfOwner(owner));
  }
}

/** Registers one test of `cases` cases. */
export function runMutatedRequests(cases: number): void {
  test(`${cases} mutated requests are answered, each once (seed ${SEED})`, () => {
    const layout = planStore(
      { memoryBytes: 16 << 20, itemBytesMax: 1 << 20, evict: false },
      { networkPages: 4 },
    );
    const arena = Arena.portable(layout.arenaBytes);
    const store = Store.create(arena, layout, () => 1_700_000_000);
    const handler = new RpcHandler(
      { arena, store, counters: new Float64Array(COUNTER_COUNT) },
      { datagramsMax: 16, allows: () => true, requestsPerEvent: 1000 },
    );
    const room = new BufferPool(store.networkAllocator(), ROOM_BYTES + 4096, 1).take();
    const memory = Memory.ofArena(arena);
    const sendBuffer = new BufferPool(store.networkAllocator(), SEND_BUFFER_BYTES, 1).take();
    const outputs = [
      new CountingOutput(null),
      new CountingOutput(new CountingStream(store, sendBuffer, SEND_BUFFER_BYTES)),
    ];
    const random = generator(SEED);
    const message = new Message();
    for (let index = 0; index < cases; index++) {
      const [type, object] = requests(random);
      const bytes = encode(object).slice();
      const isRandom = random(10) === 0;
      for (let times = isRandom ? bytes.length : random(5); times > 0; times--)
        bytes[random(bytes.length)] = random(4) === 0 ? random(256) : [0, 1, 8, 16, 255][random(5)]!;
      const cut = random(8) === 0 ? random(bytes.length + 1) : bytes.length;
      memory.u8.set(bytes.subarray(0, cut), room);
      const output = outputs[index & 1]!;
      const before = output.answered;
      handler.serve(message.over(memory, room, room + cut), type, index >>> 0, output);
      assert.equal(output.answered, before + 1, `case ${index}`);
    }
    for (const key of KEYS) {
      const keyBytes = arena.node.write(key, room, 'latin1');
      store.unlinkKey(room, keyBytes, store.hash(room, keyBytes));
    }
    store.flushAll(0);
    for (let slices = 0; slices < 10_000 && store.maintain(50) < 50; slices++);
    // Whatever a mutation made of keys was flushed too; only references could keep memory now.
    const used = store.slabStatistics().reduce((sum, each) => sum + each.usedChunks, 0);
    assert.equal(store.totals().currItems, 0);
    assert.equal(used, 0, 'chunks that are still referenced');
  });
}
