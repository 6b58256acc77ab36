/** Ketama as twemproxy does it, held against a running nutcracker in front of servers that note their keys. */
import { strict as assert } from 'node:assert';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePort, until } from '../testing/servers.ts';
import { KetamaHash, type KetamaServer, KetamaVariant } from './ketama.ts';

const KEYS: readonly string[] = Array.from({ length: 300 }, (_, index) => `${index * 7919}:user:${index}`);
const WEIGHTS: readonly number[] = [1, 3, 2, 1, 5];

function missing(): string | false {
  try {
    // It says so on stderr and ends with 0.
    execFileSync('nutcracker', ['-V'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'nutcracker is not installed (apt-get install nutcracker)';
  }
}

/** A server that misses every get and notes its keys. */
async function noteTaker(keys: string[]): Promise<Server> {
  const server = createServer((socket) => {
    let text = '';
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n')) {
        keys.push(...text.slice(0, end).split(' ').slice(1).filter(Boolean));
        text = text.slice(end + 2);
        socket.write('END\r\n');
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

/** Gets every key through the proxy; resolves when all are answered. */
function getAll(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let ends = 0;
    socket.on('error', reject);
    socket.on('data', (chunk: Buffer) => {
      ends += chunk.toString('latin1').split('END').length - 1;
      if (ends < KEYS.length) return;
      socket.destroy();
      resolve();
    });
    socket.write(KEYS.map((key) => `get ${key}\r\n`).join(''));
  });
}

/** Which server nutcracker sends each key to. */
async function serversByNutcracker(hash: string): Promise<{ servers: KetamaServer[]; noted: string[][] }> {
  const noted: string[][] = WEIGHTS.map(() => []);
  const takers = await Promise.all(noted.map(noteTaker));
  const servers = takers.map((taker, index) => ({
    host: '127.0.0.1',
    port: portOf(taker),
    weight: WEIGHTS[index]!,
  }));
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'larder-nutcracker-'));
  const lines = servers.map((server) => `   - ${server.host}:${server.port}:${server.weight}`);
  const settings = [`listen: 127.0.0.1:${port}`, `hash: ${hash}`, 'distribution: ketama', 'servers:'];
  writeFileSync(
    join(folder, 'n.yml'),
    `larder:\n${settings.map((line) => `  ${line}\n`).join('')}${lines.join('\n')}\n`,
  );
  const line = ['-c', join(folder, 'n.yml'), '-s', String(await freePort()), '-o', join(folder, 'log')];
  const proxy = spawn('nutcracker', line, { stdio: 'ignore' });
  const exited = new Promise((resolve) => proxy.once('exit', resolve));
  try {
    await until('nutcracker answers', () =>
      getAll(port).then(
        () => true as const,
        () => undefined,
      ),
    );
  } finally {
    proxy.kill('SIGKILL');
    await exited;
    for (const taker of takers) taker.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return { servers, noted };
}

for (const [hash, variant] of [
  ['fnv1a_64', KetamaVariant.twemproxy],
  ['md5', KetamaVariant.libmemcachedWeighted],
] as const) {
  test(`ketama with ${hash} is nutcracker's`, { skip: missing() }, async () => {
    const { servers, noted } = await serversByNutcracker(hash);
    const ketama = new KetamaHash(servers, variant);
    const expected: string[][] = servers.map(() => []);
    for (const key of KEYS) {
      const bytes = Buffer.from(key);
      expected[ketama.select(bytes, 0, bytes.length)]!.push(key);
    }
    // Attempts before it listened may have left some keys twice.
    assert.deepEqual(
      noted.map((keys) => [...new Set(keys)].sort()),
      expected.map((keys) => keys.sort()),
    );
  });
}
