/** A worker for tests: does what its input says, be it to die before it is ready, or never to stop. */
import { parentPort, workerData } from 'node:worker_threads';
import type { LifeMessage } from '../workers/messages.ts';

export interface OddInput {
  readonly index: number;
  readonly does: 'serve' | 'die-at-start' | 'die-later' | 'stay';
}

const { does } = workerData as OddInput;
const port = parentPort!;
const post = (message: LifeMessage | { readonly type: 'heard'; readonly text: string }): void =>
  port.postMessage(message);

if (does === 'die-at-start') throw new Error('a bug at start');
port.on('message', (message: { readonly type: string; readonly text?: string }) => {
  if (message.type === 'start') {
    post({ type: 'log', level: 'info', fields: { does }, text: 'started' });
    post({ type: 'serving' });
  } else if (message.type === 'say') {
    if (does === 'die-later') throw new Error('a bug while serving');
    post({ type: 'heard', text: message.text ?? '' });
  } else if (message.type === 'stop' && does !== 'stay') {
    post({ type: 'stopped' });
    port.close();
  }
});
post({ type: 'ready', waker: { kind: 'shared', state: new SharedArrayBuffer(4) } });
