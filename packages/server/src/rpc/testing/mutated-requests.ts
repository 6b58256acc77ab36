/**
 * What anybody may send to the port of the typed protocol, seeded: requests of every method with mutations, frames
 * that lie about their length or end early, random bytes, and datagrams with forged numbers. Each whole request is
 * answered once; no answer has bytes from outside of a message or of the values that may be read; and at the end no
 * reference to the arena is left.
 */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import * as rpc from '@larder/protocol/rpc';
import { DATAGRAM_BYTES, encode, FRAGMENT_HEADER_BYTES, type WireObject } from '@larder/wire';
import { FAILURE_TYPE } from '@larder/wire/rpc';
import { fragmentsOf, frameOf, RpcHarness, type RpcTestClient } from './rpc-harness.ts';

const SEED = 0x1a_4de5;
const DATAGRAMS_MAX = 16;
const { KeyValueTypes: types } = rpc;

const KEYS = ['a', 'b', 'list', 'list2', 'x'.repeat(250)];
const VALUES = ['', 'value', 'v'.repeat(600), 'v'.repeat(9000), 'w'.repeat(70_000)];
/** The value of a key that nobody asks for, and what the receive buffer has where no message is. */
const SECRET = 'what nobody may see';
const OUTSIDE: Buffer = Buffer.alloc(8, 0xee);

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

class Attack {
  readonly harness: RpcHarness = new RpcHarness({
    datagramsMax: DATAGRAMS_MAX,
    gatherBytesMax: 2 << 20,
    store: { memoryBytes: 16 << 20, itemBytesMax: 1 << 20, evict: false },
  });
  readonly random: (below: number) => number = generator(SEED);
  /** How often each of the ways was gone, and how often there was an answer. */
  readonly counts: Record<string, number> = {};
  #client: RpcTestClient = this.harness.connect();

  /** One case. */
  run(index: number): void {
    const [type, object] = requests(this.random);
    const message = this.#mutated(encode(object).slice());
    const way = this.random(20);
    if (way === 0) this.#lyingFrame(message, type, index);
    else if (way === 1) this.#randomBytes();
    else if (way === 2) this.#halfFrame(message, type, index);
    else if (way < 8) this.#datagrams(message, type, index);
    else this.#request(message, type, index);
    if (this.random(8) === 0) this.harness.settle();
    if (this.random(100) === 0) this.harness.nowMs += 6000;
  }

  #mutated(bytes: Uint8Array): Uint8Array {
    const { random } = this;
    const isRandom = random(10) === 0;
    for (
      let times = isRandom ? Math.min(bytes.length, 500) : random(5);
      times > 0 && bytes.length > 0;
      times--
    ) {
      const place = random(random(2) === 0 ? bytes.length : Math.min(64, bytes.length));
      bytes[place] = random(4) === 0 ? random(256) : [0, 1, 8, 16, 255][random(5)]!;
    }
    return random(8) === 0 ? bytes.subarray(0, random(bytes.length + 1)) : bytes;
  }

  /** A frame that is one: there is exactly one answer, with its id. */
  #request(message: Uint8Array, type: number, id: number): void {
    this.#client.deliver(frameOf(message, type, id));
    const answers = this.#client.answers(this.#seen(this.#client.output(), 'request'));
    assert.deepEqual(
      answers.map((answer) => answer.id),
      [id],
      `case ${id}`,
    );
    assert.ok(answers[0]!.type === type || answers[0]!.type === FAILURE_TYPE);
    if (this.#client.connection.isEnded) assert.fail(`case ${id} ended the connection`);
  }

  /** What comes behind a wrong length is read as anything: the connection may end, and that is all. */
  #lyingFrame(message: Uint8Array, type: number, id: number): void {
    const { random } = this;
    const length = [0xffff_ffff, 0x7fff_ffff, 2 << 20, message.length + 1 + random(100_000), random(64)][
      random(5)
    ]!;
    const frame = frameOf(message, type, id, length);
    if (random(3) === 0) frame.writeUInt32LE(random(256), 12);
    this.#alone(frame, 'lying frame');
  }

  #randomBytes(): void {
    this.#alone(
      Uint8Array.from({ length: this.random(200) }, () => this.random(256)),
      'random bytes',
    );
  }

  /** The connection is gone before the request is whole. */
  #halfFrame(message: Uint8Array, type: number, id: number): void {
    this.#alone(frameOf(message, type, id).subarray(0, this.random(16 + message.length)), 'half a frame');
  }

  #alone(bytes: Uint8Array, what: string): void {
    const client = this.harness.connect();
    client.deliver(bytes);
    this.#seen(client.output(), what);
    client.close();
  }

  /** Parts of a message with forged ids, counts, indices and lengths, some of them never sent. */
  #datagrams(message: Uint8Array, type: number, id: number): void {
    const { random } = this;
    for (const datagram of fragmentsOf(message, type, id, 400 + random(1000))) {
      if (random(6) === 0) datagram[random(FRAGMENT_HEADER_BYTES)] = [0, 1, 2, 255][random(4)]!;
      if (random(20) === 0) continue;
      const cut = random(20) === 0 ? random(datagram.length) : datagram.length;
      const sent = this.harness.datagram(datagram.subarray(0, cut), 40_000 + random(3));
      assert.ok(sent.length <= DATAGRAMS_MAX, `${sent.length} datagrams for one`);
      assert.ok(sent.every((each) => each.length <= DATAGRAM_BYTES));
      for (const each of sent) this.#seen(each, 'datagram');
    }
  }

  #seen(output: Buffer, what: string): Buffer {
    this.counts[what] = (this.counts[what] ?? 0) + (output.length > 0 ? 1 : 0);
    assert.ok(!output.includes(SECRET) && !output.includes(OUTSIDE), `${what}: bytes from outside`);
    return output;
  }
}

/** Registers one test of `cases` cases. */
export function runMutatedRequests(cases: number): void {
  test(`${cases} hostile inputs to the typed protocol (seed ${SEED})`, () => {
    const attack = new Attack();
    const { harness } = attack;
    assert.equal(harness.session.ask(`set secret 0 0 ${SECRET.length}\r\n${SECRET}\r\n`), 'STORED\r\n');
    for (let index = 1; index <= cases; index++) attack.run(index);
    for (const what of ['request', 'lying frame', 'random bytes', 'datagram'])
      assert.ok((attack.counts[what] ?? 0) > cases / 2000, `${what}: hardly ever answered`);
    harness.settle();
    assert.equal(harness.counter('gathered_bytes'), 0);
    assert.equal(harness.leakedChunks(), 0, 'chunks that are still referenced');
    assert.equal(harness.session.store.totals().currItems, 0);
  });
}
