/** The whole server in this process, on every transport that this machine has. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { availableTransports, type TransportKind } from '@larder/datapath';
import type { ServerOptions } from './options/server-options.ts';
import type { RunningServer } from './running-server.ts';
import { startServer } from './start-server.ts';
import { selfSigned } from './testing/self-signed.ts';
import { eventually, Talk } from './testing/talk.ts';

const MIB = 1024 * 1024;
const folder = mkdtempSync(join(tmpdir(), 'larder-server-'));
after(() => rmSync(folder, { recursive: true, force: true }));

async function withServer(
  options: ServerOptions,
  use: (server: RunningServer, log: string[]) => Promise<void>,
): Promise<void> {
  const log: string[] = [];
  const server = await startServer({
    port: 0,
    adminPort: 'off',
    memoryBytes: 8 * MIB,
    threads: 2,
    logTo: (line) => log.push(line),
    ...options,
  });
  try {
    await use(server, log);
  } finally {
    await server.stop();
  }
}

function open(server: RunningServer): Promise<Talk> {
  return Talk.open({ host: '127.0.0.1', port: server.port });
}

const transports = availableTransports();
for (const { kind, available, reason } of transports) {
  if (available) transportTests(kind);
  else test(`${kind}`, { skip: `not available here: ${reason}` }, () => {});
}

function transportTests(kind: TransportKind): void {
  test(`${kind}: two workers share all keys, and their counters are summed`, async () => {
    await withServer({ transport: kind }, async (server) => {
      assert.equal(server.transport, kind);
      const clients = await Promise.all(Array.from({ length: 8 }, () => open(server)));
      assert.equal(await clients[0]!.ask('set greeting 5 60 5\r\nhello\r\n', '\r\n'), 'STORED\r\n');
      for (const client of clients) {
        assert.equal(
          await client.ask('get greeting\r\n', 'END\r\n'),
          'VALUE greeting 5 5\r\nhello\r\nEND\r\n',
        );
      }
      const stats = await clients[3]!.stats();
      assert.equal(stats.get('get_hits'), '8');
      assert.equal(stats.get('cmd_set'), '1');
      assert.equal(stats.get('curr_items'), '1');
      assert.equal(stats.get('curr_connections'), '8');
      assert.equal(stats.get('threads'), '2');
      assert.equal(stats.get('transport'), kind);
      assert.equal(server.statistics().get('get_hits'), 8);
      await clients[1]!.ask('stats reset\r\n', 'RESET\r\n');
      assert.equal((await clients[2]!.stats()).get('get_hits'), '0');
      const conns = await clients[0]!.stats('conns');
      assert.ok([...conns.values()].includes('conn_listening'));
      assert.ok([...conns.values()].includes(`tcp:127.0.0.1:${clients[0]!.socket.localPort}`));
      for (const client of clients) client.close();
      await eventually(() => (server.statistics().get('curr_connections') === 0 ? true : undefined));
    });
  });

  test(`${kind}: a calibrated server answers as any other, large values too`, async () => {
    const lines: string[] = [];
    const logTo = (line: string): void => {
      lines.push(line);
    };
    await withServer({ transport: kind, calibrate: true, verbose: 1, logTo }, async (server) => {
      const client = await open(server);
      const value = 'x'.repeat(70_000);
      assert.equal(await client.ask(`set large 0 0 70000\r\n${value}\r\n`, '\r\n'), 'STORED\r\n');
      assert.equal(
        await client.ask('get large\r\n', 'END\r\n'),
        `VALUE large 0 70000\r\n${value}\r\nEND\r\n`,
      );
      assert.equal((await client.stats('settings')).get('calibrate'), 'yes');
      client.close();
    });
    const decisions = lines.filter((line) => line.includes('copyBytesMax'));
    assert.equal(decisions.length, kind === 'node' ? 0 : 1, lines.join(''));
  });

  test(`${kind}: a watcher sees what connections of all workers do`, async () => {
    await withServer({ transport: kind }, async (server) => {
      const watcher = await open(server);
      await watcher.ask('watch fetchers mutations connevents\r\n', 'OK\r\n');
      const clients = await Promise.all(Array.from({ length: 4 }, () => open(server)));
      for (const [index, client] of clients.entries()) {
        await client.ask(`set key${index} 0 0 1\r\nx\r\n`, 'STORED\r\n');
        await watcher.ask('', `type=item_store key=key${index} status=stored cmd=set`);
        await client.ask(`get key${index} nothing\r\n`, 'END\r\n');
        const line = await watcher.ask('', 'key=nothing status=not_found');
        assert.match(
          line,
          new RegExp(`ts=\\d+\\.\\d{6} gid=\\d+ type=item_get key=key${index} status=found`),
        );
      }
      assert.equal((await clients[0]!.stats()).get('log_watchers'), '1');
      watcher.close();
      await eventually(async () =>
        (await clients[0]!.stats()).get('log_watchers') === '0' ? true : undefined,
      );
      for (const client of clients) client.close();
    });
  });

  test(`${kind}: -R answers a few requests of a connection at a time, and all of them in the end`, async () => {
    await withServer({ transport: kind, requestsPerEvent: 3, threads: 1 }, async (server) => {
      const client = await open(server);
      const value = 'v'.repeat(300);
      const sets = Array.from({ length: 20 }, (_, n) => `set k${n} 0 0 300 noreply\r\n${value}\r\n`);
      const gets = Array.from({ length: 20 }, (_, n) => `get k${n}\r\n`);
      const answers = gets.map((_, n) => `VALUE k${n} 0 300\r\n${value}\r\nEND\r\n`);
      assert.equal(
        await client.ask(`${sets.join('')}${gets.join('')}mn\r\n`, 'MN\r\n'),
        `${answers.join('')}MN\r\n`,
      );
      const stats = await client.stats();
      assert.ok(Number(stats.get('conn_yields')) >= 12, `${stats.get('conn_yields')} yields`);
      assert.equal((await client.stats('settings')).get('reqs_per_event'), '3');
      client.close();
    });
  });

  test(`${kind}: connections over the limit get memcached's error`, async () => {
    await withServer({ transport: kind, connectionsMax: 3 }, async (server) => {
      const clients: Talk[] = [];
      for (let index = 0; index < 3; index++) {
        const client = await open(server);
        await client.ask('version\r\n', '\r\n');
        clients.push(client);
      }
      const fourth = await open(server);
      assert.equal(await fourth.rest(), 'ERROR Too many open connections\r\n');
      clients[1]!.close();
      await eventually(async () => {
        const client = await open(server);
        const reply = await client.ask('version\r\n', '\r\n').catch(() => '');
        client.close();
        return reply.startsWith('VERSION') ? true : undefined;
      });
      assert.ok(Number(server.statistics().get('rejected_connections')) >= 1);
      for (const client of clients) client.close();
    });
  });

  test(`${kind}: Unix socket with its mode, removed at the end; UDP beside it`, async () => {
    const path = join(folder, `${kind}.sock`);
    await withServer(
      { transport: kind, unixSocket: path, unixMode: 0o640, udpPort: -1, port: 'off' },
      async (server) => {
        assert.equal(statSync(path).mode & 0o777, 0o640);
        assert.deepEqual(
          server.addresses.map((address) => address.kind),
          ['unix', 'udp'],
        );
        const client = await Talk.open({ path });
        await client.ask('set a 0 0 1\r\n1\r\n', 'STORED\r\n');
        const udp = createSocket('udp4');
        const reply = new Promise<Buffer>((resolve) => udp.once('message', resolve));
        const { port } = server.addresses[1]!;
        udp.send(
          Buffer.concat([Buffer.of(0, 7, 0, 0, 0, 1, 0, 0), Buffer.from('get a\r\n')]),
          port,
          '127.0.0.1',
        );
        assert.deepEqual(
          await reply,
          Buffer.concat([Buffer.of(0, 7, 0, 0, 0, 1, 0, 0), Buffer.from('VALUE a 0 1\r\n1\r\nEND\r\n')]),
        );
        udp.close();
        client.close();
      },
    );
    assert.equal(existsSync(path), false);
  });
}

test('TLS is served from the same store', async () => {
  const { cert, key } = selfSigned();
  const certFile = join(folder, 'cert.pem');
  const keyFile = join(folder, 'key.pem');
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key);
  await withServer({ tls: { certFile, keyFile, port: 0 } }, async (server) => {
    const plain = await open(server);
    await plain.ask('set a 0 0 1\r\n1\r\n', 'STORED\r\n');
    const { port } = server.addresses.find((address) => address.kind === 'tls')!;
    const secure = connectTls({ host: '127.0.0.1', port, ca: cert, servername: 'localhost' });
    const client = new Talk(secure);
    assert.equal(await client.ask('get a\r\n', 'END\r\n'), 'VALUE a 0 1\r\n1\r\nEND\r\n');
    assert.equal(secure.authorized, true);
    assert.equal((await client.stats()).get('curr_connections'), '2');
    client.close();
    plain.close();
  });
  writeFileSync(keyFile, selfSigned().key);
  await assert.rejects(startServer({ port: 0, tls: { certFile, keyFile, port: 0 } }), {
    code: 'OPTION',
    message: /is not the key of/,
  });
  writeFileSync(certFile, 'nonsense');
  await assert.rejects(startServer({ port: 0, tls: { certFile, keyFile, port: 0 } }), {
    code: 'OPTION',
    option: '--tls-cert',
  });
});

test('with -Y only those who know a password are served', async () => {
  const authFile = join(folder, 'users');
  writeFileSync(authFile, 'reader:secret\n');
  await withServer({ authFile }, async (server, log) => {
    const client = await open(server);
    assert.match(await client.ask('get a\r\n', '\r\n'), /^CLIENT_ERROR/);
    assert.match(await client.ask('set auth 0 0 12\r\nreader wrong\r\n', '\r\n'), /^CLIENT_ERROR/);
    const again = await open(server);
    assert.equal(await again.ask('set auth 0 0 13\r\nreader secret\r\n', '\r\n'), 'STORED\r\n');
    assert.equal(await again.ask('get a\r\n', 'END\r\n'), 'END\r\n');
    assert.ok(!log.join('').includes('secret'));
    client.close();
    again.close();
  });
});

test('a taken port, path or admin port is one clear error', async () => {
  await withServer({}, async (server) => {
    const { port } = server;
    await assert.rejects(startServer({ port }), {
      name: 'ServerError',
      code: 'EADDRINUSE',
      option: '-p/--port',
      message: new RegExp(`^cannot listen on 127\\.0\\.0\\.1:${port}: the address is already in use`),
    });
    await assert.rejects(startServer({ port, transport: 'node' }), {
      code: 'EADDRINUSE',
      option: '-p/--port',
    });
    await assert.rejects(startServer({ port: 0, adminPort: port, threads: 1 }), {
      code: 'EADDRINUSE',
      option: '--admin-port',
    });
    const file = join(folder, 'plain-file');
    writeFileSync(file, 'keep me');
    await assert.rejects(startServer({ unixSocket: file }), { code: 'EEXIST', option: '-s/--unix-socket' });
    assert.equal(statSync(file).size, 7);
  });
});

test('a transport that does not exist', async () => {
  await assert.rejects(startServer({ transport: 'carrier-pigeon' }), {
    code: 'OPTION',
    message: /--transport: unknown: .*uring, epoll, node/,
  });
});

test('the shutdown command ends the server when it is enabled', async () => {
  await withServer({}, async (server) => {
    const client = await open(server);
    assert.match(await client.ask('shutdown\r\n', '\r\n'), /^ERROR: shutdown not enabled/);
    client.close();
  });
  await withServer({ enableShutdown: true }, async (server) => {
    const client = await open(server);
    client.socket.write('shutdown\r\n');
    assert.equal(await server.closed, 0);
    await client.rest();
  });
});

test('a worker that dies ends the server with exit code 1 and a fatal line', async () => {
  const log: string[] = [];
  const server = await startServer(
    {
      port: 0,
      adminPort: 'off',
      threads: 2,
      transport: 'node',
      memoryBytes: 8 * MIB,
      logTo: (line) => log.push(line),
    },
    { workerEntry: new URL('./testing/dying-worker.ts', import.meta.url) },
  );
  assert.equal(await server.closed, 1);
  const fatal = log
    .map((line) => JSON.parse(line) as { level: number; msg: string })
    .filter(({ level }) => level === 60);
  assert.equal(fatal.length, 1);
  assert.match(log.join(''), /a bug in the worker/);
});

test('a file that is no memory file is moved away, not overwritten', async () => {
  const memoryFile = join(folder, 'thesis.txt');
  writeFileSync(memoryFile, 'years of work');
  await withServer({ memoryFile }, async (_server, log) => {
    assert.match(log.join(''), /not a memory file: moved away/);
    assert.equal(statSync(`${memoryFile}.${process.pid}.kept`).size, 13);
  });
});

test('idle connections are closed by -o idle_timeout', async () => {
  await withServer({ idleTimeoutSeconds: 1 }, async (server) => {
    const client = await open(server);
    await client.ask('version\r\n', '\r\n');
    assert.equal(await client.rest(), '');
    assert.equal(server.statistics().get('idle_kicks'), 1);
  });
});
