/** What only the Linux transports do: handing descriptors over, zero-copy sends, running short. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { Arena } from '../memory/arena.ts';
import { IoUring, ioUringUnavailableReason } from '../sys/io-uring.ts';
import { availableTransports, createTransport } from './select.ts';
import { type OpenedClient, openClient } from './testing/client.ts';
import { makeMemory, TestHandler, TestTransport } from './testing/harness.ts';

const kinds = availableTransports().filter(({ kind, available }) => kind !== 'node' && available);
const noUring = ioUringUnavailableReason();
const uringOptions = noUring === undefined ? {} : { skip: noUring };

for (const { kind } of kinds) {
  test(`${kind}: hands accepted connections to another transport`, async () => {
    const second = await TestTransport.start(kind);
    const handedOver: number[] = [];
    const first = await TestTransport.start(kind, {
      acceptTo: (descriptor) => {
        if (handedOver.length === 2) return false;
        handedOver.push(descriptor);
        second.transport.adopt(descriptor);
        return true;
      },
    });
    for (const server of [first, second]) {
      server.handler.data = (connection, start, end) => {
        connection.writeLatin1(server === first ? '1' : '2');
        connection.copy(start, end - start);
        return end;
      };
    }
    const socket = await first.listen();
    let answers = '';
    for (let count = 0; count < 3; count++) {
      const client = await openClient(socket);
      client.socket.write('x');
      answers += (await client.take(2)).toString();
      client.socket.destroy();
    }
    assert.equal(answers, '2x2x1x');
    assert.equal(second.handler.opened[0]!.kind, 'tcp');
    await first.stop();
    await second.stop();
    assert.equal(second.allocator.chunksInUse(), 0);
  });

  test(`${kind}: stops accepting on a socket and goes on with its connections`, async () => {
    const server = await TestTransport.start(kind);
    server.handler.data = (connection, start, end) => {
      connection.copy(start, end - start);
      return end;
    };
    const socket = await server.listen();
    const client = await openClient(socket);
    client.socket.write('a');
    await client.take(1);
    server.transport.unserve(socket);
    await server.rounds(10);
    const late = await openClient(socket);
    late.socket.write('b');
    client.socket.write('c');
    assert.equal((await client.take(1)).toString(), 'c');
    await server.rounds(20);
    assert.equal(late.received, 0);
    await server.transport.serve(socket);
    assert.equal((await late.take(1)).toString(), 'b');
    client.socket.destroy();
    late.socket.destroy();
    await server.stop();
  });

  test(`${kind}: many connections at once, each with its own answer`, async () => {
    const server = await TestTransport.start(kind, { limits: { receiveBuffers: 2 } });
    server.handler.data = (connection, start, end) => {
      connection.copy(start, end - start);
      return end;
    };
    const socket = await server.listen();
    const clients: OpenedClient[] = [];
    for (let count = 0; count < 200; count++) clients.push(await openClient(socket));
    for (let round = 0; round < 5; round++) {
      for (const [index, client] of clients.entries()) client.socket.write(`${round}:${index};`.repeat(50));
      for (const [index, client] of clients.entries()) {
        const expected = `${round}:${index};`.repeat(50);
        assert.equal((await client.take(expected.length)).toString(), expected);
      }
    }
    for (const client of clients) client.socket.destroy();
    await server.stop();
    assert.equal(server.allocator.chunksInUse(), 0);
  });

  test(`${kind}: needs a mapped arena`, async () => {
    const before = readdirSync('/proc/self/fd').length;
    const allocator = makeMemory('node');
    assert.ok(allocator.arena instanceof Arena);
    await assert.rejects(
      createTransport(kind, {
        arena: allocator.arena,
        allocator,
        handler: new TestHandler(),
        clock: () => 0,
      }),
      { code: 'ARGUMENT' },
    );
    assert.equal(readdirSync('/proc/self/fd').length, before);
  });
}

test(
  'uring: zero-copy sends release after the notification and report what was copied',
  uringOptions,
  async () => {
    const server = await TestTransport.start('uring', { zeroCopy: true, zeroCopyBytesMin: 10_000 });
    const value = server.allocator.allocate(server.allocator.classFor(600_000)) + 64;
    const { arena } = server.allocator;
    for (let at = 0; at < 500_000; at++) arena.u8[value + at] = at % 251;
    let owner = 0;
    server.handler.data = (connection, start, end) => {
      for (let at = start; at < end; at++) {
        connection.writeLatin1('head');
        connection.reference(value, 500_000, owner++);
        connection.writeLatin1('tail');
        connection.reference(value, 100, owner++);
      }
      return end;
    };
    const socket = await server.listen();
    const client = await openClient(socket);
    const requests = 30;
    client.socket.write(Buffer.alloc(requests));
    const one = Buffer.concat([
      Buffer.from('head'),
      arena.u8.subarray(value, value + 500_000),
      Buffer.from('tail'),
      arena.u8.subarray(value, value + 100),
    ]);
    for (let count = 0; count < requests; count++) assert.ok((await client.take(one.length)).equals(one));
    await server.until(() => server.handler.released.length === requests * 2, 'the releases');
    assert.deepEqual(
      server.handler.released,
      Array.from({ length: requests * 2 }, (_, index) => index),
    );
    const { zeroCopySends, zeroCopyCopied } = server.transport.statistics;
    assert.ok(zeroCopySends >= 1, 'zero-copy sends were made');
    assert.equal(zeroCopyCopied, zeroCopySends, 'loopback always copies, and says so');
    client.socket.destroy();
    server.allocator.release(value - 64);
    await server.stop();
    assert.equal(server.allocator.chunksInUse(), 0);
  },
);

test('uring: zero-copy references are released once when the peer vanishes', uringOptions, async () => {
  const server = await TestTransport.start('uring', { zeroCopy: true, zeroCopyBytesMin: 1 });
  const value = server.allocator.allocate(server.allocator.classFor(900_000));
  server.handler.data = (connection, _start, end) => {
    for (let owner = 0; owner < 40; owner++) connection.reference(value + 64, 800_000, owner);
    return end;
  };
  const socket = await server.listen();
  const client = await openClient(socket);
  client.socket.on('error', () => {});
  client.socket.pause();
  client.socket.write('go');
  await server.until(() => server.transport.statistics.bytesWritten > 0, 'the first bytes');
  client.socket.resetAndDestroy();
  await server.until(() => server.handler.released.length >= 40, 'the releases');
  assert.deepEqual(
    server.handler.released.toSorted((a, b) => a - b),
    Array.from({ length: 40 }, (_, index) => index),
  );
  server.allocator.release(value);
  await server.stop();
  assert.equal(server.allocator.chunksInUse(), 0);
});

test('uring: more submissions than the ring has room for go in several calls', uringOptions, () => {
  const ring = new IoUring(8, 16);
  const seen: number[] = [];
  const collect = (): void => {
    const tail = ring.completionTail();
    for (let number = ring.completionHead(); number !== tail; number = (number + 1) | 0) {
      seen.push(ring.words[ring.completion(number)]!);
    }
    ring.setCompletionHead(tail);
  };
  for (let count = 0; count < 100; count++) {
    if (ring.room === 0) ring.enter(0, 0);
    ring.prepare(0, -1, 0, 0, 0, count, 7);
  }
  ring.enter(1, -1);
  while (seen.length < 100) {
    collect();
    if (seen.length < 100) ring.enter(1, 1000);
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 100 }, (_, index) => index),
  );
  const before = performance.now();
  ring.enter(1, 20);
  assert.ok(performance.now() - before >= 19, 'waits no longer and no shorter than it was told');
  ring.close();
});

test(
  'uring: an enter waits a little for several completions, and then is content with one',
  uringOptions,
  (context) => {
    const ring = new IoUring(8, 16);
    const NOTHING = 0;
    const waitFor = (completions: number): { count: number; tookMs: number } => {
      for (let each = 0; each < completions; each++) ring.prepare(NOTHING, -1, 0, 0, 0, 0, 0);
      const before = performance.now();
      ring.enter(1, 5000);
      const count = (ring.completionTail() - ring.completionHead()) | 0;
      ring.setCompletionHead(ring.completionTail());
      return { count, tookMs: performance.now() - before };
    };
    if (!ring.gather(2, 500_000)) context.skip('needs Linux 6.12');
    else {
      const alone = waitFor(1);
      assert.equal(alone.count, 1);
      assert.ok(alone.tookMs >= 490 && alone.tookMs < 4000, `${alone.tookMs} ms`);
      const both = waitFor(2);
      assert.equal(both.count, 2);
      assert.ok(both.tookMs < 400, `${both.tookMs} ms`);
      ring.gather(1, 0);
      assert.ok(waitFor(1).tookMs < 400);
    }
    ring.close();
  },
);
