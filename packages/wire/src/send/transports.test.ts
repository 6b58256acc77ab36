/** Objects over real sockets: datapath transports of every kind, Node's own sockets, and datagrams. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setImmediate as immediate } from 'node:timers/promises';
import {
  Arena,
  availableTransports,
  MIB,
  mapArena,
  PageTable,
  SlabAllocator,
  SlabClasses,
  type TransportKind,
} from '@larder/datapath';
import {
  Encoder,
  forward,
  Memory,
  Reassembler,
  SendMemory,
  StreamReader,
  sendDatagrams,
  sendToDatagram,
  serialize,
  writeToSocket,
} from '../index.ts';
import { place } from '../testing/arena.ts';
import { EchoPeer, HOLDS_MAX, makeEchoServer } from '../testing/echo-peers.ts';
import { GetMReply, GetMReplyView } from '../testing/get-m.larder.ts';

const SOAK_MESSAGES = Number(process.env.LARDER_SOAK_MESSAGES ?? 1_000_000);
const folder = mkdtempSync(join(tmpdir(), 'larder-wire-'));
const missing: string[] = [];
after(() => {
  rmSync(folder, { recursive: true });
  if (missing.length > 0) console.log(`transports not tested (${missing.length}): ${missing.join('; ')}`);
});

function makeAllocator(kind: TransportKind, pages: number): SlabAllocator {
  const bytes = (pages + 1) * MIB;
  const arena = kind === 'node' ? Arena.portable(bytes) : mapArena(bytes).arena;
  const allocator = new SlabAllocator(new PageTable(arena, 64, 1), 64 * 1024, 1, new SlabClasses());
  allocator.setPageLimit(pages);
  return allocator;
}

async function until(condition: () => boolean, peers: readonly EchoPeer[], what: string): Promise<void> {
  const end = performance.now() + 30_000;
  for (let round = 0; !condition(); round++) {
    for (const peer of peers) {
      peer.turn();
      if (peer.failure !== undefined) throw peer.failure;
    }
    if (round % 16 === 0) await immediate();
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
  }
}

for (const { kind, available, reason } of availableTransports()) {
  if (!available) {
    missing.push(`${kind}: ${reason}`);
    test(`${kind}: not available here`, { skip: reason ?? true }, () => {});
    continue;
  }

  test(`${kind}: objects of all sizes come back as they were, and all memory too`, async () => {
    const contents = [0, 1, 100, 511, 512, 3000, 16_384, 70_000, 900_000, 3_000_000].map((bytes) =>
      randomBytes(bytes),
    );
    const shapes = [[], [0], [1, 2, 3], [4], [5, 2, 6], [7, 4], [8, 1], [9, 3, 9], [2, 2, 2, 2, 2]];
    const received: Buffer[][] = [];
    const client = new EchoPeer(makeAllocator(kind, 32), 512, (_connection, message, type, id) => {
      assert.deepEqual([type, id], [5, received.length]);
      const view = new GetMReplyView(message);
      assert.equal(view.id, id + 1000);
      received.push(view.vals.toArray().map((value) => Buffer.from(value)));
    });
    const server = makeEchoServer(makeAllocator(kind, 32), 512);
    await server.start(kind);
    await client.start(kind);
    await server.listen(kind, { kind: 'unix', path: join(folder, `${kind}.sock`) });
    const connection = client.transport.connect({ kind: 'unix', path: join(folder, `${kind}.sock`) });
    for (const [id, shape] of shapes.entries()) {
      client.reply.id = id + 1000;
      for (const index of shape) client.reply.vals.append(contents[index]!);
      connection.sendObject(client.reply, 5, id);
      await until(() => received.length > id, [client, server], `reply ${id}`);
    }
    assert.deepEqual(
      received,
      shapes.map((shape) => shape.map((index) => contents[index]!)),
    );
    assert.ok(server.referencesCompleted > 0);
    connection.end();
    await until(() => server.transport.statistics.connectionsCurrent === 0, [client, server], 'the end');
    await Promise.all([client.stop(), server.stop()]);
    assert.equal(client.allocator.chunksInUse(), 0);
    assert.equal(server.allocator.chunksInUse(), 0);
  });
}

for (const { kind, available } of availableTransports()) {
  if (!available) continue;

  test(`${kind}: large bytes outside of the arena leave ${kind === 'node' ? 'from where they are' : 'as a copy'}`, async () => {
    const received: Uint8Array[] = [];
    const client = new EchoPeer(makeAllocator(kind, 32), 512, (_connection, message) => {
      received.push(new GetMReplyView(message).vals.at(1).slice());
    });
    const server = makeEchoServer(makeAllocator(kind, 32), 512);
    await server.start(kind);
    await client.start(kind);
    const path = join(folder, `${kind}-objects.sock`);
    await server.listen(kind, { kind: 'unix', path });
    const connection = client.transport.connect({ kind: 'unix', path });
    const large = new Uint8Array(300_000).fill(1);
    connection.sendObject(GetMReply.from({ id: 1, vals: ['before', large, 'after'] }), 5, 0);
    // Nobody may do this; it shows whose memory is sent.
    large.fill(2);
    await until(() => received.length === 1, [client, server], 'the echo');
    assert.deepEqual(received[0], new Uint8Array(300_000).fill(kind === 'node' ? 2 : 1));
    connection.end();
    await until(() => server.transport.statistics.connectionsCurrent === 0, [client, server], 'the end');
    await Promise.all([client.stop(), server.stop()]);
    assert.equal(client.allocator.chunksInUse(), 0);
  });
}

for (const { kind, available } of availableTransports()) {
  if (!available) continue;
  test(`${kind}: views that a slow consumer keeps stay as they are, in a bounded number of receive buffers`, async () => {
    const kept: { view: GetMReplyView; id: number }[] = [];
    const server = new EchoPeer(makeAllocator(kind, 32), 512, (_connection, message, _type, id) => {
      kept.push({ view: new GetMReplyView(message).retain(), id });
    });
    const client = new EchoPeer(makeAllocator(kind, 32), 512, () => {});
    await server.start(kind);
    await client.start(kind);
    const path = join(folder, `kept-${kind}.sock`);
    await server.listen(kind, { kind: 'unix', path });
    const connection = client.transport.connect({ kind: 'unix', path });
    const contents = Array.from({ length: 500 }, (_, id) => randomBytes(1 + ((id * 997) % 9000)));
    for (const [id, content] of contents.entries()) {
      client.reply.id = id;
      client.reply.vals.append(content);
      connection.sendObject(client.reply, 1, id);
      // Now and then the server takes what is there, so that it comes in many buffers.
      if (id % 7 === 0) await until(() => kept.length > id / 2, [client, server], 'some');
    }
    await until(() => kept.length === contents.length, [client, server], 'all messages');
    assert.ok(server.holds.buffers <= HOLDS_MAX);
    assert.ok(server.holds.copiedOut > 0, 'beyond the limit messages moved to copies');
    assert.equal(kept.length, contents.length);
    for (const { view, id } of kept) {
      assert.equal(view.id, id);
      assert.deepEqual(Buffer.from(view.vals.at(0)), contents[id]);
      view.release();
    }
    assert.equal(server.holds.buffers, 0);
    connection.end();
    await until(() => server.transport.statistics.connectionsCurrent === 0, [client, server], 'the end');
    await Promise.all([client.stop(), server.stop()]);
    assert.equal(client.allocator.chunksInUse() + server.allocator.chunksInUse(), 0);
  });
}

/** Echoes `count` messages with a referenced value each, many at once; returns the process's growth in bytes. */
async function soak(kind: TransportKind, count: number): Promise<{ grown: number; seconds: number }> {
  const inFlight = 128;
  const valueBytes = 600;
  let received = 0;
  const client = new EchoPeer(makeAllocator(kind, 48), 512, (_connection, message, _type, id) => {
    const view = new GetMReplyView(message);
    if (view.id !== id || view.vals.length !== 2) throw new Error(`message ${id} came back as another`);
    const range = view.vals.locate(0);
    if (client.arena.view.getUint32(range.offset, true) !== id % 16 || range.bytes !== valueBytes) {
      throw new Error(`the value of message ${id} came back changed`);
    }
    received++;
  });
  const server = makeEchoServer(makeAllocator(kind, 48), 512);
  await server.start(kind);
  await client.start(kind);
  const path = join(folder, `soak-${kind}.sock`);
  await server.listen(kind, { kind: 'unix', path });
  const connection = client.transport.connect({ kind: 'unix', path });
  const values = Array.from({ length: 16 }, (_, index) => {
    const value = new Uint8Array(valueBytes);
    new DataView(value.buffer).setUint32(0, index, true);
    return place(client.allocator, value);
  });
  let sent = 0;
  const send = (): void => {
    for (; sent < count && sent - received < inFlight; sent++) {
      client.reply.id = sent;
      client.reply.vals.appendAt(values[sent % 16]!.offset, valueBytes);
      client.reply.vals.append('small');
      connection.sendObject(client.reply, 1, sent);
    }
  };
  const started = performance.now();
  const memory = (): number => {
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const peers = [client, server];
  const reach = (target: number): Promise<void> =>
    until(
      () => {
        send();
        return received >= target;
      },
      peers,
      `message ${target}`,
    );
  await reach(Math.floor(count / 4));
  const before = memory();
  const chunksBefore = client.allocator.chunksInUse() + server.allocator.chunksInUse();
  await reach(count);
  const grown = memory() - before;
  await until(() => client.referencesCompleted === count, peers, 'the last completion');
  const chunks = client.allocator.chunksInUse() + server.allocator.chunksInUse();
  assert.ok(chunks <= chunksBefore + 256, `${chunksBefore} chunks in use, then ${chunks}`);
  for (const { owner } of values) {
    assert.equal(client.allocator.references(owner), 1, 'only the test holds the value');
    client.allocator.release(owner);
  }
  connection.end();
  await until(() => server.transport.statistics.connectionsCurrent === 0, peers, 'the end');
  await Promise.all([client.stop(), server.stop()]);
  assert.equal(server.referencesCompleted, count);
  assert.equal(
    client.allocator.chunksInUse() + server.allocator.chunksInUse(),
    0,
    'all references are back to zero',
  );
  return { grown, seconds: (performance.now() - started) / 1000 };
}

test(`${SOAK_MESSAGES} messages with referenced buffers through an echo leave nothing behind`, async (context) => {
  const { kind } = availableTransports().find(({ available }) => available)!;
  const { grown, seconds } = await soak(kind, SOAK_MESSAGES);
  context.diagnostic(`${kind}: ${seconds.toFixed(1)} s, ${(grown / 1024).toFixed(0)} KiB grown`);
  assert.ok(grown < 16 * MIB, `${grown} bytes grown`);
});

test('Node sockets: a list in one writev, and views in the chunks that arrive', async () => {
  const server = createServer((socket: Socket) => {
    const reader = new StreamReader((message, type, id) => {
      const view = new GetMReplyView(message);
      // The first is answered by a list, the others are forwarded unread inside a new frame's message.
      const reply = GetMReply.from({ id: view.id, vals: view.vals });
      if (id === 0) writeToSocket(socket, serialize(reply, { type, id }));
      else {
        const bytes = forward(view);
        const header = Buffer.alloc(16);
        header.writeUInt32LE(bytes.length);
        header.writeUInt32LE(type, 4);
        header.writeUInt32LE(id, 8);
        socket.write(header);
        socket.write(bytes);
      }
      return undefined;
    });
    socket.on('data', (chunk: Buffer) => reader.push(chunk));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const contents = [10, 600, 100_000, 2_000_000].map((bytes) => randomBytes(bytes));
  const received: Buffer[][] = [];
  let finish = (): void => {};
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const reader = new StreamReader((message, _type, id) => {
    assert.equal(id, received.length);
    received.push(new GetMReplyView(message).vals.toArray().map((value) => Buffer.from(value)));
    if (received.length === 3) finish();
    return undefined;
  });
  socket.on('data', (chunk: Buffer) => reader.push(chunk));
  let written = 0;
  for (let id = 0; id < 3; id++) {
    writeToSocket(
      socket,
      serialize(GetMReply.from({ id, vals: contents }), { type: 9, id }),
      () => written++,
    );
  }
  await done;
  assert.deepEqual(received, [contents, contents, contents]);
  assert.equal(written, 3);
  socket.destroy();
  server.close();
});

test('datagrams: one for what fits, fragments for what does not, put together on the other side', async () => {
  const allocator = makeAllocator('node', 8);
  const memory = new SendMemory(allocator);
  const reply = new GetMReply(new Encoder(memory));
  const server = createSocket('udp4');
  const client = createSocket('udp4');
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  client.bind(0, '127.0.0.1');
  await once(client, 'listening');
  const contents = [10, 600, 20_000].map((bytes) => randomBytes(bytes));
  /** Collects what datapath's DatagramReplies would send. */
  const datagrams: Buffer[] = [];
  const scratch = allocator.allocate(allocator.classFor(70_000)) + 64;
  let references: { offset: number; bytes: number; owner: number }[] = [];
  const replies = {
    begin: (): number => scratch,
    reference: (offset: number, bytes: number, owner: number): void => {
      references.push({ offset, bytes, owner });
    },
    end: (bytes: number): void => {
      const { node } = allocator.arena;
      const parts = references.map((each) => node.subarray(each.offset, each.offset + each.bytes));
      datagrams.push(Buffer.concat([node.subarray(scratch, scratch + bytes), ...parts]));
      for (const { owner } of references) memory.complete(owner);
      references = [];
    },
  };
  const clock = (): number => 0;
  const atServer = new Reassembler<string>(
    (message, type, id, source) => {
      const view = new GetMReplyView(message);
      reply.id = view.id;
      for (const value of view.vals) reply.vals.append(value);
      sendDatagrams(replies, reply, type, id);
      for (const datagram of datagrams.splice(0)) server.send(datagram, Number(source), '127.0.0.1');
    },
    { clock },
  );
  server.on('message', (datagram, { port }) => {
    const start = datagram.byteOffset;
    atServer.push(Memory.of(datagram), start, start + datagram.length, String(port));
  });
  const received: Buffer[][] = [];
  let arrived = (): void => {};
  const atClient = new Reassembler<string>(
    (message, type, id) => {
      assert.deepEqual([type, id], [3, received.length]);
      received.push(new GetMReplyView(message).vals.toArray().map((value) => Buffer.from(value)));
      arrived();
    },
    { clock },
  );
  client.on('message', (datagram) => {
    atClient.push(Memory.of(datagram), datagram.byteOffset, datagram.byteOffset + datagram.length, 'server');
  });
  const shapes = [[0], [0, 1], [2], [1, 2, 0], []];
  for (const [id, shape] of shapes.entries()) {
    const next = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const list = serialize(GetMReply.from({ id, vals: shape.map((index) => contents[index]!) }));
    sendToDatagram(client, list, { port: server.address().port, host: '127.0.0.1', type: 3, id });
    await next;
  }
  assert.deepEqual(
    received,
    shapes.map((shape) => shape.map((index) => contents[index]!)),
  );
  server.close();
  client.close();
  reply.$encoder.dispose();
  allocator.release(scratch - 64);
  assert.equal(allocator.chunksInUse(), 0);
});
