/** Who asks for much and reads nothing: both protocols close it after the same time, and give the values' memory back. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setImmediate as immediate } from 'node:timers/promises';
import {
  Arena,
  availableTransports,
  type CloseReason,
  type Connection,
  createTransport,
  loadTransport,
  mapArena,
  openListener,
  SLOW_READER_MS,
  type TransportHandler,
  type TransportKind,
} from '@larder/datapath';
import { GetMRequest, KeyValueTypes as types } from '@larder/protocol/rpc';
import { encode } from '@larder/wire';
import type { Session } from '../session/session.ts';
import { frameOf, RpcHarness } from './testing/rpc-harness.ts';

const VALUE_BYTES = 900_000;
const VALUES = 40;
const WAIT_MS = 10_000;

/** One worker whose connections all speak one protocol. */
class Worker implements TransportHandler<Session> {
  readonly harness: RpcHarness;
  readonly closed: CloseReason[] = [];
  connection: Connection<Session> | undefined;
  readonly #isTyped: boolean;

  constructor(kind: TransportKind, isTyped: boolean) {
    const arena = (bytes: number): Arena => (kind === 'node' ? Arena.portable(bytes) : mapArena(bytes).arena);
    this.harness = new RpcHarness({ arena, networkPages: 64 });
    this.#isTyped = isTyped;
  }

  onConnect(connection: Connection<Session>): void {
    this.connection = connection;
    this.harness.session.handler.onConnect(connection);
    if (this.#isTyped) connection.session.rpc = this.harness.rpc.open(connection);
  }

  onData(connection: Connection<Session>, start: number, end: number): number {
    const { rpc } = connection.session;
    if (rpc === null) return this.harness.session.handler.onData(connection, start, end);
    return this.harness.rpc.onData(connection, rpc, start, end);
  }

  onClose(connection: Connection<Session>, reason: CloseReason): void {
    this.closed.push(reason);
    if (connection.session.rpc !== null) this.harness.rpc.onClose(connection.session.rpc);
  }

  onRelease(owner: number): void {
    this.harness.rpc.onRelease(owner);
  }
}

async function closesSlowReader(kind: TransportKind, isTyped: boolean): Promise<void> {
  const worker = new Worker(kind, isTyped);
  const { harness } = worker;
  const { arena, store } = harness.session;
  harness.session.ask(`set k 0 0 ${VALUE_BYTES}\r\n${'v'.repeat(VALUE_BYTES)}\r\n`);
  let nowMs = 1000;
  const options = { arena, allocator: store.networkAllocator(), handler: worker, clock: () => nowMs };
  const loop = kind === 'node' ? undefined : (await loadTransport<Session>(kind))(options);
  const transport = loop ?? (await createTransport<Session>(kind, options));
  const until = async (condition: () => boolean, what: string): Promise<void> => {
    const end = performance.now() + WAIT_MS;
    while (!condition()) {
      loop?.turn(0);
      await immediate();
      if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
    }
  };
  const turns = async (count: number): Promise<void> => {
    for (let turn = 0; turn < count; turn++) {
      loop?.turn(0);
      await immediate();
    }
  };
  const listener = await openListener(kind, { kind: 'tcp', host: '127.0.0.1', port: 0 });
  await transport.serve(listener);
  const ended = loop === undefined ? transport.run() : undefined;
  const client = connect({ host: '127.0.0.1', port: listener.port });
  client.on('error', () => {});
  await once(client, 'connect');
  client.pause();
  const keys = Array.from({ length: VALUES }, () => 'k');
  client.write(
    isTyped ? frameOf(encode(GetMRequest.from({ keys })), types.getM, 1) : `get ${keys.join(' ')}\r\n`,
  );
  await until(() => (worker.connection?.waitingSince ?? 0) !== 0, 'a blocked send');
  // The kernel's buffers may still grow.
  await turns(200);
  harness.session.ask('delete k\r\n');
  assert.ok(harness.itemChunks() > 0, 'what is being sent keeps its memory');
  nowMs += SLOW_READER_MS - 1000;
  await turns(50);
  assert.deepEqual(worker.closed, []);
  nowMs += 2000;
  await until(() => worker.closed.length === 1, 'the close');
  assert.deepEqual(worker.closed, ['slow-reader']);
  assert.equal(transport.statistics.connectionsClosedSlow, 1);
  client.destroy();
  transport.stop(0);
  await (ended ?? until(() => !loop!.turn(0), 'the end'));
  harness.session.ask('flush_all\r\n');
  harness.session.advance(2);
  assert.equal(harness.itemChunks(), 0);
}

for (const { kind, available, reason } of availableTransports()) {
  for (const isTyped of [true, false]) {
    test(
      `${kind}: a slow reader of ${isTyped ? 'typed messages' : 'the text protocol'} is closed`,
      {
        skip: available ? false : (reason ?? 'not available'),
      },
      () => closesSlowReader(kind, isTyped),
    );
  }
}
