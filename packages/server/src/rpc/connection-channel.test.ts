/** The typed client over a datapath connection: what benchmarks and services on datapath transports use. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { setImmediate as immediate } from 'node:timers/promises';
import {
  Arena,
  availableTransports,
  type Connection,
  createTransport,
  loadTransport,
  mapArena,
  PAGE_BYTES,
  PageTable,
  pageAligned,
  SlabAllocator,
  SlabClasses,
  type TransportHandler,
  type TransportKind,
} from '@larder/datapath';
import { KeyValueClient, Status } from '@larder/protocol/rpc';
import { Encoder, ReceiveHolds, SendMemory } from '@larder/wire';
import { ConnectionChannel, RpcError } from '@larder/wire/rpc';
import { startServer } from '../start-server.ts';

const MEMORY_BYTES: number = 32 << 20;

function makeAllocator(kind: TransportKind): SlabAllocator {
  const bytes = pageAligned(MEMORY_BYTES) + PAGE_BYTES;
  const arena = kind === 'node' ? Arena.portable(bytes) : mapArena(bytes).arena;
  const allocator = new SlabAllocator(new PageTable(arena, 64, 1), 64 * 1024, 1, new SlabClasses());
  allocator.setPageLimit(MEMORY_BYTES / PAGE_BYTES);
  return allocator;
}

for (const { kind, available, reason } of availableTransports()) {
  test(`calls over a ${kind} connection`, {
    skip: available ? false : (reason ?? 'not available'),
  }, async () => {
    const server = await startServer({
      transport: kind,
      port: 0,
      adminPort: 'off',
      threads: 1,
      rpcPort: 0,
      memoryBytes: 64 << 20,
    });
    const port = server.addresses.find((address) => address.kind === 'rpc')?.port ?? 0;
    const allocator = makeAllocator(kind);
    const memory = new SendMemory(allocator);
    const encoder = new Encoder(memory);
    let opened: (channel: ConnectionChannel) => void = () => {};
    const open = new Promise<ConnectionChannel>((resolve) => {
      opened = resolve;
    });
    const handler: TransportHandler<ConnectionChannel> = {
      onConnect(connection: Connection<ConnectionChannel>): void {
        connection.session = new ConnectionChannel(connection, encoder, {
          holds: new ReceiveHolds(allocator),
        });
        opened(connection.session);
      },
      onData: (connection, start, end) => connection.session.onData(start, end),
      onClose: (connection) => connection.session.onClose(),
      onRelease: (owner) => memory.complete(owner),
    };
    const options = { arena: allocator.arena, allocator, handler, clock: () => performance.now() };
    const loop = kind === 'node' ? undefined : (await loadTransport<ConnectionChannel>(kind))(options);
    const transport = loop ?? (await createTransport<ConnectionChannel>(kind, options));
    transport.connect({ kind: 'tcp', host: '127.0.0.1', port });
    const ended =
      loop === undefined
        ? transport.run()
        : (async () => {
            while (loop.turn(5)) await immediate();
          })();
    const client = new KeyValueClient(await open);
    // A value that lies in the arena is sent from there.
    const chunk = allocator.allocate(allocator.classFor(20_100));
    const val = allocator.arena.u8.subarray(chunk + 64, chunk + 64 + 20_000).fill(7);
    assert.equal((await client.put({ key: 'long', val })).status, Status.STATUS_OK);
    const replies = await Promise.all(Array.from({ length: 50 }, () => client.get({ key: 'long' })));
    for (const reply of replies) {
      assert.ok(Buffer.from(val).equals(reply.val));
      reply.release();
    }
    assert.equal((await client.get({ key: 'none' })).status, Status.STATUS_NOT_FOUND);
    assert.equal(allocator.references(chunk), 1, 'only this test refers to it');
    const waiting = assert.rejects(client.get({ key: 'long' }), RpcError);
    transport.stop(0);
    await ended;
    await waiting;
    await server.stop();
  });
}
