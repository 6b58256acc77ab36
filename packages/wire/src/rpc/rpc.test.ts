/** Channels and the server, against peers that do not behave: bad replies, strangers, clients that do not read. */
import assert from 'node:assert/strict';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { encode, putFrameHeader, StreamReader, sendToDatagram, serialize, writeToSocket } from '../index.ts';
import { DatagramChannel, Failure, FailureView, RpcServer, type RpcService, SocketChannel } from '../rpc.ts';
import { GetMReply, GetMReplyView } from '../testing/get-m.larder.ts';

const TYPE = 7;
const UNREADABLE = encode(Failure.from({ code: new Uint8Array([0xff, 0xfe]), text: 'x' }));

function frame(message: Uint8Array, type: number, id: number): Buffer {
  const bytes = Buffer.alloc(16 + message.length);
  putFrameHeader(new DataView(bytes.buffer, bytes.byteOffset), 0, message.length, type, id);
  bytes.set(message, 16);
  return bytes;
}

function datagram(message: Uint8Array, type: number, id: number): Buffer {
  const bytes = Buffer.alloc(16 + message.length);
  bytes.writeUInt32LE(id, 0);
  bytes.writeUInt32LE(type, 4);
  bytes.writeUInt32LE(message.length, 8);
  bytes.writeUInt16LE(1, 14);
  bytes.set(message, 16);
  return bytes;
}

