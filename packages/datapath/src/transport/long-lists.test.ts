import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { SCATTER_GATHER_ENTRIES_MAX } from '../limits.ts';
import { availableTransports } from './select.ts';

/** References of the answer: several messages' worth. */
const REFERENCES = 5 * SCATTER_GATHER_ENTRIES_MAX + 7;
const REFERENCE_BYTES = 100;
/** How long the transport waits when it thinks that there is nothing to do. */
const WAIT_MS = 3000;

for (const { kind, available, reason } of availableTransports()) {
  if (kind === 'node') continue;
  test(`${kind}: an answer of more parts than one send takes leaves whole, though nothing else happens`, {
    skip: available ? false : reason!,
    timeout: 10_000,
  }, async () => {
    // The transport waits in the kernel, so it has a thread of its own.
    const worker = new Worker(new URL('./testing/long-list-worker.ts', import.meta.url), {
      workerData: { kind, references: REFERENCES, bytes: REFERENCE_BYTES, waitMs: WAIT_MS },
    });
    const port = await new Promise<number>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    const socket = connect(port, '127.0.0.1');
    const begin = performance.now();
    let received = 0;
    await new Promise<void>((resolve, reject) => {
      socket.on('error', reject);
      socket.on('data', (data) => {
        received += data.length;
        if (received >= REFERENCES * REFERENCE_BYTES) resolve();
      });
      socket.write('x');
    });
    assert.equal(received, REFERENCES * REFERENCE_BYTES);
    assert.ok(performance.now() - begin < WAIT_MS / 2, 'it left only when something else happened');
    socket.destroy();
    await worker.terminate();
  });
}
