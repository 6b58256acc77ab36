/** A hundred real processes miss the same key at the same moment: the factory runs once (papers/nsdi13 3.2.1). */
import { strict as assert } from 'node:assert';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Cache } from '../cache.ts';
import { SERVER_KINDS, startServer, type TestServer } from '../testing/servers.ts';

const PROCESSES = 100;
const CHILD = fileURLToPath(new URL('../testing/lease-child.ts', import.meta.url));

interface Answer {
  readonly value: string;
  readonly waits: number;
}

/** A child and the lines it writes. */
class Child {
  readonly process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(addresses: readonly string[], compileCache: string) {
    // Without a cache of compiled code a hundred starts would take most of a minute on a small machine.
    const env = { ...process.env, NODE_COMPILE_CACHE: compileCache };
    this.process = spawn(process.execPath, ['-C', 'larder-source', CHILD, ...addresses], {
      env,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#lines = createInterface(this.process.stdout!)[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error('a child ended early');
    return value;
  }

  async ask(index: number): Promise<Answer> {
    this.process.stdin!.write(`go ${index}\n`);
    return JSON.parse(await this.line()) as Answer;
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    if (this.process.exitCode !== null) return;
    this.process.kill('SIGKILL');
    await ended;
  }
}

const kinds = SERVER_KINDS.filter(({ skip }) => skip === false).map(({ kind }) => kind);
const servers: TestServer[] = [];
const children: Child[] = [];
const compileCache: string = mkdtempSync(join(tmpdir(), 'larder-lease-'));

before(
  async () => {
    servers.push(...(await Promise.all(kinds.map((kind) => startServer(kind)))));
    const addresses = servers.map(({ address }) => address);
    const start = (): Child => {
      const child = new Child(addresses, compileCache);
      children.push(child);
      return child;
    };
    // The first one fills the cache of compiled code: it is written when a process ends.
    const first = new Child(addresses, compileCache);
    await first.line();
    const ended = new Promise((resolve) => first.process.once('exit', resolve));
    first.process.stdin!.end();
    await ended;
    await Promise.all(Array.from({ length: PROCESSES }, () => start().line()));
  },
  { timeout: 110_000 },
);

after(async () => {
  await Promise.all(children.map((child) => child.stop()));
  await Promise.all(servers.map((server) => server.stop()));
  rmSync(compileCache, { recursive: true, force: true });
});

for (const { kind, skip } of SERVER_KINDS) {
  test(`${kind}: a hundred processes miss one key, one factory runs`, { skip }, async () => {
    const index = kinds.indexOf(kind);
    const answers = await Promise.all(children.map((child) => child.ask(index)));
    assert.equal(answers.length, PROCESSES);
    assert.equal(new Set(answers.map(({ value }) => value)).size, 1, 'all have the same value');
    const waited = answers.filter(({ waits }) => waits > 0).length;
    assert.ok(waited > PROCESSES / 2, `only ${waited} had to wait: they did not miss together`);
    await using cache = await Cache.connect({ servers: servers[index]!.address });
    assert.equal(await cache.get('factory runs'), 1);
  });
}
