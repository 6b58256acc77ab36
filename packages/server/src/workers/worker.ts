/**
 * One worker thread: composition only. It attaches to the arena and the store that the main thread made,
 * gives them to a session handler and runs a transport until it is told to stop.
 *
 * ```
 *   input ─▶ arena, store, statistics, events ─▶ handler ─▶ transport ─▶ ready ─▶ start ─▶ serve ─▶ run
 * ```
 */
import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { Store } from '@larder/cache';
import { attachArena, createTransport, type Transport } from '@larder/datapath';
import type { LifeMessage, StartMessage } from '@larder/host';
import { SharedEventLog } from '../events/shared-event-log.ts';
import { TokenAuthenticator } from '../session/authenticator.ts';
import type { Session } from '../session/session.ts';
import { settleHeap } from '../settle-heap.ts';
import { ServerStatistics } from '../statistics/server-statistics.ts';
import { SharedLatency } from '../statistics/shared-latency.ts';
import type { MessageFromWorker, WorkerInput } from './messages.ts';
import { SharedState } from './shared-state.ts';
import { WorkerControl } from './worker-control.ts';
import { WorkerHandler } from './worker-handler.ts';

/** A quarter of the connections may have sent something in one turn before io_uring has to be asked again. */
const RECEIVE_BUFFERS_SHARE = 4;
const RECEIVE_BUFFERS_LEAST = 64;
const RECEIVE_BUFFERS_MOST = 256;

function receiveBuffers(connectionsMax: number): number {
  const wanted = 2 ** Math.ceil(Math.log2(Math.max(1, connectionsMax / RECEIVE_BUFFERS_SHARE)));
  return Math.min(RECEIVE_BUFFERS_MOST, Math.max(RECEIVE_BUFFERS_LEAST, wanted));
}

function post(message: LifeMessage | MessageFromWorker): void {
  parentPort!.postMessage(message);
}

async function main(input: WorkerInput): Promise<void> {
  const { settings } = input;
  const arena = attachArena(input.arena);
  // Thread 0 of the store is the main thread, which maintains it.
  const store = Store.attach(arena, input.layout, input.index + 1);
  const shared = new SharedState(input.shared);
  const events = new SharedEventLog(shared, input.index);
  const facts = {
    version: input.version,
    transport: input.mainTransport,
    settings,
    startedAtMs: input.startedAtMs,
    threads: settings.threads,
  };
  const statistics = new ServerStatistics(facts, shared, store, {
    publish: () => handler.publish(),
    publishConnections: () => handler.publishConnections(),
  });
  const handler = new WorkerHandler(
    {
      arena,
      store,
      counters: shared.counters(input.index),
      statistics,
      events,
      latency: new SharedLatency(shared, input.index),
      control: new WorkerControl(shared.control, store, post),
      ...(input.authTokens.length === 0 ? {} : { authenticator: new TokenAuthenticator(input.authTokens) }),
      requestsPerEvent: settings.requestsPerEvent,
      shutdownEnabled: settings.enableShutdown,
      flushEnabled: !settings.disableFlushAll,
      dumpEnabled: true,
      watchEnabled: true,
      version: input.version,
    },
    { input, shared, events, post },
  );
  const transport: Transport<Session> = await createTransport<Session>(input.transport, {
    arena,
    allocator: store.networkAllocator(),
    handler,
    clock: () => performance.now(),
    limits: {
      connectionsMax: Math.max(1, input.connectionsMax),
      receiveBuffers: receiveBuffers(input.connectionsMax),
      idleTimeoutMs: settings.idleTimeoutSeconds * 1000,
    },
    acceptWhenFull: settings.refuseWhenFull ? 'close' : 'wait',
    zeroCopy: settings.zeroCopy,
    acceptTo: (descriptor) => handler.handOff(descriptor),
  });
  const started = once(parentPort!, 'message') as Promise<[StartMessage]>;
  post({ type: 'ready', waker: transport.waker });
  const [{ wakers }] = await started;
  handler.connect(transport, wakers);
  for (const socket of [...input.listeners, ...input.datagrams]) {
    await transport.serve(socket, input.tls === undefined ? {} : { tls: input.tls });
  }
  handler.listenersServed();
  settleHeap();
  post({ type: 'serving' });
  await transport.run();
  post({ type: 'stopped' });
  parentPort!.close();
}

await main(workerData as WorkerInput);
