/** The module that a worker thread runs. */
import { parentPort, workerData } from 'node:worker_threads';
import type { LifeMessage, StartMessage } from '@larder/host';
import type { MessageFromWorker, MessageToWorker, WorkerInput } from './messages.ts';
import { RouterWorker } from './router-worker.ts';

const port = parentPort!;
const post = (message: LifeMessage | MessageFromWorker): void => port.postMessage(message);
const worker = await RouterWorker.create(workerData as WorkerInput, post);
await new Promise<void>((resolve) => {
  port.on('message', (message: StartMessage | MessageToWorker) => {
    if (message.type === 'start') resolve();
    else worker.receive(message);
  });
  post({ type: 'ready', waker: worker.waker });
});
await worker.run();
post({ type: 'stopped' });
port.close();
