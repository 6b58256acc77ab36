/** Servers that answer nonsense, and configurations that are none, while clients are being served. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { poolOf, startTestRouter } from './testing/routers.ts';
import { ScriptedServer, tinyCache } from './testing/scripted-server.ts';
import { talk } from './testing/talk.ts';

/** Asks again and again on one connection, one request at a time, until it is told to stop. */
async function askSteadily(port: number, isOver: () => boolean): Promise<string[]> {
  const socket: Socket = connect(port, '127.0.0.1');
  const replies: string[] = [];
  let received = '';
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject).on('close', () => resolve());
    socket.setEncoding('latin1').on('data', (part: string) => {
      received += part;
      if (!/(^|\r\n)(END|[A-Z_]*ERROR.*)\r\n$/.test(received)) return;
      replies.push(received);
      received = '';
      if (isOver()) socket.end();
      else socket.write('get a\r\n');
    });
    socket.write('get a\r\n');
  });
  return replies;
}

test('a server that answers nonsense: errors for those who asked it, and the next ones are served', async () => {
  const nonsense: Readonly<Record<string, string>> = {
    binary: '\x81\x00\x00\x00\x00\x00\x00\r\n',
    http: 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n',
    stored: 'STORED\r\n',
    length: 'VALUE length 0 99999999999999999999\r\n',
    negative: 'VALUE negative 0 -5\r\n',
    short: 'VALUE short 0 1\r\nxyz\r\nEND\r\n',
    endless: 'x'.repeat(3_000_000),
  };
  await using server = await ScriptedServer.start((line) => nonsense[line.slice('get '.length)] ?? 'END\r\n');
  await using started = await startTestRouter(poolOf(server));
  const { port } = started.router;
  for (const key of Object.keys(nonsense)) {
    assert.match(await talk(port, `get ${key}\r\nmn\r\n`), /^SERVER_ERROR .*\r\nMN\r\n$/, key);
    assert.equal(await talk(port, 'get good\r\n'), 'END\r\n', `after ${key}`);
  }
});

test('replies that nobody asked for end that connection, and are nobody’s', async () => {
  let sockets: Socket[] = [];
  await using server = await ScriptedServer.start((_line, socket) => {
    sockets.push(socket);
    return 'END\r\n';
  });
  await using started = await startTestRouter(poolOf(server));
  const { port } = started.router;
  assert.equal(await talk(port, 'get a\r\n'), 'END\r\n');
  const [socket] = sockets;
  const closed = new Promise((resolve) => socket!.once('close', resolve));
  socket!.write('VALUE secret 0 1\r\nx\r\nEND\r\n');
  await closed;
  sockets = [];
  assert.equal(await talk(port, 'get b\r\n'), 'END\r\n');
  assert.equal(sockets.length, 1, 'over another connection');
});

test('a bad configuration under load is refused and told, a good one is taken; no request fails', async () => {
  await using one = await ScriptedServer.start(tinyCache());
  await using two = await ScriptedServer.start(tinyCache());
  const folder = mkdtempSync(join(tmpdir(), 'larder-config-'));
  const file = join(folder, 'router.json');
  const write = (config: unknown): void =>
    writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config));
  write(poolOf(one));
  try {
    await using started = await startTestRouter({}, { config: { file }, reloadMs: 20, threads: 2 });
    const { router, log } = started;
    let isOver = false;
    const clients = Array.from({ length: 8 }, () => askSteadily(router.port, () => isOver));
    const stat = async (name: string): Promise<number> =>
      Number(new RegExp(`STAT ${name} (\\d+)`).exec(await talk(router.port, 'stats\r\n'))?.[1]);
    const until = async (isReached: () => Promise<boolean>): Promise<void> => {
      while (!(await isReached())) await new Promise((resolve) => setImmediate(resolve));
    };
    const bad = [
      '{ "pools": ',
      '{}',
      { pools: {}, route: 'PoolRoute|nowhere' },
      { route: { type: 'NoRoute' } },
      '',
    ];
    for (const config of bad) {
      const before = await stat('config_failures');
      write(config);
      router.reload();
      await until(async () => (await stat('config_failures')) >= before + 2);
    }
    assert.ok(log.some((line) => line.includes('a new configuration is refused, the old one stays')));
    assert.match(await talk(router.port, 'get __mcrouter__.config_sources_info\r\n'), /"last_error":/);
    assert.equal(two.lines.length, 0);
    write(poolOf(two));
    router.reload();
    await until(async () => two.lines.includes('get a'));
    isOver = true;
    const replies = (await Promise.all(clients)).flat();
    assert.ok(replies.length > 100, `${replies.length} replies`);
    assert.deepEqual([...new Set(replies)], ['END\r\n']);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
