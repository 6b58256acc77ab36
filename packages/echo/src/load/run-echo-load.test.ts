/** The load: what it counts, what it notices, and how it fails. */
import { strict as assert } from 'node:assert';
import { createServer } from 'node:net';
import { test } from 'node:test';
import type { EchoCodec } from '../server/echo-codec.ts';
import { startEchoServer } from '../server/echo-server.ts';
import { soak } from '../testing/soak.ts';
import { ThreadedServer } from '../testing/threaded-server.ts';
import { runEchoLoad } from './run-echo-load.ts';

const HOST = '127.0.0.1';
const SOAK_MESSAGES = 10_000;

/** Answers with the message, of which it changes a byte. */
function liar(): EchoCodec {
  return {
    name: 'liar',
    messageBytesMax: 100_000,
    echo(message, output) {
      const bytes = new Uint8Array(message.toUint8Array());
      bytes[bytes.length - 1]! ^= 1;
      output.sendBytes(bytes);
    },
    release: () => {},
  };
}

for (const udp of [false, true]) {
  test(`${udp ? 'UDP' : 'TCP'}: every answer is counted, timed and right`, async () => {
    const server = await ThreadedServer.start('msgpackr');
    try {
      const shape = { fieldBytes: 300, fields: 2, levels: 2, connections: 2, inFlight: 3 };
      const target = {
        host: HOST,
        port: server.port,
        serializer: 'msgpackr',
        seconds: 0.1,
        warmUpSeconds: 0.05,
        udp,
      };
      const result = await runEchoLoad({ ...target, ...shape });
      const { echoed, refused } = await server.counts();
      assert.deepEqual([result.wrong, refused, result.protocol], [0, 0, udp ? 'udp' : 'tcp']);
      assert.ok(result.echoes > 0 && result.echoes <= echoed, `${result.echoes} of ${echoed}`);
      assert.ok(result.messageBytes > 3 * 2 * 300);
      const { p50, p99, max } = result.latencyMs;
      assert.ok(p50 > 0 && p50 <= p99 && p99 <= max);
      assert.ok(Math.abs(result.requestsPerSecond * result.seconds - result.echoes) < 1);
    } finally {
      await server.stop();
    }
  });

  test(`${udp ? 'UDP' : 'TCP'}: an answer with a wrong byte is noticed`, async () => {
    const server = await startEchoServer({ codec: liar });
    try {
      const result = await runEchoLoad({
        host: HOST,
        port: server.port,
        serializer: 'none',
        seconds: 0.05,
        warmUpSeconds: 0,
        udp,
      });
      assert.ok(result.wrong > 0);
      assert.equal(result.echoes, 0);
    } finally {
      await server.stop();
    }
  });
}

test('another serializer on the other side, nobody there, and options that make no sense', async () => {
  const server = await startEchoServer({ serializer: 'json' });
  const target = { host: HOST, port: server.port };
  try {
    await assert.rejects(runEchoLoad(target), { name: 'EchoError', code: 'CLOSED', message: /--serializer/ });
    await assert.rejects(runEchoLoad({ ...target, fields: 0 }), { code: 'OPTION', option: '--fields' });
    await assert.rejects(runEchoLoad({ ...target, fieldBytes: 60_000, fields: 4096 }), { code: 'OPTION' });
    await assert.rejects(runEchoLoad({ ...target, seconds: Number.NaN }), { option: '--seconds' });
    await assert.rejects(runEchoLoad({ ...target, serializer: 'xml' }), { option: '--serializer' });
    const ended = runEchoLoad({ ...target, serializer: 'json', signal: AbortSignal.abort() });
    assert.ok((await ended).seconds < 1);
  } finally {
    await server.stop();
  }
  const holder = createServer();
  const port = await new Promise<number>((resolve) => {
    holder.listen(0, HOST, () => resolve((holder.address() as { port: number }).port));
  });
  await new Promise((resolve) => holder.close(resolve));
  await assert.rejects(runEchoLoad({ host: HOST, port }), { code: 'ECONNREFUSED' });
});

for (const serializer of ['larder-references', 'larder-list', 'none']) {
  test(`${serializer}: ${SOAK_MESSAGES} messages with referenced buffers leave no reference`, async () => {
    await soak(serializer, SOAK_MESSAGES);
  });
}
