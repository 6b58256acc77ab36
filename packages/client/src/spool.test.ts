/**
 * Deletes outlive the server that they are for and the process that wrote them: real processes, all killed.
 *
 * ```
 *   first process:  deletes while the server is dead ─▶ spool ─▶ kill -9
 *   server:         killed ────────────────────────────────────▶ back, with old values
 *   second process:                     starts before the server ─────▶ delivers, in order of key
 * ```
 */
import { strict as assert } from 'node:assert';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Registry } from 'prom-client';
import { Cache } from './cache.ts';
import { observeWithPrometheus } from './observe/prometheus.ts';
import { startServer } from './testing/servers.ts';

const CHILD = fileURLToPath(new URL('./testing/spool-child.ts', import.meta.url));

interface Answer {
  readonly deleted?: number;
  readonly failed?: number;
  readonly written: number;
  readonly delivered: number;
  readonly entries: number;
}

class Child {
  readonly process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(folder: string, address: string) {
    this.process = spawn(process.execPath, ['-C', 'larder-source', CHILD, folder, address], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#lines = createInterface(this.process.stdout!)[Symbol.asyncIterator]();
  }

  async ask(line: string): Promise<Answer> {
    this.process.stdin!.write(`${line}\n`);
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error('the child ended early');
    return JSON.parse(value) as Answer;
  }

  async kill(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill('SIGKILL');
    await ended;
  }
}

/** Passes a server's bytes on, keeps what clients said, and can be absent: the port stays the same. */
class Door {
  readonly deletes: string[] = [];
  readonly port: number;
  readonly #target: number;
  #server: Server;
  readonly #sockets: Set<Socket> = new Set();

  private constructor(server: Server, port: number, target: number) {
    this.#server = server;
    this.port = port;
    this.#target = target;
  }

  static async open(target: number): Promise<Door> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const door = new Door(server, typeof address === 'object' ? (address?.port ?? 0) : 0, target);
    door.#serve();
    return door;
  }

  #serve(): void {
    this.#server.on('connection', async (client) => {
      const { connect } = await import('node:net');
      const server = connect(this.#target, '127.0.0.1');
      let text = '';
      for (const socket of [client, server]) {
        this.#sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => {
          client.destroy();
          server.destroy();
        });
      }
      client.on('data', (bytes) => {
        text += bytes.toString('latin1');
        for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n')) {
          const line = text.slice(0, end);
          text = text.slice(end + 2);
          if (line.startsWith('delete ')) this.deletes.push(line.slice('delete '.length));
        }
        server.write(bytes);
      });
      server.on('data', (bytes) => client.write(bytes));
    });
  }

  /** As a killed server: connections break, new ones are refused. */
  async vanish(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
    await closed;
  }

  async comeBack(): Promise<void> {
    this.#server = createServer();
    this.#serve();
    await new Promise<void>((resolve) => this.#server.listen(this.port, '127.0.0.1', resolve));
  }
}

test('kill -9 of the server and then of the process: the next one delivers in order of key', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'larder-client-spool-'));
  const server = await startServer('larder');
  const door = await Door.open(server.port);
  const address = `127.0.0.1:${door.port}`;
  const children: Child[] = [];
  const start = (): Child => {
    const child = new Child(folder, address);
    children.push(child);
    return child;
  };
  try {
    await using direct = await Cache.connect({ servers: server.address });
    const keys = Array.from(
      { length: 40 },
      (_, index) => `key:${String((index * 17) % 40).padStart(2, '0')}`,
    );
    await direct.setMany([...keys, 'kept'].map((key) => [key, 'old'] as const));

    const first = start();
    assert.deepEqual((await first.ask('delete nothing')).written, 0);
    await door.vanish();
    const spooled = await first.ask(`delete ${keys.join(' ')}`);
    assert.deepEqual(
      [spooled.written, spooled.entries, spooled.failed, spooled.deleted],
      [40, 40, 0, 0],
      'a delete that waits is as good as done',
    );
    await first.kill();
    assert.equal(await direct.get('key:00'), 'old', 'the server does not know yet');

    door.deletes.length = 0;
    const second = start();
    assert.equal((await second.ask('spool')).entries, 40, 'what the dead process left is seen');
    assert.equal((await second.ask('delete key:07')).failed, 0);
    await door.comeBack();
    const deadline = performance.now() + 20_000;
    let state = await second.ask('spool');
    while (state.entries > 0) {
      assert.ok(performance.now() < deadline, JSON.stringify(state));
      state = await second.ask('spool');
    }
    assert.ok(state.delivered >= 40, JSON.stringify(state));
    assert.equal((await direct.getMany(keys)).size, 0);
    assert.equal(await direct.get('kept'), 'old');
    const delivered = door.deletes.filter((line) => line.startsWith('key:'));
    const order = [...new Set(delivered)];
    assert.deepEqual(order, [...order].sort(), 'in order of key');
    assert.equal(order.length, 40);
  } finally {
    await Promise.all(children.map((child) => child.kill()));
    await door.vanish();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});

test('the spool is in the metrics, and without a folder there is none', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'larder-client-spool-'));
  try {
    // Nobody listens on port 1.
    await using cache = await Cache.connect({ servers: '127.0.0.1:1', spoolFolder: folder });
    await using plain = await Cache.connect({ servers: '127.0.0.1:1' });
    assert.equal(plain.spool, undefined);
    assert.equal(cache.spool?.contents().entries, 0);
    const register = new Registry();
    const stop = observeWithPrometheus(cache, { register, name: 'spooling' });
    const stopPlain = observeWithPrometheus(plain, { register, name: 'plain' });
    await cache.deleteMany(['a', 'b']);
    assert.equal(await plain.delete('a'), false);
    assert.deepEqual([cache.statistics.deleteFailures, plain.statistics.deleteFailures], [0, 1]);
    const text = await register.metrics();
    assert.match(text, /larder_client_spool_written_total\{cache="spooling"\} 2/);
    assert.match(text, /larder_client_spool_entries\{cache="spooling"\} 2/);
    assert.match(text, /larder_client_spool_bytes\{cache="spooling"\} 50/);
    assert.match(text, /larder_client_spool_oldest_seconds\{cache="spooling"\} \d/);
    assert.doesNotMatch(text, /spool_[a-z_]+\{cache="plain"\}/);
    stop();
    stopPlain();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
