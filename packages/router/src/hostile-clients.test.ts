/** Clients that send what makes no sense: an error for each, and everybody else is served. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { availableTransports } from '@larder/datapath';
import fc from 'fast-check';
import { EmptyServer } from './testing/empty-server.ts';
import { poolOf, startTestRouter, type TestRouter } from './testing/routers.ts';
import { ScriptedServer } from './testing/scripted-server.ts';
import { talk } from './testing/talk.ts';

const SEED = 20_261_121;
const VALUE_BYTES_MAX = 64 * 1024;

let server: EmptyServer;
let started: TestRouter;
before(async () => {
  server = await EmptyServer.start();
  started = await startTestRouter(poolOf(server), { valueBytesMax: VALUE_BYTES_MAX });
});
after(async () => {
  await started[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const LONG_KEY = 'k'.repeat(251);

test('what is no request gets one error, and what follows is read as what it is', async () => {
  const cases: [string, RegExp][] = [
    ['\r\n', /^ERROR\r\n$/],
    ['\n', /^ERROR\r\n$/],
    ['nonsense\r\n', /^ERROR\r\n$/],
    ['GET a\r\n', /^ERROR\r\n$/],
    ['\0\0\0\0\r\n', /^ERROR\r\n$/],
    ['get\r\n', /^ERROR\r\n$/],
    [`get ${LONG_KEY}\r\n`, /^CLIENT_ERROR .*\r\n$/],
    [`get a ${LONG_KEY} b\r\n`, /^CLIENT_ERROR .*\r\n$/],
    ['get a\x01b\r\n', /^(CLIENT_)?ERROR.*\r\n$/],
    ['gat\r\n', /^ERROR\r\n$/],
    ['gat 0\r\n', /^ERROR\r\n$/],
    ['set\r\n', /^ERROR\r\n$/],
    ['set a 0 0\r\n', /^ERROR\r\n$/],
    ['set a 0 0 -1\r\n', /^CLIENT_ERROR .*\r\n$/],
    ['set a 0 0 x\r\n', /^CLIENT_ERROR .*\r\n$/],
    ['set a 0 0 99999999999999999999\r\n', /^(CLIENT|SERVER)_ERROR .*\r\n$/],
    [`set ${LONG_KEY} 0 0 1\r\nx\r\n`, /^CLIENT_ERROR .*\r\nERROR\r\n$/],
    ['set a 0 0 1\r\nxyz\r\n', /^CLIENT_ERROR bad data chunk\r\n(ERROR\r\n)?$/],
    ['cas a 0 0 1\r\nx\r\n', /^ERROR\r\n(ERROR\r\n)?$/],
    ['delete\r\n', /^ERROR\r\n$/],
    ['incr a\r\n', /^ERROR\r\n$/],
    ['incr a x\r\n', /^CLIENT_ERROR .*\r\n$/],
    ['touch a\r\n', /^ERROR\r\n$/],
    ['mg\r\n', /^(CLIENT_)?ERROR.*\r\n$/],
    [`mg ${LONG_KEY} v\r\n`, /^CLIENT_ERROR .*\r\n$/],
    ['ms a\r\n', /^(CLIENT_)?ERROR.*\r\n$/],
    ['ms a x\r\n', /^CLIENT_ERROR .*\r\n$/],
    ['ma\r\n', /^(CLIENT_)?ERROR.*\r\n$/],
    ['lease-set a\r\n', /^(CLIENT_)?ERROR.*\r\n$/],
    ['flush_all soon\r\n', /^CLIENT_ERROR .*\r\n$/],
    ['stats nothing\r\n', /^ERROR\r\n$/],
    ['watch fetchers\r\n', /^CLIENT_ERROR .*\r\n$/],
    ['shutdown\r\n', /^ERROR.*\r\n$/],
  ];
  for (const [request, expected] of cases) {
    const reply = await talk(started.router.port, `${request}mn\r\n`);
    assert.ok(reply.endsWith('MN\r\n'), `${JSON.stringify(request)}: ${JSON.stringify(reply)}`);
    assert.match(reply.slice(0, -'MN\r\n'.length), expected, JSON.stringify(request));
  }
});

test('values at the limit pass, longer ones are refused and their bytes thrown away, however long', async () => {
  const value = (bytes: number): string => 'v'.repeat(bytes);
  const set = (bytes: number): string => `set big 0 0 ${bytes}\r\n${value(bytes)}\r\n`;
  const { port } = started.router;
  assert.equal(await talk(port, `${set(VALUE_BYTES_MAX)}mn\r\n`), 'STORED\r\nMN\r\n');
  for (const bytes of [VALUE_BYTES_MAX + 1, 40 * VALUE_BYTES_MAX]) {
    const reply = await talk(port, `${set(bytes)}mn\r\n`);
    assert.equal(reply, 'SERVER_ERROR object too large for cache\r\nMN\r\n');
    const meta = await talk(port, `ms big ${bytes}\r\n${value(bytes)}\r\nmn\r\n`);
    assert.match(meta, /^SERVER_ERROR object too large.*\r\nMN\r\n$/);
  }
});

test('a line without an end, and a get of too many keys', async () => {
  const { port } = started.router;
  assert.match(await talk(port, 'x'.repeat(100_000)), /^CLIENT_ERROR line too long\r\n$/);
  // What a client sends on may have reset the connection before it could read that.
  assert.match(await talk(port, `get ${'k '.repeat(2_000_000)}`), /^(CLIENT_ERROR line too long\r\n)?$/);
  assert.match(
    await talk(port, `get ${'k '.repeat(16_385)}\r\nmn\r\n`),
    /^CLIENT_ERROR more than 16384 keys in one get\r\nMN\r\n$/,
  );
});

test('input that ends midway ends the connection without a word', async () => {
  const { port } = started.router;
  for (const request of [
    'get a',
    'set half 0 0 10\r\nabc',
    'set half 0 0 3\r\nabc',
    'ms half 10\r\n',
    '\x80\x00',
  ]) {
    assert.equal(await talk(port, request), '', JSON.stringify(request));
  }
  assert.equal(await talk(port, 'get half\r\n'), 'END\r\n');
});

/** Sends in pieces, each in a segment of its own as far as the kernel plays along. */
function talkInPieces(port: number, pieces: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    let reply = '';
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const next = (index: number): void => {
      if (index === pieces.length) socket.end();
      else socket.write(pieces[index]!, 'latin1', () => setImmediate(next, index + 1));
    };
    socket.setEncoding('latin1').on('data', (part: string) => {
      reply += part;
    });
    socket.on('connect', () => next(0));
    socket.on('error', reject);
    socket.on('close', () => resolve(reply));
  });
}

