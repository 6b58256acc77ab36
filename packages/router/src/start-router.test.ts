/** The router as its clients see it, in front of servers that say what they are told to. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { RouterOptions } from './options/router-options.ts';
import type { RunningRouter } from './running-router.ts';
import { checkRouter, startRouter } from './start-router.ts';
import { poolOf, startTestRouter, type TestRouter } from './testing/routers.ts';
import { ScriptedServer, tinyCache } from './testing/scripted-server.ts';
import { talk } from './testing/talk.ts';

const started: TestRouter[] = [];
after(() => Promise.all(started.map((each) => each[Symbol.asyncDispose]())));

async function start(config: unknown, options: Partial<RouterOptions> = {}): Promise<RunningRouter> {
  const each = await startTestRouter(config, options);
  started.push(each);
  return each.router;
}

for (const transport of ['uring', 'epoll', 'node']) {
  test(`${transport}: gets over several servers come back as one, replies in the client's order`, async (context) => {
    await using a = await ScriptedServer.start(tinyCache());
    await using b = await ScriptedServer.start(tinyCache());
    await using c = await ScriptedServer.start(tinyCache());
    let router: RunningRouter;
    try {
      router = await start(poolOf(a, b, c), { transport });
    } catch (error) {
      if (!/not available/.test(String(error))) throw error;
      context.skip(String(error));
      return;
    }
    const keys = Array.from({ length: 40 }, (_, index) => `key:${index}`);
    const sets = keys.map((key, index) => `set ${key} 0 0 2\r\n${10 + index}\r\n`).join('');
    assert.equal(await talk(router.port, sets), 'STORED\r\n'.repeat(40));
    for (const server of [a, b, c])
      assert.ok(
        server.lines.some((line) => line.startsWith('set ')),
        'all have some',
      );
    // One after the other without waiting, and all at once.
    const singles = keys.map((key) => `get ${key}\r\n`).join('');
    const reply = await talk(router.port, `${singles}get ${keys.join(' ')} nothing\r\nmn\r\n`);
    const value = (key: string, index: number): string => `VALUE ${key} 0 2\r\n${10 + index}\r\n`;
    const single = keys.map((key, index) => `${value(key, index)}END\r\n`).join('');
    assert.ok(reply.startsWith(single), reply.slice(0, 300));
    const rest = reply.slice(single.length);
    assert.equal(rest.length, keys.map(value).join('').length + 'END\r\nMN\r\n'.length);
    assert.ok(rest.endsWith('END\r\nMN\r\n'));
    for (const [index, key] of keys.entries()) assert.ok(rest.includes(value(key, index)), key);
    await router.stop();
    assert.equal(await router.closed, 0);
  });
}

test('an unreachable server and one that never answers: errors that name them, then at once', async () => {
  await using silent = await ScriptedServer.start(() => undefined);
  const gone = await ScriptedServer.start(() => undefined);
  const { address } = gone;
  await gone[Symbol.asyncDispose]();
  const refused = await start({ pools: { a: { servers: [address] } }, route: 'PoolRoute|a' });
  assert.match(await talk(refused.port, 'get a\r\n'), new RegExp(`^SERVER_ERROR ${address}: .*\\r\\n$`));
  assert.match(await talk(refused.port, 'set a 0 0 1\r\nx\r\n'), /^SERVER_ERROR .* down .*ECONNREFUSED/);
  const stuck = await start(poolOf(silent));
  const before = performance.now();
  assert.match(
    await talk(stuck.port, 'get a\r\nget b\r\nget c\r\n'),
    /^(SERVER_ERROR .*: no reply within 300 ms\r\n){3}$/,
  );
  assert.ok(performance.now() - before < 2000);
  const again = performance.now();
  assert.match(await talk(stuck.port, 'get a\r\n'), /^SERVER_ERROR .* is down and probed/);
  assert.ok(performance.now() - again < 250, 'a server that was given up costs no time');
  const missing = await start(poolOf(silent), { missOnGetErrors: true });
  assert.equal(await talk(missing.port, 'get a\r\nget b\r\n'), 'END\r\nEND\r\n');
});

test('a malformed reply ends the connection to the server, and is an error for those who wait on it', async () => {
  await using odd = await ScriptedServer.start((line) => (line === 'get odd' ? 'HELLO\r\n' : 'END\r\n'));
  const router = await start(poolOf(odd));
  assert.match(
    await talk(router.port, 'get odd\r\n'),
    /^SERVER_ERROR .*: the connection ended before the reply/,
  );
  assert.equal(await talk(router.port, 'get even\r\n'), 'END\r\n');
  const stats = await talk(router.port, 'stats\r\nstats servers\r\n');
  assert.match(stats, /STAT errors_aborted 1\r\n/);
  assert.match(stats, /state:up/);
});

test('a dead server in a split get: the values of the others, and an error in place of END', async () => {
  await using alive = await ScriptedServer.start(tinyCache());
  await using dead = await ScriptedServer.start((_line, socket) => {
    socket.destroy();
    return undefined;
  });
  const router = await start(poolOf(alive, dead));
  const keys = Array.from({ length: 20 }, (_, index) => `k${index}`);
  await talk(router.port, keys.map((key) => `set ${key} 0 0 1\r\nx\r\n`).join(''));
  const reply = await talk(router.port, `get ${keys.join(' ')}\r\nmn\r\n`);
  assert.match(reply, /^(VALUE k\d+ 0 1\r\nx\r\n)+SERVER_ERROR .*\r\nMN\r\n$/);
});

test('noreply is not passed on, its errors are not told, and what follows sees what it did', async () => {
  await using server = await ScriptedServer.start(tinyCache());
  const router = await start(poolOf(server));
  const request =
    'set a 0 0 1 noreply\r\nx\r\nget a\r\ndelete a noreply\r\nget a\r\nincr a 1 noreply\r\nget a\r\n';
  assert.equal(await talk(router.port, request), 'VALUE a 0 1\r\nx\r\nEND\r\nEND\r\nEND\r\n');
  assert.ok(
    server.lines.every((line) => !line.includes('noreply')),
    server.lines.join('|'),
  );
});

test('through the route handles too, a client sees what it did, though the replies take their own time', async () => {
  await using a = await ScriptedServer.start(tinyCache());
  await using b = await ScriptedServer.start(tinyCache());
  const config = {
    pools: { a: { servers: [a.address] }, b: { servers: [b.address] } },
    route: {
      type: 'OperationSelectorRoute',
      default_policy: 'PoolRoute|a',
      operation_policies: {
        set: 'AllSyncRoute|Pool|a',
        delete: { type: 'AllSyncRoute', children: ['PoolRoute|a', 'PoolRoute|b'] },
      },
    },
  };
  const router = await start(config);
  const round = 'set k 0 0 1\r\nx\r\nget k\r\ndelete k\r\nget k\r\n';
  assert.match(
    await talk(router.port, round.repeat(20)),
    /^(STORED\r\nVALUE k 0 1\r\nx\r\nEND\r\n(DELETED|NOT_FOUND)\r\nEND\r\n){20}$/,
  );
});

test('routing prefixes: the key comes back as it was asked for, broadcasts go everywhere', async () => {
  await using a = await ScriptedServer.start(tinyCache());
  await using b = await ScriptedServer.start(tinyCache());
  const config = {
    pools: { a: { servers: [a.address] }, b: { servers: [b.address] } },
    routes: [
      { aliases: ['/eu/one/'], route: 'PoolRoute|a' },
      { aliases: ['/us/two/'], route: 'PoolRoute|b' },
    ],
  };
  const router = await start(config);
  const request =
    'set /us/two/k 0 0 1\r\nb\r\nget /us/two/k k\r\nget /us/two/k\r\ndelete /*/*/k\r\nget /us/two/k\r\n';
  assert.equal(
    await talk(router.port, request),
    'STORED\r\nVALUE /us/two/k 0 1\r\nb\r\nEND\r\nVALUE /us/two/k 0 1\r\nb\r\nEND\r\nNOT_FOUND\r\nEND\r\n',
  );
  assert.ok(a.lines.includes('delete k') && b.lines.includes('delete k'));
  assert.match(await talk(router.port, 'get /no/where/k\r\n'), /^SERVER_ERROR no route for prefix/);
});

