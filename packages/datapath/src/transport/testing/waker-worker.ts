/** The other thread of waker.test.ts: a transport in `run`, which a wake with the stop word set ends. */
import { parentPort, workerData } from 'node:worker_threads';
import { createTransport } from '../select.ts';
import type { Transport, TransportKind } from '../transport.ts';
import { makeMemory, TestHandler } from './harness.ts';

const { kind } = workerData as { kind: TransportKind };
const allocator = makeMemory(kind);
/** [0] wakes sent, [1] whether the last was sent. */
const counter = new Int32Array(new SharedArrayBuffer(8));

class StoppingHandler extends TestHandler {
  seen = 0;

  override onWake(): void {
    super.onWake();
    const isLast = Atomics.load(counter, 1) === 1;
    this.seen = Atomics.load(counter, 0);
    if (isLast) transport.stop(0);
  }
}

const handler = new StoppingHandler();
const transport: Transport<unknown> = await createTransport<unknown>(kind, {
  arena: allocator.arena,
  allocator,
  handler,
  clock: () => performance.now(),
});
parentPort!.postMessage({ waker: transport.waker, counter: counter.buffer });
await transport.run();
parentPort!.postMessage({ wakes: handler.wakes });
parentPort!.close();
