/**
 * Many messages whose buffers the server answers by reference: afterwards every reference has been given back, and
 * the arena has as many chunks in use as after the first few.
 */
import { strict as assert } from 'node:assert';
import { runEchoLoad } from '../load/run-echo-load.ts';
import { ThreadedServer } from './threaded-server.ts';

/** Buffers of transports that are kept for the next connection, more or less. */
const CHUNKS_KEPT = 64;
const WAIT_MS = 10_000;
const SECONDS = 2;

export async function soak(serializer: string, messages: number): Promise<void> {
  const server = await ThreadedServer.start(serializer);
  try {
    const target = {
      host: '127.0.0.1',
      port: server.port,
      serializer,
      connections: 4,
      inFlight: 32,
      warmUpSeconds: 0,
    };
    // Short and long, in one frame and in several buffers; and the shortest run that warms all pools up.
    const shapes = [{}, { fieldBytes: 700, fields: 20 }, { fieldBytes: 60_000, fields: 3 }, { levels: 4 }];
    for (const shape of shapes) await runEchoLoad({ ...target, ...shape, seconds: 0.05 });
    const before = await server.counts();
    let echoed = 0;
    while (echoed < messages) {
      for (const shape of shapes) {
        const result = await runEchoLoad({
          ...target,
          ...shape,
          seconds: messages > 100_000 ? SECONDS : 0.05,
        });
        assert.equal(result.wrong, 0);
      }
      echoed = (await server.counts()).echoed - before.echoed;
    }
    for (const deadline = performance.now() + WAIT_MS; ; ) {
      const { chunksUsed, refused } = await server.counts();
      assert.equal(refused, 0);
      if (chunksUsed <= before.chunksUsed + CHUNKS_KEPT) break;
      assert.ok(performance.now() < deadline, `${chunksUsed} chunks in use, ${before.chunksUsed} before`);
    }
  } finally {
    await server.stop();
  }
}