test('a lease from the gutter is filled in the gutter, by whatever connection', async () => {
  const gone = await ScriptedServer.start(() => undefined);
  const { address } = gone;
  await gone[Symbol.asyncDispose]();
  await using gutter = await ScriptedServer.start(tinyCache());
  const config = {
    pools: { main: { servers: [address] }, gutter: { servers: [gutter.address] } },
    route: {
      type: 'FailoverWithExptimeRoute',
      normal: 'PoolRoute|main',
      failover: 'PoolRoute|gutter',
      failover_exptime: 10,
    },
  };
  const router = await start(config);
  const found = /^LVALUE k (\d+) 0 0\r\n\r\nEND\r\n$/.exec(await talk(router.port, 'lease-get k\r\n'));
  assert.ok(found, 'a token');
  assert.equal(
    await talk(router.port, `lease-set k ${found[1]} 0 0 1\r\nv\r\nget k\r\n`),
    'STORED\r\nVALUE k 0 1\r\nv\r\nEND\r\n',
  );
  const sent = gutter.lines.find((line) => line.startsWith('lease-set k '));
  assert.match(sent ?? '', /^lease-set k 101 0 \d+ 1$/, 'the gutter gets its own token');
  const unknown = (0x1adeb00dn << 32n) | 999n;
  assert.equal(await talk(router.port, `lease-set k ${unknown} 0 0 1\r\nw\r\n`), 'NOT_STORED\r\n');
});