/** A TCP server for one test, and a way to it. */
async function withServer(
  accept: (socket: Socket) => void,
  use: (address: { readonly host: string; readonly port: number }) => Promise<void>,
): Promise<void> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    accept(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await use({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

async function boundSocket(): Promise<UdpSocket> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

test('a failure or a reply that cannot be read rejects its call, and only that', async () => {
  await withServer(
    (socket) => {
      const reader = new StreamReader((message, type, id) => {
        const wanted = new GetMReplyView(message).id;
        if (wanted === 1) socket.write(frame(UNREADABLE, 0, id));
        else if (wanted === 2) socket.write(frame(new Uint8Array(3), type, id));
        else socket.write(frame(encode(GetMReply.from({ id: wanted })), type, id));
        return true;
      });
      socket.on('data', (chunk) => reader.push(chunk));
    },
    async (address) => {
      const channel = await SocketChannel.connect(address);
      const call = (id: number): Promise<GetMReplyView> =>
        channel.call(TYPE, GetMReply.from({ id }), GetMReplyView);
      await assert.rejects(call(1), { name: 'RpcError', code: 'BAD_REPLY' });
      await assert.rejects(call(2), { name: 'RpcError', code: 'BAD_REPLY' });
      assert.equal((await call(3)).id, 3);
      assert.equal(channel.pending, 0);
      channel.close();
    },
  );
});

test('over UDP: an unreadable failure rejects its call, and strangers are not listened to', async () => {
  const server = await boundSocket();
  const stranger = await boundSocket();
  const channel = new DatagramChannel({ host: '127.0.0.1', port: server.address().port, timeoutMs: 20_000 });
  try {
    server.once('message', (request, from) => {
      server.send(datagram(UNREADABLE, 0, request.readUInt32LE(0)), from.port, from.address);
    });
    await assert.rejects(channel.call(TYPE, GetMReply.from({}), GetMReplyView), { code: 'BAD_REPLY' });
    server.once('message', (request, from) => {
      const answer = (id: number): Buffer =>
        datagram(encode(GetMReply.from({ id })), TYPE, request.readUInt32LE(0));
      stranger.send(answer(666), from.port, from.address, () => {
        server.send(answer(1), from.port, from.address);
      });
    });
    assert.equal((await channel.call(TYPE, GetMReply.from({}), GetMReplyView)).id, 1);
  } finally {
    channel.close();
    server.close();
    stranger.close();
  }
});

test('over UDP: nobody there fails the call before its time-out, and the next one is sent', async () => {
  const gone = await boundSocket();
  const { port } = gone.address();
  gone.close();
  await once(gone, 'close');
  const channel = new DatagramChannel({ host: '127.0.0.1', port, timeoutMs: 600_000 });
  try {
    for (let time = 0; time < 2; time++)
      await assert.rejects(channel.call(TYPE, GetMReply.from({}), GetMReplyView), { code: 'CLOSED' });
  } finally {
    channel.close();
  }
});

test('over UDP: a server that cannot be reached at all fails every call', async () => {
  // To broadcast an ordinary socket has no permission.
  const channel = new DatagramChannel({ host: '255.255.255.255', port: 9, timeoutMs: 600_000 });
  try {
    const call = (): Promise<unknown> => channel.call(TYPE, GetMReply.from({}), GetMReplyView);
    await assert.rejects(call(), { code: 'CLOSED' });
    await assert.rejects(call(), { code: 'CLOSED' });
  } finally {
    channel.close();
  }
});

test('over UDP: a megabyte arrives whole, also within one process', async () => {
  const server = await boundSocket();
  let arrived = 0;
  const whole = new Promise<void>((resolve) => {
    server.on('message', () => {
      arrived++;
      if (arrived === 714) resolve();
    });
  });
  const client = createSocket('udp4');
  try {
    const list = serialize(GetMReply.from({ vals: [new Uint8Array(714 * 1456 - 24)] }));
    assert.equal(list.bytes, 714 * 1456);
    const done = new Promise<Error | null>((resolve) => {
      sendToDatagram(client, list, { host: '127.0.0.1', port: server.address().port }, { done: resolve });
    });
    assert.equal(await done, null);
    await whole;
  } finally {
    client.close();
    server.close();
  }
});

test('over UDP: a socket that is closed between two bursts is an error that is told', async () => {
  const client = await boundSocket();
  const list = serialize(GetMReply.from({ vals: [new Uint8Array(1_000_000)] }));
  const done = new Promise<Error | null>((resolve) => {
    sendToDatagram(client, list, { host: '127.0.0.1', port: 9 }, { done: resolve });
  });
  client.close();
  assert.match(String(await done), /Not running/);
});

interface Getter {
  get(id: number): Promise<void> | undefined;
}

/** A service of one method: the reply has the request's id, and as many bytes as its first value. */
const SERVICE: RpcService<Getter> = {
  typeName: 'larder.testing.Getter',
  methods: [
    {
      name: 'Get',
      type: TYPE,
      serve: (server, request, encoder) => {
        const { id, vals } = new GetMReplyView(request);
        const reply = GetMReply.from({ id, vals: [vals.at(0)] }, encoder);
        const done = server.get(id);
        return done === undefined ? reply : done.then(() => reply);
      },
    },
  ],
};

/** Sends requests without reading; then waits until the server takes no more, and then reads all replies. */
async function floodAndRead(
  rpc: RpcServer<Getter>,
  count: number,
  valueBytes: number,
  whenFull: (socket: Socket) => void,
): Promise<number[]> {
  const ids: number[] = [];
  let accepted: Socket | undefined;
  await withServer(
    (socket) => {
      accepted = socket;
      rpc.accept(socket);
    },
    async (address) => {
      const client = connect(address).pause();
      client.on('error', () => {});
      await once(client, 'connect');
      for (let id = 0; id < count; id++) {
        const request = GetMReply.from({ id, vals: [new Uint8Array(valueBytes)] });
        writeToSocket(client, serialize(request, { type: TYPE, id }));
      }
      while (accepted?.isPaused() !== true) await turn();
      for (let turns = 0; turns < 100; turns++) await turn();
      whenFull(accepted);
      const reader = new StreamReader((message, _type, id) => {
        assert.equal(new GetMReplyView(message).id, id);
        ids.push(id);
        return true;
      });
      client.on('data', (chunk) => reader.push(chunk)).resume();
      while (ids.length < count) await turn();
      client.destroy();
    },
  );
  return ids;
}

test('a client that asks and does not read is not answered into memory', async () => {
  let served = 0;
  const rpc = new RpcServer<Getter>(SERVICE, {
    get() {
      served++;
      return undefined;
    },
  });
  const ids = await floodAndRead(rpc, 4000, 20_000, (socket) => {
    assert.ok(socket.writableLength < 1_000_000, `${socket.writableLength} bytes wait`);
    assert.ok(served < 2000, `${served} requests were served`);
  });
  assert.deepEqual(
    ids,
    Array.from({ length: 4000 }, (_, id) => id),
  );
});

test('methods that have not returned have a limit, and all are answered', async () => {
  const waiting: (() => void)[] = [];
  let isFull = false;
  const rpc = new RpcServer<Getter>(
    SERVICE,
    { get: () => (isFull ? undefined : new Promise((resolve) => waiting.push(resolve))) },
    { requestsMax: 10 },
  );
  const ids = await floodAndRead(rpc, 500, 10, () => {
    assert.equal(waiting.length, 10);
    isFull = true;
    for (const resolve of waiting) resolve();
  });
  assert.equal(new Set(ids).size, 500);
});

test('a request that is too long is refused in words that the client gets', async () => {
  const rpc = new RpcServer<Getter>(SERVICE, { get: () => undefined }, { messageBytesMax: 1000 });
  await withServer(
    (socket) => rpc.accept(socket),
    async (address) => {
      const channel = await SocketChannel.connect(address);
      const long = GetMReply.from({ vals: [new Uint8Array(5_000_000)] });
      await assert.rejects(channel.call(TYPE, long, GetMReplyView), {
        code: 'BAD_MESSAGE',
        message: /TOO_LARGE: a frame of 5000024 bytes; the limit is 1000/,
      });
      await assert.rejects(channel.call(99, GetMReply.from({}), FailureView), { code: 'BAD_MESSAGE' });
      channel.close();
    },
  );
});