test(`random requests end, and get the same replies in pieces as whole (seed ${SEED})`, async () => {
  const word = fc.constantFrom(
    ...[
      'get',
      'gets',
      'set',
      'add',
      'mg',
      'ms',
      'md',
      'ma',
      'mn',
      'delete',
      'incr',
      'touch',
      'gat',
      'lease-get',
    ],
    ...['a', 'b', '/x/y/a', 'noreply', 'v', 'k', 'q', 'b64', '0', '1', '3', '-1', '4294967296', LONG_KEY],
  );
  const separator = fc.constantFrom(' ', ' ', ' ', '\r\n', '\r\n', '\n', '\r', '  ', '\0', '\x80');
  const request = fc
    .array(fc.tuple(word, separator), { minLength: 1, maxLength: 12 })
    .map((parts) => parts.flat().join(''));
  const cut = fc.array(fc.nat({ max: 60 }), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(request, cut, async (text, cuts) => {
      const { port } = started.router;
      const whole = `${text}\r\nmn\r\n`;
      const places = [0, ...cuts.sort((a, b) => a - b), whole.length];
      const pieces = places.slice(1).map((place, index) => whole.slice(places[index], place));
      const first = await talk(port, whole);
      assert.equal(
        await talkInPieces(
          port,
          pieces.filter((piece) => piece !== ''),
        ),
        first,
      );
    }),
    { seed: SEED, numRuns: 400 },
  );
  assert.equal(await talk(started.router.port, 'mn\r\n'), 'MN\r\n');
});

test('a client that does not read is not read either, and gets everything when it does', async () => {
  const value = 'v'.repeat(64 * 1024);
  const count = 800;
  await using large = await ScriptedServer.start((line) =>
    line === 'get large' ? `VALUE large 0 ${value.length}\r\n${value}\r\nEND\r\n` : 'END\r\n',
  );
  await using other = await startTestRouter(poolOf(large), { serverTimeoutMs: 10_000 });
  const { port } = other.router;
  const asked = (): number => large.lines.filter((line) => line === 'get large').length;
  const socket = connect(port, '127.0.0.1').pause();
  socket.write('get large\r\n'.repeat(count));
  // What it may have under way comes, and then no more, while others are served.
  for (let before = -1; before < asked() || asked() === 0; ) {
    before = asked();
    for (let turn = 0; turn < 50; turn++) assert.equal(await talk(port, 'get a\r\n'), 'END\r\n');
  }
  assert.ok(asked() < count / 2, `${asked()} of ${count} were asked for`);
  let received = 0;
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject).on('close', () => resolve());
    socket.on('data', (bytes) => {
      received += bytes.length;
    });
    socket.resume();
    socket.end();
  });
  assert.equal(received, count * (value.length + `VALUE large 0 ${value.length}\r\n\r\nEND\r\n`.length));
});

test('clients that vanish with requests under way harm nobody', async () => {
  const { port } = started.router;
  for (let round = 0; round < 20; round++) {
    const socket = connect(port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.write('get a\r\n'.repeat(500));
    socket.resetAndDestroy();
  }
  assert.equal(await talk(port, 'get a\r\n'.repeat(100)), 'END\r\n'.repeat(100));
});

for (const { kind, available, reason } of availableTransports()) {
  const skip = available ? false : `not available here: ${reason}`;
  test(`${kind}: the Unix socket of a process that was killed is taken over, a living one's is not`, {
    skip,
  }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'larder-unix-'));
    const path = join(folder, 'router.sock');
    try {
      const code = `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('listens'))`;
      const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
      await new Promise((resolve) => child.stdout.once('data', resolve));
      const options = { transport: kind, unixSocket: path };
      await assert.rejects(startTestRouter(poolOf(server), options), {
        name: 'RouterError',
        code: 'EADDRINUSE',
        option: '-s/--unix-socket',
      });
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('exit', resolve));
      assert.ok(existsSync(path), 'nobody has taken it away');
      await using again = await startTestRouter(poolOf(server), options);
      const reply = await new Promise<string>((resolve, reject) => {
        const socket = connect(path, () => socket.end('mn\r\n'));
        socket.once('data', (bytes) => resolve(bytes.toString('latin1'))).once('error', reject);
      });
      assert.equal(reply, 'MN\r\n');
      assert.ok(again.router.addresses.some(({ text }) => text === path));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
