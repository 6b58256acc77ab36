import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { test } from 'node:test';
import { setSocketOption } from '../sys/sockets.ts';
import { availableTransports } from './select.ts';
import { TestTransport } from './testing/harness.ts';

interface DatagramClient {
  readonly socket: Socket;
  readonly received: Buffer[];
}

async function openClient(type: 'udp4' | 'udp6', port: number): Promise<DatagramClient> {
  const socket = createSocket({ type, recvBufferSize: 4 * 1024 ** 2 });
  const received: Buffer[] = [];
  socket.on('message', (message) => received.push(message));
  await new Promise<void>((resolve) => socket.connect(port, type === 'udp4' ? '127.0.0.1' : '::1', resolve));
  return { socket, received };
}

for (const { kind, available, reason } of availableTransports()) {
  if (!available) {
    test(`${kind}: not available here`, { skip: reason ?? true }, () => {});
    continue;
  }

  test(`${kind}: answers many datagrams of several peers, each its own`, async () => {
    const server = await TestTransport.start(kind);
    const { arena } = server.allocator;
    const sources = new Set<number>();
    server.handler.datagram = (replies, source, start, end) => {
      sources.add(source.port);
      assert.equal(source.family, 4);
      assert.deepEqual(
        [...arena.u8.subarray(source.addressOffset, source.addressOffset + 4)],
        [127, 0, 0, 1],
      );
      // Two replies to each: the datagram, and its length.
      const offset = replies.begin(end - start);
      arena.u8.copyWithin(offset, start, end);
      replies.end(end - start);
      const text = String(end - start);
      arena.node.write(text, replies.begin(20), 'latin1');
      replies.end(text.length);
    };
    const socket = await server.listen({ kind: 'udp', host: '127.0.0.1', port: 0 });
    const clients = [await openClient('udp4', socket.port), await openClient('udp4', socket.port)];
    const rounds = 5;
    const each = 40;
    for (let round = 0; round < rounds; round++) {
      for (const [name, client] of clients.entries()) {
        for (let n = 0; n < each; n++) {
          client.socket.send(Buffer.from(`${name}`.repeat(1 + ((n * 37) % 1400))));
        }
      }
      await server.until(
        () => clients.every((client) => client.received.length === (round + 1) * each * 2),
        'the replies',
      );
    }
    for (const [name, client] of clients.entries()) {
      assert.equal(sources.has(client.socket.address().port), true);
      for (let index = 0; index < client.received.length; index += 2) {
        const length = 1 + ((((index / 2) % each) * 37) % 1400);
        assert.equal(client.received[index]!.toString(), `${name}`.repeat(length));
        assert.equal(client.received[index + 1]!.toString(), String(length));
      }
      client.socket.close();
    }
    const { statistics } = server.transport;
    assert.equal(statistics.datagramsReceived, rounds * each * 2);
    assert.equal(statistics.datagramsSent, rounds * each * 4);
    if (kind !== 'node') {
      assert.ok(statistics.systemCalls < statistics.datagramsSent, 'replies leave in batches');
    }
    await server.stop();
    assert.equal(server.allocator.chunksInUse(), 0);
  });

  test(`${kind}: replies with references, each released once when its datagram is through`, async () => {
    const server = await TestTransport.start(kind);
    const { allocator } = server;
    const { arena } = allocator;
    const value = allocator.allocate(allocator.classFor(40_000));
    for (let index = 0; index < 30_000; index++) arena.u8[value + 8 + index] = 97 + (index % 26);
    const expected = arena.node.toString('latin1', value + 8, value + 8 + 30_000);
    let owner = 0;
    server.handler.datagram = (replies, _source, start, end) => {
      const count = arena.u8[start]!;
      const head = replies.begin(4);
      arena.u8.copyWithin(head, start, end);
      for (let part = 0; part < count; part++) replies.reference(value + 8 + part * 100, 100 + part, ++owner);
      if (count > 0) assert.ok(!server.handler.released.includes(owner), 'not within the handler');
      replies.end(end - start);
    };
    const socket = await server.listen({ kind: 'udp', host: '127.0.0.1', port: 0 });
    const client = await openClient('udp4', socket.port);
    const counts = Array.from({ length: 150 }, (_, index) => (index * 7) % 63);
    const bySize = new Map<string, number>();
    for (const count of counts) {
      let text = String.fromCharCode(count);
      for (let part = 0; part < count; part++) text += expected.slice(part * 100, part * 100 + 100 + part);
      bySize.set(text, (bySize.get(text) ?? 0) + 1);
      client.socket.send(Buffer.from([count]));
    }
    await server.until(() => client.received.length === counts.length, 'the replies');
    for (const reply of client.received) {
      const text = reply.toString('latin1');
      const left = bySize.get(text);
      assert.ok(left !== undefined && left > 0, 'a reply that nobody expects');
      bySize.set(text, left - 1);
    }
    await server.until(() => server.handler.released.length === owner, 'the releases');
    assert.equal(new Set(server.handler.released).size, owner);
    allocator.release(value);
    client.socket.close();
    await server.stop();
    assert.equal(server.allocator.chunksInUse(), 0);
  });

  for (const isRefused of kind === 'node' ? [false] : [false, true]) {
    const how = isRefused ? 'one by one where the kernel does not cut' : 'whole';
    test(`${kind}: replies of one length to one peer arrive each for itself, ${how}`, async () => {
      const server = await TestTransport.start(kind);
      const { arena } = server.allocator;
      // The last of a group may be shorter; a longer one begins another; an empty one stands alone.
      const lengths = [
        ...Array.from({ length: 80 }, () => 1000),
        300,
        301,
        301,
        0,
        0,
        301,
        ...[40_000, 40_000],
      ];
      server.handler.datagram = (replies, _source, start) => {
        for (const [index, length] of lengths.entries()) {
          const offset = replies.begin(length);
          arena.u8.fill(arena.u8[start]! + index, offset, offset + length);
          replies.end(length);
        }
      };
      const socket = await server.listen({ kind: 'udp', host: '127.0.0.1', port: 0 });
      // Segments need checksums: without them the kernel refuses to cut.
      if (isRefused) setSocketOption(socket.descriptor, { level: 1, option: 11, name: 'SO_NO_CHECK' }, 1);
      const clients = [await openClient('udp4', socket.port), await openClient('udp4', socket.port)];
      for (const [name, client] of clients.entries()) client.socket.send(Buffer.from([10 * name]));
      await server.until(
        () => clients.every(({ received }) => received.length === lengths.length),
        'the replies',
      );
      for (const [name, { received, socket: client }] of clients.entries()) {
        assert.deepEqual(
          received.map(({ length }) => length),
          lengths,
        );
        assert.ok(
          received.every((reply, index) => reply.every((byte) => byte === ((10 * name + index) & 255))),
        );
        client.close();
      }
      const { statistics } = server.transport;
      assert.equal(statistics.datagramsSent, 2 * lengths.length);
      assert.equal(
        statistics.bytesWritten,
        lengths.reduce((sum, length) => sum + 2 * length, 0),
      );
      assert.equal(statistics.datagramsDropped, 0);
      await server.stop();
    });
  }

  test(`${kind}: serves datagrams over IPv6, up to the longest`, async () => {
    const server = await TestTransport.start(kind);
    const { arena } = server.allocator;
    server.handler.datagram = (replies, source, start, end) => {
      assert.equal(source.family, 6);
      assert.equal(arena.u8[source.addressOffset + 15], 1);
      const offset = replies.begin(end - start);
      arena.u8.copyWithin(offset, start, end);
      replies.end(end - start);
      assert.throws(() => replies.begin(65_508), { code: 'ARGUMENT' });
    };
    const socket = await server.listen({ kind: 'udp', host: '::1', port: 0 });
    const client = await openClient('udp6', socket.port);
    const sent = Buffer.alloc(65_000, 'long');
    client.socket.send(sent);
    await server.until(() => client.received.length === 1, 'the reply');
    assert.ok(client.received[0]!.equals(sent));
    client.socket.close();
    await server.stop();
    assert.equal(server.allocator.chunksInUse(), 0);
  });

  test(`${kind}: a socket that is not served any more gets no datagrams`, async () => {
    const server = await TestTransport.start(kind);
    const socket = await server.listen({ kind: 'udp', host: '127.0.0.1', port: 0 });
    const client = await openClient('udp4', socket.port);
    client.socket.on('error', () => {});
    client.socket.send('one');
    await server.until(() => server.transport.statistics.datagramsReceived === 1, 'the datagram');
    server.transport.unserve(socket);
    await server.rounds(5);
    client.socket.send('two');
    await server.rounds(20);
    assert.equal(server.transport.statistics.datagramsReceived, 1);
    client.socket.close();
    await server.stop();
  });
}