test('keys of __mcrouter__ tell about the configuration and the way of a request', async () => {
  await using a = await ScriptedServer.start(tinyCache());
  await using b = await ScriptedServer.start(tinyCache());
  const router = await start(poolOf(a, b));
  const ask = async (name: string): Promise<string> => {
    const reply = await talk(router.port, `get __mcrouter__.${name}\r\n`);
    const found = /^VALUE (\S+) 0 \d+\r\n(.*)\r\nEND\r\n$/s.exec(reply);
    assert.equal(found?.[1], `__mcrouter__.${name}`, reply);
    return found?.[2] ?? '';
  };
  assert.match(await ask('version'), /^Larder \d/);
  assert.ok([a.address, b.address].includes(await ask('route(get,some-key)')));
  assert.equal(JSON.parse(await ask('config')).route, 'PoolRoute|main');
  assert.match(await ask('config_md5_digest'), /^[0-9a-f]{32}$/);
  assert.match(await ask('config_age'), /^\d+$/);
  assert.match(await ask('hostid'), /^\d+$/);
  assert.match(await ask('options'), /server_timeout_ms 300/);
  assert.equal(await ask('options(num_threads)'), '1');
  assert.ok((await ask('route_handles')).includes(`host|${a.address}`));
  assert.match(await ask('route_handles(get,k)'), /host\|/);
  assert.match(await ask('commands'), /config_age/);
  assert.match(await ask('nonsense'), /^ERROR/);
});

test('the spool is in stats, in the metrics and in __mcrouter__.stats', async () => {
  const spoolFolder = mkdtempSync(join(tmpdir(), 'larder-spool-'));
  try {
    const gone = await ScriptedServer.start(() => undefined);
    const { address } = gone;
    await gone[Symbol.asyncDispose]();
    const config = {
      pools: { a: { servers: [address] } },
      route: { type: 'AsynclogRoute', target: 'PoolRoute|a' },
    };
    const router = await start(config, { adminPort: 0, spoolFolder });
    assert.equal(await talk(router.port, 'delete one\r\ndelete two\r\n'), 'NOT_FOUND\r\nNOT_FOUND\r\n');
    const stats = await talk(router.port, 'stats\r\n');
    assert.match(stats, /STAT spool_written 2\r\n/);
    assert.match(stats, /STAT spool_entries 2\r\n/);
    assert.match(stats, /STAT spool_bytes [1-9]\d*\r\n/);
    const told = await talk(router.port, 'get __mcrouter__.stats __mcrouter__.stats(nothing)\r\n');
    assert.match(told, /\nspool_written 2\r\n/);
    assert.match(told, /ERROR: there are no stats nothing/);
    const admin = router.addresses.find(({ kind }) => kind === 'admin')!;
    const metrics = await (await fetch(`http://${admin.text}/metrics`)).text();
    assert.match(metrics, /larder_router_spool_written_total 2\n/);
    assert.match(metrics, /larder_router_spool_segments 1\n/);
    assert.match(metrics, /larder_router_spool_oldest_age \d+\n/);
  } finally {
    rmSync(spoolFolder, { recursive: true, force: true });
  }
});

