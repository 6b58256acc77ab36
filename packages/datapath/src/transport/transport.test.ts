/** One suite for all transports: what a handler sees and what a peer gets is the same on each. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import * as net from 'node:net';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { KIB, MIB } from '../limits.ts';
import type { Connection } from './connection.ts';
import { availableTransports } from './select.ts';
import { type OpenedClient, openClient } from './testing/client.ts';
import { TestTransport, temporaryFolder } from './testing/harness.ts';
import type { ListeningSocket } from './transport.ts';

type AnyConnection = Connection<unknown>;

const missing: string[] = [];
after(() => {
  if (missing.length > 0) console.log(`transports not tested (${missing.length}): ${missing.join('; ')}`);
});

for (const { kind, available, reason } of availableTransports()) {
  if (!available) {
    missing.push(`${kind}: ${reason}`);
    test(`${kind}: not available here`, { skip: reason ?? true }, () => {});
    continue;
  }

  /** A test with a transport that serves TCP; afterwards nothing of it may be left. */
  function served(
    name: string,
    options: Parameters<typeof TestTransport.start>[1],
    body: (server: TestTransport, socket: ListeningSocket, context: TestContext) => Promise<void>,
  ): void {
    test(`${kind}: ${name}`, async (context) => {
      const server = await TestTransport.start(kind, options);
      try {
        await body(server, await server.listen(), context);
      } catch (error) {
        server.abandon();
        throw error;
      }
      await server.stop();
      assert.equal(server.allocator.chunksInUse(), 0, 'all network buffers are back');
      assert.equal(server.transport.statistics.connectionsCurrent, 0);
      assert.equal(server.handler.closed.length, server.handler.opened.length, 'every connection was closed');
    });
  }

  const echo = (connection: AnyConnection, start: number, end: number): number => {
    connection.copy(start, end - start);
    return end;
  };

  served('echoes 1 byte to 5 MB in arbitrary splits', {}, async (server, socket) => {
    server.handler.data = echo;
    for (const bytes of [1, 2, 63, 16_383, 16_384, 16_385, 100_000, 5_000_000]) {
      const client = await openClient(socket);
      const sent = randomBytes(bytes);
      const reply = client.take(bytes);
      for (let done = 0; done < bytes; ) {
        const part = Math.min(bytes - done, 1 + Math.floor(Math.random() * 200_000));
        client.socket.write(sent.subarray(done, done + part));
        done += part;
        await server.rounds(1);
      }
      assert.ok(sent.equals(await reply), `${bytes} bytes`);
      client.socket.end();
      await client.ended;
    }
    await server.until(() => server.handler.closed.length === 8, 'the closes');
    assert.ok(server.handler.closed.every(({ reason: why }) => why === 'peer'));
    assert.equal(server.transport.statistics.bytesRead, server.transport.statistics.bytesWritten);
  });

  served('keeps what is not consumed and gives it again with what follows', {}, async (server, socket) => {
    // Lines are consumed whole: the handler must see each from its beginning, contiguous.
    const lines: string[] = [];
    server.handler.data = (connection, start, end) => {
      const { node } = server.allocator.arena;
      let from = start;
      for (;;) {
        const newline = node.indexOf(10, from);
        if (newline < 0 || newline >= end) return from;
        lines.push(node.toString('latin1', from, newline));
        connection.writeLatin1(`${newline - from}\n`);
        from = newline + 1;
      }
    };
    const client = await openClient(socket);
    const expected = [0, 1, 20_000, 5, 300_000, 40, 16_384, 16_383].map((bytes, index) =>
      String.fromCharCode(97 + index).repeat(bytes),
    );
    const wire = Buffer.from(`${expected.join('\n')}\n`);
    for (let done = 0; done < wire.length; ) {
      const part = done < 200 ? 1 : 1 + Math.floor(Math.random() * 30_000);
      client.socket.write(wire.subarray(done, done + part));
      done += part;
      await server.rounds(2);
    }
    const reply = expected.map((line) => `${line.length}\n`).join('');
    assert.equal((await client.take(reply.length)).toString(), reply);
    assert.deepEqual(lines, expected);
    client.socket.destroy();
  });

  served('leaves a held receive buffer alone until it is released', {}, async (server, socket) => {
    const { allocator } = server;
    const { arena } = allocator;
    const held: { chunk: number; start: number; end: number; text: string }[] = [];
    let count = 0;
    // Takes messages of 1000 bytes whole, so that some of them lie in a carry, and holds every third.
    server.handler.data = (connection, start, end) => {
      let from = start;
      for (; from + 1000 <= end; from += 1000) {
        if (count++ % 3 === 0) {
          const chunk = allocator.recover(from);
          allocator.retain(chunk);
          held.push({
            chunk,
            start: from,
            end: from + 1000,
            text: arena.node.toString('latin1', from, from + 1000),
          });
        }
        connection.copy(from, 4);
      }
      return from;
    };
    const client = await openClient(socket);
    for (let number = 0; number < 300; number++) {
      const message = Buffer.from(String(number).padStart(4, '0').repeat(250));
      const split = (number * 37) % 1000;
      client.socket.write(message.subarray(0, split));
      if (number % 5 === 0) await server.rounds(2);
      client.socket.write(message.subarray(split));
    }
    await client.take(1200);
    assert.equal(held.length, 100);
    for (const { chunk, start, end, text } of held) {
      assert.equal(arena.node.toString('latin1', start, end), text);
      allocator.release(chunk);
    }
    client.socket.end();
    await client.ended;
  });

  served(
    'closes a connection whose rest grows too long',
    { limits: { inputBytesMax: 50_000 } },
    async (server, socket) => {
      server.handler.data = (_connection, start) => start;
      const client = await openClient(socket);
      client.socket.on('error', () => {});
      client.socket.write(Buffer.alloc(50_000));
      await server.until(() => server.transport.statistics.bytesRead === 50_000, 'the bytes that fit');
      assert.equal(server.handler.closed.length, 0);
      client.socket.write(Buffer.alloc(1));
      await server.until(() => server.handler.closed.length === 1, 'the close');
      assert.equal(server.handler.closed[0]!.reason, 'input-too-long');
      await client.ended;
    },
  );

  served(
    'answers pipelined requests in order, copied and referenced parts mixed',
    {},
    async (server, socket) => {
      const { arena } = server.allocator;
      const value = server.allocator.allocate(server.allocator.classFor(100_000));
      const pattern = randomBytes(90_000);
      arena.u8.set(pattern, value + 64);
      let owner = 0;
      // Each request is a byte n: the reply is n, a reference to n × 300 bytes, and a few copied bytes.
      server.handler.data = (connection, start, end) => {
        for (let at = start; at < end; at++) {
          const n = arena.u8[at]!;
          connection.cursor = connection.reserve(1) + 1;
          arena.u8[connection.cursor - 1] = n;
          connection.reference(value + 64, n * 300, owner++);
          connection.copy(value + 64, n);
        }
        return end;
      };
      const client = await openClient(socket);
      const requests = randomBytes(2000);
      const expected = Buffer.concat(
        [...requests].flatMap((n) => [Buffer.of(n), pattern.subarray(0, n * 300), pattern.subarray(0, n)]),
      );
      client.socket.write(requests);
      const reply = await client.take(expected.length, 20);
      assert.ok(reply.equals(expected));
      await server.until(() => server.handler.released.length === 2000, 'the releases');
      assert.deepEqual(
        server.handler.released.toSorted((a, b) => a - b),
        Array.from({ length: 2000 }, (_, index) => index),
      );
      server.allocator.release(value);
      client.socket.destroy();
    },
  );

  served('releases every reference once when the peer vanishes in the middle', {}, async (server, socket) => {
    const value = server.allocator.allocate(server.allocator.classFor(1_000_000));
    server.handler.data = (connection, _start, end) => {
      for (let owner = 0; owner < 50; owner++) {
        connection.writeLatin1('x'.repeat(1000));
        connection.reference(value + 64, 1_000_000, owner);
      }
      return end;
    };
    const client = await openClient(socket);
    client.socket.on('error', () => {});
    client.socket.pause();
    client.socket.write('go');
    await server.until(() => server.transport.statistics.bytesWritten > 0, 'the first bytes');
    client.socket.resetAndDestroy();
    await server.until(() => server.handler.closed.length === 1, 'the close');
    await server.until(() => server.handler.released.length >= 50, 'the releases');
    assert.deepEqual(
      server.handler.released.toSorted((a, b) => a - b),
      Array.from({ length: 50 }, (_, index) => index),
    );
    server.allocator.release(value);
  });

  served(
    'does not read from a peer that does not read, and goes on when it does',
    { limits: { outputBytesHigh: 100_000, outputBytesLow: 10_000 } },
    async (server, socket) => {
      const value = server.allocator.allocate(server.allocator.classFor(1_000_000));
      let calls = 0;
      let answered = 0;
      server.handler.data = (connection, start, end) => {
        calls++;
        for (let at = start; at < end; at++) {
          if (connection.isCongested) return at;
          connection.reference(value + 64, 500_000, 0);
          answered++;
        }
        return end;
      };
      const client = await openClient(socket);
      client.socket.pause();
      client.socket.write(Buffer.alloc(40));
      await server.until(() => answered > 0, 'an answer');
      await server.until(() => (server.handler.opened[0]?.queuedBytes ?? 0) > 100_000, 'congestion');
      let stable = answered;
      for (let quiet = 0; quiet < 20; quiet++) {
        await server.rounds(5);
        if (answered !== stable) quiet = 0;
        stable = answered;
      }
      assert.ok(answered < 40, `${answered} of 40 were answered without being read`);
      assert.ok(server.handler.opened[0]!.queuedBytes <= 600_000, 'the queue stays bounded');
      const callsBefore = calls;
      client.socket.write(Buffer.alloc(10));
      await server.rounds(50);
      assert.equal(calls, callsBefore, 'no input is delivered meanwhile');
      const reply = await client.take(50 * 500_000, 20);
      assert.equal(reply.length, 50 * 500_000);
      assert.equal(answered, 50);
      assert.ok(server.handler.drained > 0);
      assert.equal(server.handler.released.length, 50);
      server.allocator.release(value);
      client.socket.destroy();
    },
  );

  served(
    'closes a reader that makes no progress for too long',
    { limits: { slowReaderMs: 1000 } },
    async (server, socket) => {
      const value = server.allocator.allocate(server.allocator.classFor(1_000_000));
      server.handler.data = (connection, _start, end) => {
        for (let owner = 0; owner < 20; owner++) connection.reference(value + 64, 1_000_000, owner);
        return end;
      };
      const client = await openClient(socket);
      client.socket.on('error', () => {});
      client.socket.pause();
      client.socket.write('go');
      await server.until(() => (server.handler.opened[0]?.waitingSince ?? 0) !== 0, 'a blocked send');
      await server.rounds(50);
      server.advance(900);
      await server.rounds(50);
      assert.equal(server.handler.closed.length, 0);
      server.advance(1200);
      await server.until(() => server.handler.closed.length === 1, 'the close');
      assert.equal(server.handler.closed[0]!.reason, 'slow-reader');
      assert.equal(server.transport.statistics.connectionsClosedSlow, 1);
      await server.until(() => server.handler.released.length === 20, 'the releases');
      server.allocator.release(value);
      client.socket.destroy();
    },
  );

  for (const [slowReaderBytesMin, isClosed] of [
    [64 * KIB, false],
    // More than the kernel's buffers may take in beside the 2 MB.
    [32 * MIB, true],
  ] as const) {
    served(
      `a reader that takes 2 MB now and then ${isClosed ? 'is closed' : 'goes on'} when ${slowReaderBytesMin} bytes are progress`,
      { limits: { slowReaderMs: 1000, slowReaderBytesMin } },
      async (server, socket) => {
        const value = server.allocator.allocate(server.allocator.classFor(1_000_000));
        server.handler.data = (connection, _start, end) => {
          for (let owner = 0; owner < 40; owner++) connection.reference(value + 64, 1_000_000, owner);
          return end;
        };
        const client = await openClient(socket);
        client.socket.on('error', () => {});
        client.socket.pause();
        client.socket.write('go');
        await server.until(() => (server.handler.opened[0]?.waitingSince ?? 0) !== 0, 'a blocked send');
        for (let turn = 0; turn < 3 && server.handler.closed.length === 0; turn++) {
          const written = server.transport.statistics.bytesWritten;
          const hasMoved = (): boolean =>
            server.transport.statistics.bytesWritten > written + MIB || server.handler.closed.length > 0;
          void client.take(2_000_000, 5).then(
            () => client.socket.pause(),
            () => {},
          );
          await server.until(hasMoved, 'some progress');
          server.advance(600);
          await server.rounds(50);
        }
        assert.equal(server.handler.closed.length, isClosed ? 1 : 0);
        client.socket.destroy();
        await server.until(() => server.handler.released.length === 40, 'the releases');
        server.allocator.release(value);
      },
    );
  }

  served(
    'closes idle connections, and only those',
    { limits: { idleTimeoutMs: 5000 } },
    async (server, socket) => {
      server.handler.data = echo;
      const idle = await openClient(socket);
      const busy = await openClient(socket);
      await server.until(() => server.handler.opened.length === 2, 'the connections');
      server.advance(4000);
      busy.socket.write('x');
      await busy.take(1);
      server.advance(2000);
      await idle.ended;
      assert.equal(server.handler.closed.length, 1);
      assert.equal(server.handler.closed[0]!.reason, 'idle');
      assert.equal(server.transport.statistics.connectionsClosedIdle, 1);
      busy.socket.write('y');
      assert.equal((await busy.take(1)).toString(), 'y');
      busy.socket.destroy();
    },
  );

  served(
    'refuses connections beyond the limit, with a reason',
    { limits: { connectionsMax: 2 } },
    async (server, socket) => {
      server.handler.data = echo;
      server.handler.refusal = Buffer.from('too many\r\n');
      const clients = [await openClient(socket), await openClient(socket)];
      await server.until(() => server.handler.opened.length === 2, 'the connections');
      const third = await openClient(socket);
      assert.equal((await third.take(10)).toString(), 'too many\r\n');
      await third.ended;
      assert.equal(server.transport.statistics.connectionsRefused, 1);
      clients[0]!.socket.destroy();
      await server.until(() => server.transport.statistics.connectionsCurrent === 1, 'room');
      const fourth = await openClient(socket);
      fourth.socket.write('ok');
      assert.equal((await fourth.take(2)).toString(), 'ok');
      for (const client of [...clients, fourth]) client.socket.destroy();
    },
  );

  served(
    'leaves connections beyond the limit waiting when asked to',
    { limits: { connectionsMax: 1 }, acceptWhenFull: 'wait' },
    async (server, socket) => {
      server.handler.data = echo;
      const clients: OpenedClient[] = [];
      for (let count = 0; count < 4; count++) clients.push(await openClient(socket));
      for (const client of clients) {
        client.socket.write('hello');
        assert.equal((await client.take(5)).toString(), 'hello');
        assert.equal(server.transport.statistics.connectionsCurrent, 1);
        client.socket.end();
        await client.ended;
      }
      assert.equal(server.transport.statistics.connectionsRefused, 0);
      assert.ok(server.transport.statistics.acceptPauses >= 1);
    },
  );

  served('ends gracefully after all output, and tells the reason', {}, async (server, socket) => {
    const value = server.allocator.allocate(server.allocator.classFor(1_000_000));
    server.handler.data = (connection, _start, end) => {
      for (let owner = 0; owner < 5; owner++) connection.reference(value + 64, 1_000_000, owner);
      connection.writeLatin1('bye');
      connection.end();
      connection.writeLatin1('never sent');
      return end;
    };
    const client = await openClient(socket);
    client.socket.write('quit');
    const reply = await client.take(5_000_003);
    assert.equal(reply.subarray(-3).toString(), 'bye');
    await client.ended;
    assert.equal(client.received, 0, 'nothing follows');
    client.socket.end();
    await server.until(() => server.handler.closed.length === 1, 'the close');
    assert.equal(server.handler.closed[0]!.reason, 'local');
    server.allocator.release(value);
  });

  served('answers a peer that has already ended its side', {}, async (server, socket) => {
    server.handler.data = echo;
    const client = await openClient(socket);
    const sent = randomBytes(3_000_000);
    client.socket.end(sent);
    assert.ok(sent.equals(await client.take(sent.length)));
    await client.ended;
  });

  served(
    'answers after the end of input while output is owed, and not otherwise',
    {},
    async (server, socket) => {
      const asked: Connection<unknown>[] = [];
      server.handler.data = (connection, _start, end) => {
        asked.push(connection);
        connection.owe(true);
        return end;
      };
      const client = await openClient(socket);
      client.socket.end('question');
      await server.until(() => asked[0]?.inputEnded === true, 'the end of input');
      await server.rounds(5);
      assert.equal(server.handler.closed.length, 0, 'the answer is awaited');
      asked[0]!.writeLatin1('answer');
      asked[0]!.owe(false);
      assert.equal((await client.take(6)).toString(), 'answer');
      await client.ended;
      await server.until(() => server.handler.closed.length === 1, 'the close');
      assert.equal(server.handler.closed[0]!.reason, 'peer');
    },
  );

  served('pauses and resumes input', {}, async (server, socket) => {
    server.handler.data = (connection, start, end) => {
      connection.pause();
      return echo(connection, start, start + 1) - 0 || end;
    };
    const client = await openClient(socket);
    client.socket.write('abc');
    for (const letter of 'abc') {
      assert.equal((await client.take(1)).toString(), letter);
      await server.rounds(20);
      assert.equal(client.received, 0);
      server.handler.opened[0]!.resume();
    }
    client.socket.destroy();
  });

  served('a handler that throws loses its connection, and no other', {}, async (server, socket) => {
    server.handler.data = (connection, start, end) => {
      if (server.allocator.arena.u8[start] === 33) throw new Error('broken');
      return echo(connection, start, end);
    };
    const good = await openClient(socket);
    const bad = await openClient(socket);
    bad.socket.on('error', () => {});
    bad.socket.write('!');
    await bad.ended;
    assert.equal(server.handler.closed[0]!.reason, 'error');
    assert.equal(server.handler.closed[0]!.error?.message, 'broken');
    good.socket.write('fine');
    assert.equal((await good.take(4)).toString(), 'fine');
    good.socket.destroy();
  });

  served('says who is connected', {}, async (server, socket) => {
    const client = await openClient(socket);
    await server.until(() => server.handler.opened.length === 1, 'the connection');
    const [connection] = server.handler.opened;
    assert.equal(
      connection!.remoteAddress(),
      `127.0.0.1:${(client.socket.address() as net.AddressInfo).port}`,
    );
    assert.equal(connection!.localAddress(), `127.0.0.1:${socket.port}`);
    assert.equal([...server.transport.connections()].length, 1);
    client.socket.destroy();
    await server.until(() => server.handler.closed.length === 1, 'the close');
    await server.until(() => connection!.remoteAddress() === '', 'the address to go');
  });

  test(`${kind}: serves Unix sockets with a mode, and replaces stale ones`, async (context) => {
    const path = join(temporaryFolder(context), 'socket');
    // What a killed process leaves: a socket file that nobody listens on.
    const { openListener } = await import('./listener.ts');
    for (let round = 0; round < 2; round++) {
      const server = await TestTransport.start(kind);
      server.handler.data = echo;
      const socket = await server.listen({ kind: 'unix', path, mode: 0o600 });
      const { statSync } = await import('node:fs');
      assert.equal(statSync(path).mode & 0o777, 0o600);
      const client = await openClient(socket);
      client.socket.write('unix');
      assert.equal((await client.take(4)).toString(), 'unix');
      assert.equal(server.handler.opened[0]!.kind, 'unix');
      await assert.rejects(openListener(kind, { kind: 'unix', path }), { code: 'EADDRINUSE' });
      client.socket.destroy();
      await server.stop();
      assert.equal(server.allocator.chunksInUse(), 0);
      if (round === 0) leaveStaleSocket(path);
    }
  });

  test(`${kind}: serves IPv6 and resolves names`, async () => {
    const server = await TestTransport.start(kind);
    server.handler.data = echo;
    const socket = await server.listen({ kind: 'tcp', host: '::1', port: 0 });
    const client = await openClient(socket);
    client.socket.write('six');
    assert.equal((await client.take(3)).toString(), 'six');
    assert.match(server.handler.opened[0]!.remoteAddress(), /^\[::1\]:\d+$/);
    const byName = await server.listen({ kind: 'tcp', host: 'localhost', port: 0 });
    const second = await openClient(byName);
    second.socket.write('name');
    assert.equal((await second.take(4)).toString(), 'name');
    client.socket.destroy();
    second.socket.destroy();
    await server.stop();
  });

  test(`${kind}: connects, exchanges bytes and reports failure`, async () => {
    const server = await TestTransport.start(kind);
    server.handler.data = echo;
    const socket = await server.listen();
    const client = await TestTransport.start(kind);
    let received = '';
    client.handler.data = (_connection, start, end) => {
      received += client.allocator.arena.node.toString('latin1', start, end);
      return end;
    };
    const connection = client.transport.connect({ kind: 'tcp', host: '127.0.0.1', port: socket.port });
    connection.session = 'mine';
    connection.writeLatin1('written before it is connected');
    await client.until(() => received === 'written before it is connected', 'the echo');
    const brief = client.transport.connect({ kind: 'tcp', host: '127.0.0.1', port: socket.port });
    brief.writeLatin1('and ended');
    brief.end();
    await server.until(() => server.handler.closed.length === 1, 'the end of a brief connection');
    await client.until(() => client.handler.closed.length === 1, 'its end here');
    assert.equal(server.transport.statistics.bytesRead, 'written before it is connectedand ended'.length);
    client.handler.closed.length = 0;
    client.handler.opened.length = 1;
    assert.equal(client.handler.opened[0]!.session, 'mine');
    // A port that nobody listens on.
    const free = await new Promise<number>((resolve) => {
      const probe = net.createServer().listen(0, '127.0.0.1', () => {
        const { port } = probe.address() as net.AddressInfo;
        probe.close(() => resolve(port));
      });
    });
    const failing = client.transport.connect({ kind: 'tcp', host: '127.0.0.1', port: free });
    failing.writeLatin1('never sent');
    await client.until(() => client.handler.closed.length === 1, 'the failure');
    assert.equal(client.handler.closed[0]!.connection, failing);
    assert.equal((client.handler.closed[0]!.error as { code?: string }).code, 'ECONNREFUSED');
    const nowhere = client.transport.connect({ kind: 'unix', path: '/nonexistent/socket' });
    await client.until(() => client.handler.closed.length === 2, 'the second failure');
    assert.equal(client.handler.closed[1]!.connection, nowhere);
    assert.equal((client.handler.closed[1]!.error as { code?: string }).code, 'ENOENT');
    await client.stop();
    await server.stop();
    assert.equal(client.allocator.chunksInUse(), 0);
    assert.equal(server.allocator.chunksInUse(), 0);
  });

  test(`${kind}: leaves no descriptor and no memory behind, whatever was going on`, async () => {
    await (await TestTransport.start(kind)).stop();
    const before = readdirSync('/proc/self/fd').length;
    const server = await TestTransport.start(kind);
    const value = server.allocator.allocate(server.allocator.classFor(1_000_000));
    server.handler.data = (connection, start, _end) => {
      if (connection.id % 2 === 0) connection.reference(value + 64, 900_000, connection.id);
      return start;
    };
    const socket = await server.listen();
    const clients: OpenedClient[] = [];
    for (let count = 0; count < 30; count++) {
      const client = await openClient(socket);
      client.socket.on('error', () => {});
      client.socket.pause();
      for (let part = 0; part < 4; part++) client.socket.write('some input');
      clients.push(client);
    }
    await server.until(() => server.handler.opened.length === 30, 'the connections');
    await server.rounds(20);
    await server.stop(0);
    for (const client of clients) client.socket.destroy();
    assert.ok(server.handler.closed.every(({ reason: why }) => why === 'shutdown'));
    server.allocator.release(value);
    assert.equal(server.allocator.chunksInUse(), 0);
    await server.until(() => readdirSync('/proc/self/fd').length <= before, 'the descriptors to be closed');
  });

  test(`${kind}: runs out of buffers without harming others`, async () => {
    const server = await TestTransport.start(kind, {
      memoryBytes: 8 * 1024 ** 2,
      limits: { receiveBuffers: 16 },
    });
    server.handler.data = (connection, start, end) => {
      for (let copy = 0; copy < 10; copy++) echo(connection, start, end);
      return end;
    };
    const socket = await server.listen();
    const clients: OpenedClient[] = [];
    for (let count = 0; count < 20; count++) {
      const client = await openClient(socket);
      client.socket.on('error', () => {});
      client.socket.pause();
      client.socket.write(randomBytes(4_000_000));
      clients.push(client);
    }
    await server.until(() => server.handler.closed.length > 0, 'a connection without memory');
    assert.ok(server.handler.closed.every(({ reason: why }) => why === 'error' || why === 'input-too-long'));
    for (const client of clients) client.socket.destroy();
    await server.until(() => server.transport.statistics.connectionsCurrent === 0, 'the closes');
    const fresh = await openClient(socket);
    fresh.socket.write('!');
    assert.equal((await fresh.take(10)).toString(), '!!!!!!!!!!');
    fresh.socket.destroy();
    await server.stop();
    assert.equal(server.allocator.chunksInUse(), 0);
  });
}

/** Binds a socket file without unlinking it at the end, as a killed process does. */
function leaveStaleSocket(path: string): void {
  const { execFileSync } = process.getBuiltinModule('node:child_process');
  const code = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  try {
    execFileSync(process.execPath, ['-e', code], { stdio: 'ignore' });
  } catch {
    // It was killed; that is the point.
  }
}
