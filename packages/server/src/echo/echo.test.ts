/** The echo server on every transport: what it answers, and that nothing of what it refers to is kept. */
import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import { availableTransports } from '@larder/datapath';
import { encode, type View, type WireObject } from '@larder/wire';
import { DatagramChannel, type RpcChannel, SocketChannel } from '@larder/wire/rpc';
import { eventually } from '../testing/talk.ts';
import { Echo, type EchoInit, EchoView } from './echo.larder.ts';
import { startEchoServer } from './echo-server.ts';

const ECHO_TYPE = 1;

function contentOf(view: EchoView): unknown {
  return {
    val: Buffer.from(view.val).toString('latin1'),
    vals: view.vals.toArray().map((each) => Buffer.from(each).toString('latin1')),
    left: view.left === undefined ? undefined : contentOf(view.left),
    right: view.right === undefined ? undefined : contentOf(view.right),
  };
}

function tree(depth: number, bytes: number): EchoInit {
  const val = Buffer.alloc(bytes, `${depth}`);
  return depth === 0 ? { val } : { val, left: tree(depth - 1, bytes), right: tree(depth - 1, bytes) };
}

async function echoed(channel: RpcChannel, init: EchoInit): Promise<unknown> {
  const send = (object: WireObject): Promise<View> => channel.call(ECHO_TYPE, object, EchoView);
  return contentOf((await send(Echo.from(init))) as EchoView);
}

const MESSAGES: readonly EchoInit[] = [
  {},
  { val: 'short' },
  { val: Buffer.alloc(1024, 'one') },
  { vals: [Buffer.alloc(2048, 'a'), Buffer.alloc(2048, 'b')] },
  { vals: Array.from({ length: 64 }, (_, index) => Buffer.alloc(index * 20, `${index}`)) },
  ...[1, 2, 3, 4, 5].map((depth) => tree(depth, 64)),
  tree(2, 3000),
];

for (const { kind, available, reason } of availableTransports()) {
  describe(`echo on ${kind}`, { skip: available ? false : (reason ?? 'not available') }, () => {
    test('messages come back as they were, over TCP and UDP, and no reference is left', async () => {
      const server = await startEchoServer({ transport: kind });
      const stream = await SocketChannel.connect({ host: '127.0.0.1', port: server.port });
      const datagrams = new DatagramChannel({ host: '127.0.0.1', port: server.port, timeoutMs: 5000 });
      try {
        for (const init of MESSAGES) {
          const expected = contentOf(EchoView.read(encodeOnce(init)));
          assert.deepEqual(await echoed(stream, init), expected);
          assert.deepEqual(await echoed(datagrams, init), expected);
        }
        const long = { val: Buffer.alloc(2_000_000, 'long') };
        assert.deepEqual(await echoed(stream, long), contentOf(EchoView.read(encodeOnce(long))));
        const before = server.chunksUsed;
        for (let round = 0; round < 20; round++)
          await Promise.all(Array.from({ length: 100 }, () => echoed(stream, MESSAGES[3]!)));
        // What is in flight is given back a moment later.
        await eventually(() => (server.chunksUsed <= before + 4 ? true : undefined));
      } finally {
        stream.close();
        datagrams.close();
        await server.stop();
      }
    });
  });
}

function encodeOnce(init: EchoInit): Uint8Array {
  return encode(Echo.from(init));
}
