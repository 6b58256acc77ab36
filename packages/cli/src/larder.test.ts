/** The command as a user runs it: processes, their output, their exit codes. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findFreePort } from './free-port.ts';
import { Command, larder } from './testing/command.ts';
import { larderVersion } from './version.ts';

const LAUNCHER = fileURLToPath(new URL('../bin/larder.js', import.meta.url));
/** The machine's own Node.js, which may be older than what Larder needs. */
const SYSTEM_NODE = ['/usr/bin/node', '/usr/local/bin/node'].find((path) => existsSync(path));

/** What the server answers to `request` until it closes. */
function exchange(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let reply = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    socket.setEncoding('latin1').on('data', (text) => {
      reply += text;
    });
    socket.on('close', () => resolve(reply)).on('error', reject);
  });
}

const SERVE = ['serve', '-p', '0', '-t', '1', '-m', '8', '--no-admin', '-v'];
const SERVING = /"kind":"tcp","host":"127\.0\.0\.1","port":(\d+)/;

test('up: a banner, an answer to its own example, Ctrl-C and exit code 0', async () => {
  const up = larder('up', '-m', '8', '-t', '1', '--admin-port', '0');
  const [, port] = await up.until(/address +127\.0\.0\.1:(\d+)/);
  const [example] = await up
    .until(/Ctrl-C stops it/)
    .then(() => /printf '(.*)' \| nc/.exec(up.output)!.slice(1));
  const request = example!.replaceAll('\\r', '\r').replaceAll('\\n', '\n');
  assert.equal(await exchange(Number(port), request), 'STORED\r\nVALUE greeting 0 5\r\nhello\r\nEND\r\n');
  assert.ok(!up.output.includes('requests/s'), 'no live line when stdout is not a terminal');
  up.child.kill('SIGINT');
  assert.equal(await up.exit, 0);
  assert.match(up.output, /stopping/);
  await assert.rejects(exchange(Number(port), 'version\r\n'), { code: 'ECONNREFUSED' });
});

test('up takes the next free port and says so', async () => {
  // Whoever has 11211 already serves the purpose as well.
  const holder = createServer();
  await new Promise<void>((resolve) => {
    holder.once('error', () => resolve()).listen(11211, '127.0.0.1', resolve);
  });
  const up = larder('up', '-m', '8', '-t', '1', '--admin-port', '0');
  try {
    const [, port] = await up.until(/Port 11211 is taken; using (\d+)/);
    assert.ok(Number(port) > 11211);
    await up.until(/Ctrl-C stops it/);
    assert.match(await exchange(Number(port), 'version\r\nquit\r\n'), /^VERSION /);
  } finally {
    up.child.kill('SIGTERM');
    holder.close();
  }
  assert.equal(await up.exit, 0);
});

test('up --kill: the gutter takes over visibly; --start brings the server back; all end together', async () => {
  const port = String(await findFreePort('127.0.0.1', 21_811, 29_999));
  const up = larder('up', '-p', port, '-m', '8', '-t', '1', '--no-admin');
  await up.until(/Ctrl-C stops it/);
  const kill = larder('up', '--kill', 'cache-1', '-p', port);
  assert.equal(await kill.exit, 0);
  assert.match(kill.output, /killed cache-1/);
  assert.match(kill.output, /get: a miss · set to "after": STORED · get: "after"/);
  assert.match(kill.output, /gutter itself: demo:\d+ is "after", for another (9|10) s/);
  await up.until(/cache-1 is down \(SIGKILL\): the gutter takes over/);
  const again = larder('up', '--kill', 'cache-1', '-p', port);
  assert.equal(await again.exit, 0);
  assert.match(again.output, /down already/);
  const start = larder('up', '--start', 'cache-1', '-p', port);
  assert.equal(await start.exit, 0);
  assert.match(start.output, /cache-1 is back/);
  const wrong = larder('up', '--kill', 'cache-9', '-p', port);
  assert.equal(await wrong.exit, 1);
  assert.match(wrong.errors, /there are cache-1, cache-2, gutter/);
  const [, cachePort] = /cache-2 +127\.0\.0\.1:(\d+)/.exec(up.output)!;
  up.child.kill('SIGTERM');
  assert.equal(await up.exit, 0);
  await assert.rejects(exchange(Number(cachePort), 'version\r\n'), { code: 'ECONNREFUSED' });
  const nobody = larder('up', '--kill', 'cache-1', '-p', port);
  assert.equal(await nobody.exit, 1);
  assert.match(nobody.errors, /no running larder up/);
});

