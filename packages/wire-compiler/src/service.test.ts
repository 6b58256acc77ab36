/** A generated service end to end: its client, a channel over a socket, the server that it is plugged into. */
import { strict as assert } from 'node:assert';
import { createServer } from 'node:net';
import { after, test } from 'node:test';
import type { View } from '@larder/wire';
import { type RpcChannel, RpcError, RpcServer, type RpcService, SocketChannel } from '@larder/wire/rpc';
import { generateFrom } from './generate.ts';
import { folderReader } from './parser/load.ts';
import { GeneratedFolder } from './testing/generated-code.ts';
import { SCHEMA_FOLDER } from './testing/schema-folder.ts';

const folder = new GeneratedFolder(generateFrom(['key-value.proto'], folderReader([SCHEMA_FOLDER])));
after(() => folder.remove());

/** What the generated code has, as far as this test is concerned. */
interface KeyValueModule {
  readonly KeyValueClient: new (
    channel: RpcChannel,
  ) => {
    getMany(
      request: object,
    ): Promise<View & { readonly id: number; readonly vals: { toArray(): Uint8Array[] } }>;
    put(request: object): Promise<View & { readonly id: number }>;
  };
  readonly KeyValue: RpcService<object>;
}

interface Reply {
  id: number;
  vals: Iterable<Uint8Array>;
}

/** A store that fails on some keys. */
class Implementation {
  readonly #values = new Map<string, Uint8Array>();

  getMany(request: { readonly id: number; readonly keys: Iterable<string> }, reply: Reply): void {
    reply.id = request.id;
    reply.vals = [...request.keys].map((key) => this.#values.get(key) ?? new Uint8Array(0));
  }

  async put(
    request: { readonly id: number; readonly key: string; readonly val: Uint8Array },
    reply: Reply,
    context: unknown,
  ): Promise<void> {
    assert.equal(context, 'context');
    const { id, key } = request;
    if (key === 'refused') throw new RpcError('NOT_HERE', 'that key is refused');
    if (key === 'broken') throw new Error('a secret');
    // The request is the channel's only until the method returns.
    const val = request.val.slice();
    await Promise.resolve();
    this.#values.set(key, val);
    reply.id = id;
  }
}

test('calls, many at once, and errors', async () => {
  const module = (await folder.load('key-value.larder.ts')) as unknown as KeyValueModule;
  const rpc = new RpcServer(module.KeyValue, new Implementation(), { context: 'context' });
  const server = createServer((socket) => rpc.accept(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { readonly port: number };
  const channel = await SocketChannel.connect({ host: '127.0.0.1', port });
  const client = new module.KeyValueClient(channel);
  try {
    const puts = await Promise.all(
      Array.from({ length: 100 }, (_, id) =>
        client.put({ id, key: `k${id}`, val: Buffer.alloc(id * 50, id) }),
      ),
    );
    assert.deepEqual(
      puts.map((reply) => reply.id),
      Array.from({ length: 100 }, (_, id) => id),
    );
    const reply = await client.getMany({ id: 7, keys: ['k3', 'none', 'k99'] });
    assert.equal(reply.id, 7);
    assert.deepEqual(
      reply.vals.toArray().map((val) => val.length),
      [150, 0, 4950],
    );
    const codeOf = (call: Promise<unknown>): Promise<string> =>
      call.then(
        () => 'none',
        (error: RpcError) => `${error.code} ${error.message.includes('secret')}`,
      );
    assert.equal(await codeOf(client.put({ key: 'refused' })), 'NOT_HERE false');
    assert.equal(await codeOf(client.put({ key: 'broken' })), 'INTERNAL false');
    const waiting = codeOf(client.put({ key: 'k1', val: 'x' }));
    channel.close();
    assert.match(await waiting, /CLOSED|none/);
    assert.equal(await codeOf(client.put({ key: 'k1' })), 'CLOSED false');
  } finally {
    channel.close();
    server.close();
  }
});
