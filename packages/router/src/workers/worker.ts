/** The module that a worker thread runs. */
import { parentPort, workerData } from 'node:worker_threads';
import type { MessageFromWorker, MessageToWorker, WorkerInput } from './messages.ts';
import { RouterWorker } from './router-worker.ts';

const post = (message: MessageFromWorker): void => parentPort!.postMessage(message);
const worker = await RouterWorker.create(workerData as WorkerInput, post);
parentPort!.on('message', (message: MessageToWorker) => worker.receive(message));
post({ type: 'ready', waker: worker.waker });
await worker.run();
post({ type: 'stopped' });
parentPort!.close();
