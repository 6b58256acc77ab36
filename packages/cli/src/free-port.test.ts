import assert from 'node:assert/strict';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { findFreePort, isPortFree } from './free-port.ts';

test('a taken port is passed over, and when all are taken that is said', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    assert.equal(await isPortFree('127.0.0.1', port), false);
    await assert.rejects(findFreePort('127.0.0.1', port, port), {
      code: 'EADDRINUSE',
      message: /are all in use/,
    });
    const next = await findFreePort('127.0.0.1', port, Math.min(port + 50, 65_535));
    assert.ok(next > port);
  } finally {
    server.close();
  }
});
