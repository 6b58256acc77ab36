import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { availableTransports } from './select.ts';
import { TestTransport } from './testing/harness.ts';
import type { WakerHandle } from './transport.ts';
import { wake } from './waker.ts';

const WAKES = 2000;

/** Runs a Linux transport the way a server does: `run` blocks the worker; wakes count, the last one stops it. */
async function runInWorker(kind: string): Promise<number> {
  const worker = new Worker(new URL('./testing/waker-worker.ts', import.meta.url), { workerData: { kind } });
  const finished = new Promise<number>((resolve, reject) => {
    worker.once('error', reject);
    worker.on('message', (message: { waker?: WakerHandle; counter?: SharedArrayBuffer; wakes?: number }) => {
      if (message.wakes !== undefined) resolve(message.wakes);
      if (message.waker === undefined) return;
      const counter = new Int32Array(message.counter!);
      for (let count = 0; count < WAKES; count++) {
        Atomics.add(counter, 0, 1);
        wake(message.waker);
      }
      Atomics.store(counter, 1, 1);
      wake(message.waker);
    });
  });
  const wakes = await finished;
  await new Promise((resolve) => worker.once('exit', resolve));
  return wakes;
}

for (const { kind, available, reason } of availableTransports()) {
  if (!available) {
    test(`${kind}: not available here`, { skip: reason ?? true }, () => {});
    continue;
  }

  test(`${kind}: a wake from another thread reaches a transport that waits, and none is lost`, async () => {
    const wakes = await runInWorker(kind);
    assert.ok(wakes >= 1 && wakes <= WAKES + 1, `${wakes} wakes`);
  });

  test(`${kind}: many wakes before it looks are one, and none after it has stopped does harm`, async () => {
    const server = await TestTransport.start(kind);
    for (let count = 0; count < 10; count++) wake(server.transport.waker);
    await server.until(() => server.handler.wakes > 0, 'the wake');
    await server.rounds(10);
    assert.equal(server.handler.wakes, 1);
    wake(server.transport.waker);
    await server.until(() => server.handler.wakes === 2, 'the second wake');
    wake(server.transport.waker);
    await server.stop();
    const wakes = server.handler.wakes;
    wake(server.transport.waker);
    assert.equal(server.handler.wakes, wakes);
  });
}
