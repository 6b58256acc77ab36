/** The life of a process with workers, by workers that do what they are told. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { Host } from './host.ts';
import { Listeners } from './listeners.ts';
import { createLogger } from './logging.ts';
import { resolveHostOptions } from './options/host-options.ts';
import { moduleBeside } from './start.ts';
import type { OddInput } from './testing/odd-worker.ts';

interface Heard {
  readonly type: 'heard';
  readonly text: string;
}

interface Case {
  readonly host: Host<OddInput, Heard>;
  readonly log: string[];
  readonly heard: string[];
  readonly released: boolean[];
  readonly port: number;
}

async function makeHost(...does: OddInput['does'][]): Promise<Case> {
  const log: string[] = [];
  const heard: string[] = [];
  const released: boolean[] = [];
  const settings = resolveHostOptions(
    { adminPort: 0, verbose: 1 },
    { port: 0, adminPort: 0, connectionsMax: 10 },
  );
  const listeners = new Listeners('epoll');
  const [socket] = await listeners.openStreams({
    host: '127.0.0.1',
    port: 0,
    count: 1,
    reusePort: false,
    option: '-p/--port',
    shownAs: 'tcp',
  });
  const host = new Host<OddInput, Heard>({
    name: 'test',
    log: createLogger(1, (line) => log.push(line)),
    settings,
    transport: 'epoll',
    listeners,
    notes: [],
    workers: {
      entry: moduleBeside(import.meta.url, './testing/odd-worker'),
      threadName: 'odd',
      inputs: does.map((each, index) => ({ index, does: each })),
      requestStop: (pool) => pool.tell({ type: 'stop' }),
      onMessage: (worker, { text }) => heard.push(`${worker} ${text}`),
    },
    admin: {
      title: 'test',
      statistics: () => ({}),
      metrics: async () => ({ contentType: 'text/plain', metrics: async () => '' }),
    },
    release: (isClean) => released.push(isClean),
  });
  return { host, log, heard, released, port: socket!.port };
}

test('workers serve, hear what they are told, and leave; then nothing listens any more', async () => {
  const { host, log, heard, released, port } = await makeHost('serve', 'serve');
  await host.start();
  assert.equal(host.port, port);
  assert.deepEqual(
    host.addresses.map(({ kind }) => kind),
    ['tcp', 'admin'],
  );
  const admin = host.addresses[1]!;
  assert.equal(await (await fetch(`http://${admin.text}/healthz`)).text(), 'ok\n');
  host.pool.tell({ type: 'say', text: 'hello' });
  await host.stop('the test is over');
  assert.deepEqual(heard.sort(), ['0 hello', '1 hello']);
  assert.equal(await host.closed, 0);
  assert.deepEqual(released, [true]);
  assert.match(log.join(''), /"msg":"started".*"msg":"serving".*the test is over.*"msg":"stopped"/s);
  await assert.rejects(fetch(`http://${admin.text}/healthz`));
  const error = await new Promise((resolve) => connect(port, '127.0.0.1').once('error', resolve));
  assert.match(String(error), /ECONNREFUSED/);
});

test('a worker that dies at start: start throws what it said, and nothing is left running', async () => {
  const { host, released } = await makeHost('serve', 'die-at-start');
  await assert.rejects(host.start(), { name: 'HostError', message: 'a bug at start' });
  assert.deepEqual(released, [false]);
});

test('a worker that dies later ends the process with code 1, which is not clean', async () => {
  const { host, log, released } = await makeHost('serve', 'die-later');
  await host.start();
  host.pool.tell({ type: 'say', text: 'die' });
  assert.equal(await host.closed, 1);
  assert.deepEqual(released, [false]);
  assert.match(log.join(''), /"level":60[^\n]*a bug while serving[^\n]*a worker died: the test ends/);
});

test('a worker that does not stop is ended by force, which is not clean either', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const { host, log, released } = await makeHost('serve', 'stay');
  await host.start();
  const stopped = host.stop();
  // The first one leaves by itself; the second one's time passes.
  while (!log.some((line) => line.includes('ended'))) {
    context.mock.timers.tick(10_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await stopped;
  assert.equal(await host.closed, 1);
  assert.deepEqual(released, [false]);
});