test('admin pages: health, numbers, metrics per server', async () => {
  await using server = await ScriptedServer.start(tinyCache());
  const router = await start(poolOf(server), { adminPort: 0 });
  await talk(router.port, 'set a 0 0 1\r\nx\r\nget a\r\nget a\r\n');
  const admin = router.addresses.find(({ kind }) => kind === 'admin')!;
  const page = async (path: string): Promise<string> => (await fetch(`http://${admin.text}${path}`)).text();
  assert.equal(await page('/healthz'), 'ok\n');
  const metrics = await page('/metrics');
  assert.match(metrics, /larder_router_cmd_get_total 2\n/);
  assert.match(metrics, /larder_router_connections_total \d+\n/);
  assert.match(metrics, /larder_router_route_servers_up\{route="pool\|main\|Ch3"\} 1\n/);
  assert.match(metrics, new RegExp(`larder_router_server_up\\{server="${server.address}"\\} 1\\n`));
  assert.match(metrics, /larder_router_info\{version="[^"]+",transport="\w+"\} 1/);
  assert.equal(JSON.parse(await page('/stats.json')).general.cmd_set, 1);
  assert.equal(router.statistics().get('cmd_get'), 2);
});

test('two workers: clients of both are counted together, and a reload reaches both', async () => {
  await using server = await ScriptedServer.start(tinyCache());
  const router = await start(poolOf(server), { threads: 2 });
  await Promise.all(Array.from({ length: 20 }, () => talk(router.port, 'get a\r\n')));
  assert.match(await talk(router.port, 'stats\r\n'), /STAT cmd_get 20\r\n[\s\S]*STAT config_loads 2\r\n/);
  router.reload();
  assert.equal(await talk(router.port, 'get a\r\n'), 'END\r\n');
});

test('stop answers what is under way, and takes no more clients', async () => {
  let answer = (): void => {};
  await using server = await ScriptedServer.start((_line, socket) => {
    answer = () => socket.write('VALUE a 0 1\r\nx\r\nEND\r\n');
    return undefined;
  });
  const router = await start(poolOf(server));
  let reply = '';
  const client = connect(router.port, '127.0.0.1', () => client.write('get a\r\n'));
  client.on('data', (bytes) => {
    reply += bytes.toString('latin1');
  });
  const closed = new Promise((resolve) => client.once('close', resolve));
  while (!server.lines.includes('get a')) await new Promise((resolve) => setImmediate(resolve));
  const stopped = router.stop();
  answer();
  await closed;
  assert.equal(reply, 'VALUE a 0 1\r\nx\r\nEND\r\n');
  await stopped;
  assert.equal(await router.closed, 0);
  await assert.rejects(talk(router.port, 'get a\r\n'), { code: 'ECONNREFUSED' });
});

test('what cannot start says why in one line', async () => {
  await using server = await ScriptedServer.start(tinyCache());
  const port = Number(server.address.split(':')[1]);
  await assert.rejects(start(poolOf(server), { port }), {
    code: 'EADDRINUSE',
    message: /cannot listen on 127\.0\.0\.1:\d+/,
  });
  await assert.rejects(start({ route: 'PoolRoute|nowhere' }), { code: 'CONFIG', message: /nowhere/ });
  await assert.rejects(start({ pools: { a: { servers: ['not an address'] } }, route: 'PoolRoute|a' }), {
    code: 'CONFIG',
    message: /servers/,
  });
  await assert.rejects(startRouter({ config: { file: '/no/such/file' } }), { code: 'CONFIG_SOURCE' });
  await assert.rejects(start(poolOf(server), { transport: 'pigeons' }), { code: 'OPTION' });
  await assert.rejects(start(poolOf(server), { spoolFolder: '/dev/null/spool' }), {
    name: 'RouterError',
    code: 'ENOTDIR',
    option: '--spool',
    message: /cannot be spooled to \/dev\/null\/spool/,
  });
  await checkRouter({ config: { text: JSON.stringify(poolOf(server)) } });
  const bad = { config: { text: '{ "route": "PoolRoute|nowhere" }' } };
  await assert.rejects(checkRouter(bad), { name: 'RouterError', code: 'CONFIG', message: /nowhere/ });
});
