import { strict as assert } from 'node:assert';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { Cache } from './cache.ts';

test('behind what lists no keys, as a router, one is told what to do instead', async () => {
  const router = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => socket.write('ERROR\r\n'));
  });
  await new Promise<void>((resolve) => router.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = router.address() as { port: number };
    await using cache = await Cache.connect({ servers: `127.0.0.1:${port}` });
    const listing = cache.keys().next();
    await assert.rejects(listing, { code: 'UNSUPPORTED', message: /the router's own configuration/ });
  } finally {
    router.close();
  }
});
