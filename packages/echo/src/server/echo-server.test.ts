/** The echo server on every transport and with every serializer: what it answers, refuses, and gives back. */
import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import { availableTransports } from '@larder/datapath';
import { type EchoTree, isSameTree } from '../echo-tree.ts';
import { loadSerializer } from '../serializers/registry.ts';
import type { EchoSerializer } from '../serializers/serializer.ts';
import { SERIALIZERS } from '../serializers/serializer-list.ts';
import { askDatagrams, askStream, sendRaw } from '../testing/echo-client.ts';
import { Mutator } from '../testing/mutations.ts';
import { type RunningEchoServer, startEchoServer } from './echo-server.ts';

const HOSTILE_CONNECTIONS = 12;
const HOSTILE_DATAGRAMS = 60;
const WAIT_MS = 10_000;

function tree(levels: number, bytes: number): EchoTree {
  const val = Buffer.alloc(bytes, `${levels}`);
  return levels === 0 ? { val } : { val, left: tree(levels - 1, bytes), right: tree(levels - 1, bytes) };
}

/** The papers' messages (hotos21 2.1, sosp23 2.2), lists, trees. */
const TREES: readonly EchoTree[] = [
  {},
  { val: Buffer.from('short') },
  { val: Buffer.alloc(1024, 'one') },
  { vals: [Buffer.alloc(2048, 'a'), Buffer.alloc(2048, 'b')] },
  { vals: Array.from({ length: 64 }, (_, index) => Buffer.alloc(index * 20, `${index}`)) },
  { val: Buffer.alloc(9000, 'x'), vals: [Buffer.alloc(12_000, 'y'), Buffer.from('z')] },
  ...[1, 3, 5].map((levels) => tree(levels, 64)),
  tree(2, 3000),
];
const LONG: EchoTree = { val: Buffer.alloc(2_000_000, 'long') };

/** For what the server does a moment later. */
async function eventually(isSo: () => boolean): Promise<void> {
  for (const deadline = performance.now() + WAIT_MS; !isSo(); ) {
    assert.ok(performance.now() < deadline, `not within ${WAIT_MS} ms: ${isSo}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

function assertEchoes(
  serializer: EchoSerializer,
  messages: readonly Uint8Array[],
  answers: readonly Uint8Array[],
): void {
  assert.equal(answers.length, messages.length);
  for (const [index, message] of messages.entries()) {
    const [sent, received] = [serializer.decode(message), serializer.decode(answers[index]!)];
    assert.ok(isSameTree(sent, received), `${serializer.name}, message ${index}`);
  }
}

async function withServer(
  name: string,
  transport: string | undefined,
  use: (server: RunningEchoServer, serializer: EchoSerializer) => Promise<void>,
): Promise<void> {
  const server = await startEchoServer({ transport, serializer: name });
  try {
    await use(server, await loadSerializer(name));
  } finally {
    await server.stop();
  }
}

for (const { kind, available, reason } of availableTransports()) {
  describe(`echo on ${kind}`, { skip: available ? false : (reason ?? 'not available') }, () => {
    for (const { name } of SERIALIZERS) {
      test(`${name}: messages come back over TCP and UDP, and no reference is left`, async () => {
        await withServer(name, kind, async (server, serializer) => {
          assert.deepEqual([server.codec, server.transport], [name, kind]);
          const messages = TREES.map((each) => serializer.encode(each));
          const long = [...messages, serializer.encode(LONG)];
          assertEchoes(serializer, long, await askStream(server.port, long));
          const before = server.chunksUsed;
          assertEchoes(serializer, messages, await askDatagrams(server.port, messages));
          const many = Array.from({ length: 200 }, () => messages[5]!);
          assertEchoes(serializer, many, await askStream(server.port, many));
          assert.equal(server.echoed, long.length + messages.length + many.length);
          assert.equal(server.refused, 0);
          // What was sent is given back a moment later.
          await eventually(() => server.chunksUsed <= before + 4);
        });
      });
    }
  });
}

for (const { name } of SERIALIZERS) {
  test(`${name}: what is no message closes its connection or is dropped, and is counted`, async () => {
    await withServer(name, undefined, async (server, serializer) => {
      // Short, so that the system drops none of its datagrams.
      const good = serializer.encode(TREES[6]!);
      const mutator = new Mutator(31);
      const hostile = (count: number): Uint8Array[] =>
        Array.from({ length: count }, () => mutator.mutate(good));
      const connections = hostile(HOSTILE_CONNECTIONS);
      // The second message is not answered if the first was refused.
      const answered = await Promise.all(connections.map((each) => askStream(server.port, [each, good])));
      const closed = answered.filter((answers) => answers.length < 2).length;
      assert.equal(server.refused, closed);
      assert.equal(server.echoed, answered.flat().length);
      const datagrams = [...hostile(HOSTILE_DATAGRAMS), good];
      const answers = await askDatagrams(server.port, datagrams);
      const dropped = datagrams.filter((_, index) => answers[index] === undefined).length;
      await sendRaw(server.port, Buffer.from('not even a header'.slice(0, 9)));
      await eventually(() => server.refused === closed + dropped + 1);
      if (name !== 'none') assert.ok(closed > 0 && dropped > 0, `${closed} closed, ${dropped} dropped`);
      assertEchoes(serializer, [good], await askStream(server.port, [good]));
    });
  });
}

test('a frame longer than a peer may have closes the connection', async () => {
  await withServer('json', undefined, async (server) => {
    const answers = await askStream(server.port, [Buffer.alloc(5_000_000, ' ')]);
    assert.deepEqual([answers.length, server.refused], [0, 1]);
  });
});

test('a codec of one’s own, and errors that say what is wrong', async () => {
  const server = await startEchoServer({
    codec: () => ({
      name: 'upper',
      messageBytesMax: 100,
      echo: (message, output) =>
        output.sendBytes(Buffer.from(Buffer.from(message.toUint8Array()).toString().toUpperCase())),
      release: () => {},
    }),
  });
  try {
    assert.equal(server.codec, 'upper');
    const [answer] = await askStream(server.port, [Buffer.from('hello')]);
    assert.equal(Buffer.from(answer!).toString(), 'HELLO');
    await assert.rejects(startEchoServer({ port: server.port }), { name: 'EchoError', code: 'EADDRINUSE' });
  } finally {
    await server.stop();
  }
  await assert.rejects(startEchoServer({ serializer: 'xml' }), { name: 'EchoError', code: 'OPTION' });
});
