/**
 * What a typed request costs beside the transport: nanoseconds, and bytes allocated, per request, from the message
 * in the arena to the reply in a send buffer. `node --expose-gc --max-semi-space-size=128 -C larder-source
 * src/rpc/rpc.bench.ts [filter]`.
 */
import { BufferPool, KIB, SEND_BUFFER_BYTES } from '@larder/datapath';
import * as rpc from '@larder/protocol/rpc';
import { encode, Memory, Message, type SendTarget, sendObject, type WireObject } from '@larder/wire';
import { transportOwner } from './item-owners.ts';
import type { RpcOutput, RpcStream } from './rpc-output.ts';
import { RpcHarness } from './testing/rpc-harness.ts';

const ITERATIONS = 200_000;
const { KeyValueTypes: types } = rpc;

const harness = new RpcHarness();
const { arena, store } = harness.session;
const handler = harness.rpc;
const pool = new BufferPool(store.networkAllocator(), 60 * KIB, 2);
const room = pool.take();
const sendBuffer = pool.take();
const memory = Memory.ofArena(arena);
const message = new Message();

/** Takes everything and sends nothing. */
class NullStream implements RpcStream, SendTarget {
  cursor = sendBuffer;
  limit: number = sendBuffer + SEND_BUFFER_BYTES;
  reserve(): number {
    this.cursor = sendBuffer;
    return sendBuffer;
  }
  copy(): void {}
  writeBytes(): void {}
  reference(_offset: number, _bytes: number, owner: number): void {
    handler.onRelease(transportOwner(owner));
  }
}

const stream = new NullStream();
const output: RpcOutput = {
  id: 0,
  replyBytesMax: Number.POSITIVE_INFINITY,
  stream,
  replies: null,
  send: (reply, type, id) => sendObject(stream, reply, type, id),
};

/** Puts a request where the transport would have; what it returns serves it. */
function prepared(type: number, object: WireObject): () => void {
  const bytes = encode(object).slice();
  memory.u8.set(bytes, room);
  return () => handler.serve(message.over(memory, room, room + bytes.length), type, 1, output);
}

function put(key: string, valueBytes: number, flags = 0): void {
  prepared(types.put, rpc.PutRequest.from({ key, val: new Uint8Array(valueBytes), flags }))();
}

const KEYS = Array.from({ length: 8 }, (_, index) => `key${index}`);
for (const key of KEYS) put(key, 64);
put('flagged', 64, 2);
put('long', 20_000);

const CASES: readonly (readonly [string, number, () => WireObject])[] = [
  ['get, 64 bytes', types.get, () => rpc.GetRequest.from({ key: 'key1' })],
  ['get, 64 bytes with flags', types.get, () => rpc.GetRequest.from({ key: 'flagged' })],
  ['get, 20 kB referenced', types.get, () => rpc.GetRequest.from({ key: 'long' })],
  ['get, missing', types.get, () => rpc.GetRequest.from({ key: 'none' })],
  ['getM, 8 x 64 bytes', types.getM, () => rpc.GetMRequest.from({ keys: KEYS })],
  ['getM, 7 x 64 bytes, 20 kB', types.getM, () => rpc.GetMRequest.from({ keys: [...KEYS.slice(1), 'long'] })],
  ['put, 64 bytes', types.put, () => rpc.PutRequest.from({ key: 'key1', val: new Uint8Array(64) })],
];
const filter = process.argv[2] ?? '';
for (const [name, type, make] of CASES) {
  if (!name.includes(filter)) continue;
  const serve = prepared(type, make());
  for (let index = 0; index < ITERATIONS; index++) serve();
  globalThis.gc?.();
  const heapBefore = process.memoryUsage().heapUsed;
  const started = performance.now();
  for (let index = 0; index < ITERATIONS; index++) serve();
  const nanoseconds = ((performance.now() - started) / ITERATIONS) * 1e6;
  const bytes = (process.memoryUsage().heapUsed - heapBefore) / ITERATIONS;
  process.stdout.write(
    `${name.padEnd(28)} ${nanoseconds.toFixed(0).padStart(6)} ns ${bytes.toFixed(1).padStart(7)} B\n`,
  );
}
