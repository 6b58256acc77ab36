/**
 * A server in a thread of its own, for tests in which a load runs as well: the Linux transports of one thread wait
 * for each other. Says its port, answers every message with what it counted, and stops at 'stop'.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { startEchoServer } from '../server/echo-server.ts';

const { serializer } = workerData as { readonly serializer: string };
const server = await startEchoServer({ serializer });
parentPort!.on('message', async (message) => {
  if (message === 'stop') await server.stop();
  const { echoed, refused, chunksUsed } = server;
  parentPort!.postMessage({ echoed, refused, chunksUsed });
  if (message === 'stop') parentPort!.close();
});
parentPort!.postMessage(server.port);