test('router: bad configurations and ports are one clear line; a good one is said to be right', async () => {
  const good = '{"pools":{"a":{"servers":["127.0.0.1:1"]}},"route":"PoolRoute|a"}';
  const [right, none, unknown, missing, syntax] = [
    larder('router', '--check', '--config-str', good),
    larder('router'),
    larder('router', '--config-str', '{"pools":{},"route":"PoolRoute|a"}'),
    larder('router', '--config', '/no/such/file.json'),
    larder('router', '--config-str', '{"pools":'),
  ];
  assert.equal(await right.exit, 0);
  assert.match(right.output, /the configuration is right/);
  assert.equal(await none.exit, 2);
  assert.match(none.errors, /the router needs a configuration/);
  for (const wrong of [unknown, missing, syntax]) {
    assert.notEqual(await wrong.exit, 0);
    assert.ok(!wrong.errors.includes('    at '), wrong.errors);
  }
  assert.match(unknown.errors, /route/);
  assert.match(missing.errors, /\/no\/such\/file\.json/);
});

test('router: serves, reads its configuration again on SIGHUP, and stops cleanly', async () => {
  const router = larder(
    'router',
    '-p',
    '0',
    '-t',
    '1',
    '--no-admin',
    '-v',
    '--config-str',
    '{"route":"NullRoute"}',
  );
  const [, port] = await router.until(SERVING);
  assert.equal(
    await exchange(Number(port), 'get a\r\nset a 0 0 1\r\nx\r\nquit\r\n'),
    'END\r\nNOT_STORED\r\n',
  );
  router.child.kill('SIGHUP');
  assert.match(await exchange(Number(port), 'version\r\nquit\r\n'), /^VERSION /);
  router.child.kill('SIGTERM');
  assert.equal(await router.exit, 0);
});

test('serve logs JSON lines to stderr, and nothing to stdout', async () => {
  const server = larder(...SERVE);
  const [, port] = await server.until(SERVING);
  assert.match(await exchange(Number(port), 'set a 0 0 1\r\nx\r\nquit\r\n'), /STORED/);
  server.child.kill('SIGTERM');
  assert.equal(await server.exit, 0);
  assert.equal(server.output, '');
  for (const line of server.errors.trim().split('\n')) assert.equal(typeof JSON.parse(line), 'object');
});

test('a taken port: one line that names it, advice, exit code 1', async () => {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  const { port } = holder.address() as AddressInfo;
  const server = larder('serve', '-p', String(port), '--no-admin');
  assert.equal(await server.exit, 1);
  holder.close();
  assert.match(
    server.errors,
    new RegExp(`cannot listen on 127\\.0\\.0\\.1:${port}: the address is already in use`),
  );
  assert.match(server.errors, /choose another port/);
  assert.ok(!server.errors.includes('    at '), 'no stack trace');
});

