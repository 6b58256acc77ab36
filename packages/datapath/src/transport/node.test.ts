/** What only the portable transport does: TLS, every kind of arena, sharing a port. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import * as tls from 'node:tls';
import { PAGE_BYTES } from '../limits.ts';
import { Arena } from '../memory/arena.ts';
import { mapArena } from '../memory/mapped-arena.ts';
import { PageTable } from '../memory/page-table.ts';
import { SlabAllocator } from '../memory/slab-allocator.ts';
import { SlabClasses } from '../memory/slab-classes.ts';
import { libcUnavailableReason } from '../sys/libc.ts';
import { openListener } from './listener.ts';
import { NodeTransport } from './node.ts';
import { TEST_CERTIFICATE, TEST_KEY } from './testing/certificate.ts';
import { openClient } from './testing/client.ts';
import { TestHandler, TestTransport } from './testing/harness.ts';

test('node: terminates TLS, with large answers by reference', async () => {
  const server = await TestTransport.start('node');
  const { arena } = server.allocator;
  const value = server.allocator.allocate(server.allocator.classFor(900_000));
  const pattern = randomBytes(800_000);
  arena.u8.set(pattern, value + 64);
  server.handler.data = (connection, start, end) => {
    connection.copy(start, end - start);
    connection.reference(value + 64, pattern.length, 1);
    return end;
  };
  const socket = await server.listen(undefined, { tls: { cert: TEST_CERTIFICATE, key: TEST_KEY } });
  const client = tls.connect({
    host: '127.0.0.1',
    port: socket.port,
    ca: TEST_CERTIFICATE,
    servername: 'localhost',
  });
  const parts: Buffer[] = [];
  let received = 0;
  client.on('data', (part: Buffer) => {
    parts.push(part);
    received += part.length;
  });
  client.write('question');
  await server.until(() => received === 8 + pattern.length, 'the answer');
  assert.ok(client.authorized);
  assert.ok(Buffer.concat(parts).equals(Buffer.concat([Buffer.from('question'), pattern])));
  assert.deepEqual(server.handler.released, [1]);
  // Somebody who does not speak TLS is turned away, and nobody else notices.
  const stranger = await openClient(socket);
  stranger.socket.on('error', () => {});
  stranger.socket.write('get plain\r\n');
  await stranger.ended;
  client.end();
  await server.until(() => server.handler.closed.length === 1, 'the close');
  server.allocator.release(value);
  await server.stop();
  assert.equal(server.allocator.chunksInUse(), 0);
});

const arenas: [string, () => Arena][] = [
  ['an ordinary ArrayBuffer', () => Arena.portable(16 * PAGE_BYTES)],
  ['a SharedArrayBuffer', () => Arena.shared(16 * PAGE_BYTES)],
];
if (libcUnavailableReason() === undefined)
  arenas.push(['mapped memory', () => mapArena(16 * PAGE_BYTES).arena]);

for (const [name, make] of arenas) {
  test(`node: works on ${name}`, async () => {
    const arena = make();
    const allocator = new SlabAllocator(new PageTable(arena, 64, 1), 64 * 1024, 1, new SlabClasses());
    allocator.setPageLimit(15);
    const handler = new TestHandler();
    const value = allocator.allocate(allocator.classFor(300_000));
    const pattern = randomBytes(200_000);
    arena.u8.set(pattern, value + 64);
    handler.data = (connection, start, end) => {
      connection.copy(start, end - start);
      connection.reference(value + 64, pattern.length, 5);
      return end;
    };
    const transport = new NodeTransport({ arena, allocator, handler, clock: () => performance.now() });
    const socket = await openListener('node', { kind: 'tcp', host: '127.0.0.1', port: 0 });
    await transport.serve(socket);
    const running = transport.run();
    const client = await openClient(socket);
    client.socket.write('hello');
    const reply = await client.take(5 + pattern.length);
    assert.ok(reply.equals(Buffer.concat([Buffer.from('hello'), pattern])));
    client.socket.destroy();
    transport.stop();
    await running;
    assert.deepEqual(handler.released, [5]);
    allocator.release(value);
    assert.equal(allocator.chunksInUse(), 0);
  });
}

test('node: several transports share a port where the system can', async () => {
  const socket = await openListener('node', { kind: 'tcp', host: '127.0.0.1', port: 0 }, { reusePort: true });
  const servers = [await TestTransport.start('node'), await TestTransport.start('node')];
  try {
    for (const server of servers) {
      server.handler.data = (connection, start, end) => {
        connection.copy(start, end - start);
        return end;
      };
      await server.transport.serve(socket);
    }
  } catch (error) {
    assert.notEqual(process.platform, 'linux', String(error));
    return;
  }
  for (let count = 0; count < 20; count++) {
    const client = await openClient(socket);
    client.socket.write('x');
    assert.equal((await client.take(1)).toString(), 'x');
    client.socket.destroy();
  }
  for (const server of servers) await server.stop();
});

test('node: a port that is taken is an error, and the real port is known before serving', async () => {
  const server = await TestTransport.start('node');
  const socket = await server.listen();
  assert.ok(socket.port > 0);
  await assert.rejects(openListener('node', { kind: 'tcp', host: '127.0.0.1', port: socket.port }), {
    code: 'EADDRINUSE',
  });
  await server.stop();
});
