/** A connection that is ended behind its last output closes at once, and not with the next second. */
import { strict as assert } from 'node:assert';
import { connect } from 'node:net';
import { test } from 'node:test';
import { availableTransports } from '@larder/datapath';
import { startServer } from '../start-server.ts';

/** The worker's own tick comes once a second; nothing may wait for it. */
const PROMPT_MS = 400;
const TRIES = 3;

for (const { kind, available, reason } of availableTransports()) {
  test(`${kind}: replies, then quit`, { skip: available ? false : (reason ?? 'not available') }, async () => {
    const server = await startServer({
      transport: kind,
      port: 0,
      adminPort: 'off',
      threads: 1,
      memoryBytes: 8 << 20,
    });
    try {
      let fastest = Number.POSITIVE_INFINITY;
      for (let times = 0; times < TRIES; times++) {
        const started = performance.now();
        const socket = connect(server.port, '127.0.0.1');
        let text = '';
        socket.setEncoding('latin1');
        socket.on('data', (part: string) => {
          text += part;
        });
        socket.write('get a\r\nquit\r\n');
        await new Promise((resolve) => socket.once('close', resolve));
        assert.equal(text, 'END\r\n');
        fastest = Math.min(fastest, performance.now() - started);
      }
      assert.ok(fastest < PROMPT_MS, `${Math.round(fastest)} ms`);
    } finally {
      await server.stop();
    }
  });
}
