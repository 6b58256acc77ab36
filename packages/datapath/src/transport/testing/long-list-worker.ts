/** Runs a transport that waits in the kernel and answers every byte with a long list of references. */
import { parentPort, workerData } from 'node:worker_threads';
import { openListener } from '../listener.ts';
import { loadTransport } from '../select.ts';
import { makeMemory, TestHandler } from './harness.ts';

const { kind, references, bytes, waitMs } = workerData as {
  kind: 'uring' | 'epoll';
  references: number;
  bytes: number;
  waitMs: number;
};
const allocator = makeMemory(kind);
const value = allocator.allocate(allocator.classFor(bytes + 64)) + 64;
const handler = new TestHandler<undefined>();
handler.data = (connection, _start, end) => {
  for (let count = 0; count < references; count++) connection.reference(value, bytes, 0);
  return end;
};
const make = await loadTransport<undefined>(kind);
const transport = make({ arena: allocator.arena, allocator, handler, clock: () => performance.now() });
const socket = await openListener(kind, { kind: 'tcp', host: '127.0.0.1', port: 0 });
transport.serve(socket);
parentPort?.postMessage(socket.port);
// The message leaves when this task is over; then the thread waits in the kernel for what happens.
setImmediate(() => {
  while (transport.turn(waitMs));
});
