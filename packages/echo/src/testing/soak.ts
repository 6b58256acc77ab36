/**
 * Many messages whose buffers the server answers by reference. Afterwards, when the transport has given back what is
 * its own, no more of the arena is in use than after a few messages: a reference that is left would keep its buffer.
 */
import { strict as assert } from 'node:assert';
import { type EchoLoadResult, runEchoLoad } from '../load/run-echo-load.ts';
import { ThreadedServer } from './threaded-server.ts';

/** Short and long ones, in one frame and in several buffers. */
const SHAPES = [
  {},
  { fieldBytes: 700, fields: 20 },
  { fieldBytes: 60_000, fields: 3 },
  { levels: 4 },
] as const;
const SECONDS_SHORT = 0.05;
const SECONDS_LONG = 2;
/** So many messages take the long runs. */
const MESSAGES_LONG = 100_000;

/** Sends messages of all shapes until there were so many; returns the chunks in use after the end. */
async function serveMessages(serializer: string, messages: number): Promise<number> {
  const server = await ThreadedServer.start(serializer);
  const target = { host: '127.0.0.1', port: server.port, serializer, connections: 4, inFlight: 32 };
  const seconds = messages > MESSAGES_LONG ? SECONDS_LONG : SECONDS_SHORT;
  const ask = (shape: object): Promise<EchoLoadResult> =>
    runEchoLoad({ ...target, ...shape, seconds, warmUpSeconds: 0 });
  try {
    do {
      for (const shape of SHAPES) assert.equal((await ask(shape)).wrong, 0);
    } while ((await server.counts()).echoed < messages);
  } catch (error) {
    await server.stop();
    throw error;
  }
  const { echoed, refused, chunksUsed } = await server.stop();
  assert.ok(echoed >= messages);
  assert.equal(refused, 0);
  return chunksUsed;
}

export async function soak(serializer: string, messages: number): Promise<void> {
  const few = await serveMessages(serializer, 1);
  assert.equal(await serveMessages(serializer, messages), few, 'chunks in use');
}
