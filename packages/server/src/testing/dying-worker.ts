/** A worker that dies as soon as the server runs: what a programming error in a worker looks like. */
import { parentPort } from 'node:worker_threads';

const state = new SharedArrayBuffer(4);
parentPort!.postMessage({ type: 'ready', waker: { kind: 'shared', state } });
parentPort!.once('message', () => {
  parentPort!.postMessage({ type: 'serving' });
  setTimeout(() => {
    throw new Error('a bug in the worker');
  }, 20);
});