test('SIGUSR1 stops for a warm restart: items, expiry and CAS are there again', async () => {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'larder-cli-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const args = [...SERVE, '-e', join(folder, 'memory')];
  const first = larder(...args);
  const [, port] = await first.until(SERVING);
  const stored = await exchange(
    Number(port),
    'set a 7 3600 3\r\nabc\r\nset b 0 0 1\r\nb\r\nmg a c t\r\nquit\r\n',
  );
  const [, cas] = /HD c(\d+) t(\d+)/.exec(stored)!;
  const busy = larder(...args);
  assert.equal(await busy.exit, 1);
  assert.match(busy.errors, /in use by another process/);
  first.child.kill('SIGUSR1');
  assert.equal(await first.exit, 0);

  const second = larder(...args);
  const [, again] = await second.until(SERVING);
  const reply = await exchange(Number(again), 'mg a v f c t\r\nget b\r\nquit\r\n');
  const restored = /^VA 3 f7 c(\d+) t(\d+)\r\nabc\r\nVALUE b 0 1\r\nb\r\nEND\r\n$/.exec(reply);
  assert.ok(restored !== null, reply);
  assert.equal(restored[1], cas);
  assert.ok(Number(restored[2]) > 3500 && Number(restored[2]) <= 3600);
  second.child.kill('SIGKILL');
  await second.exit;

  const third = larder(...args);
  const [, fresh] = await third.until(SERVING);
  assert.match(third.errors, /did not stop cleanly/);
  assert.equal(await exchange(Number(fresh), 'get a b\r\nquit\r\n'), 'END\r\n');
  third.child.kill('SIGINT');
  assert.equal(await third.exit, 0);
});

test('a signal in the moment in which the address is known is a clean stop', async () => {
  const early = larder(...SERVE);
  let isSent = false;
  early.child.stderr!.on('data', () => {
    // In the very turn in which the address arrives.
    if (!isSent && SERVING.test(early.errors)) isSent = early.child.kill('SIGTERM');
  });
  assert.equal(await early.exit, 0);
  assert.match(early.errors, /"reason":"SIGTERM"/);
});

test('help, version, unknown commands and options', async () => {
  const [help, upHelp, serveHelp, version, wrong, typo, value] = [
    larder('--help'),
    larder('up', '--help'),
    larder('serve', '--help'),
    larder('--version'),
    larder('serv'),
    larder('serve', '--memory-limt', '64'),
    larder('serve', '-m', 'lots'),
  ];
  assert.equal(await help.exit, 0);
  assert.match(help.output, /Examples:[\s\S]*larder up[\s\S]*LARDER_TRANSPORT[\s\S]*Exit codes/);
  assert.equal(await upHelp.exit, 0);
  assert.match(upHelp.output, /-m, --memory-limit <size>[\s\S]*next\s+free\s+one/);
  assert.equal(await serveHelp.exit, 0);
  for (const flag of '-p -U -l -s -a -m -M -c -t -I -f -n -R -v -F -A -Y -e -o'.split(' ')) {
    assert.match(serveHelp.output, new RegExp(`^ +${flag}, --`, 'm'), flag);
  }
  assert.equal(await version.exit, 0);
  assert.equal(version.output.trim(), larderVersion());
  assert.equal(await wrong.exit, 2);
  assert.match(wrong.errors, /Did you mean serve\?/);
  assert.equal(await typo.exit, 2);
  assert.match(typo.errors, /Did you mean --memory-limit\?/);
  assert.equal(await value.exit, 2);
  assert.match(value.errors, /-m\/--memory-limit: "lots" is not a size/);
});

const launcherNode = SYSTEM_NODE ?? process.execPath;
test(`the launcher runs under ${launcherNode} and finds the pinned Node.js`, async () => {
  const server = new Command(launcherNode, [LAUNCHER, ...SERVE]);
  const [, port] = await server.until(SERVING);
  const stats = await exchange(Number(port), 'stats\r\nquit\r\n');
  assert.match(stats, /STAT threads 1/);
  // By a signal to the launcher alone, as a supervisor would.
  server.child.kill('SIGINT');
  assert.equal(await server.exit, 0);
  await assert.rejects(exchange(Number(port), 'version\r\n'), { code: 'ECONNREFUSED' });
  const failing = new Command(launcherNode, [LAUNCHER, 'serve', '-p', 'x']);
  assert.equal(await failing.exit, 2);
});
