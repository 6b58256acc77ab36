/**
 * What a router benchmark starts: memcached servers behind, twemproxy and Larder's router in front of them,
 * each proxy with one thread and one connection per server.
 */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { BenchError } from '../errors.ts';
import type { BenchProcess, Processes } from '../harness/processes.ts';
import { askServer } from '../harness/text-client.ts';
import { SERVER_READY_MS } from '../limits.ts';

const HOST = '127.0.0.1';
const RETRY_MS = 20;
const ASK_MS = 1000;
const LARDER_MAIN = fileURLToPath(new URL('../../../packages/cli/src/main.ts', import.meta.url));

/** Something that answers gets on a port. */
export interface Target {
  readonly title: string;
  readonly port: number;
  readonly process: BenchProcess;
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject);
    probe.listen(0, HOST, resolve);
  });
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new BenchError('SERVER', 'no free port');
  return address.port;
}

/** Resolves when a get of a key that nobody has is answered with END. */
async function answers(target: Target): Promise<Target> {
  const giveUpAt = performance.now() + SERVER_READY_MS;
  for (;;) {
    try {
      await askServer({ host: HOST, port: target.port }, 'get nobody-has-this', ['END'], ASK_MS);
      return target;
    } catch (cause) {
      const said = target.process.output.trim();
      const detail = said === '' ? '' : `; it said:\n${said}`;
      if (target.process.hasEnded || performance.now() > giveUpAt) {
        throw new BenchError('SERVER', `${target.title} does not answer${detail}`, { cause });
      }
      await delay(RETRY_MS);
    }
  }
}

export async function startMemcached(
  processes: Processes,
  program: string,
  cpus: string,
  index: number,
): Promise<Target> {
  const port = await freePort();
  const user = process.getuid?.() === 0 ? ['-u', userInfo().username] : [];
  const args = ['-t', '1', '-m', '128', '-l', HOST, '-p', String(port), '-U', '0', ...user];
  const title = `memcached ${index + 1}`;
  return answers({ title, port, process: processes.start(title, program, args, { cpus }) });
}

/** twemproxy with its usual hash and distribution, and its default buffers. */
export async function startTwemproxy(
  processes: Processes,
  program: string,
  cpus: string,
  folder: string,
  servers: readonly Target[],
): Promise<Target> {
  const port = await freePort();
  const file = `${folder}/nutcracker.yml`;
  writeFileSync(
    file,
    [
      'bench:',
      `  listen: ${HOST}:${port}`,
      '  hash: fnv1a_64',
      '  distribution: ketama',
      '  auto_eject_hosts: false',
      '  preconnect: true',
      '  servers:',
      ...servers.map((server) => `   - ${HOST}:${server.port}:1`),
      '',
    ].join('\n'),
  );
  const statsPort = String(await freePort());
  const args = ['-c', file, '-s', statsPort, '-a', HOST, '-o', `${folder}/nutcracker.log`];
  const started = processes.start('twemproxy', program, [...args, '-p', `${folder}/nutcracker.pid`], {
    cpus,
  });
  return answers({ title: 'twemproxy', port, process: started });
}

/** Larder's router with one worker, from this repository's source, as an operator would start it. */
export async function startLarderRouter(
  processes: Processes,
  cpus: string,
  folder: string,
  servers: readonly Target[],
  transport: string | undefined,
): Promise<Target> {
  const port = await freePort();
  const file = `${folder}/router.json`;
  const addresses = servers.map((server) => `${HOST}:${server.port}`);
  writeFileSync(file, JSON.stringify({ pools: { bench: { servers: addresses } }, route: 'PoolRoute|bench' }));
  const args = ['-C', 'larder-source', LARDER_MAIN, 'router', '--config', file, '-l', HOST];
  const rest = ['-p', String(port), '-t', '1', '--admin-port', '0', '-c', '1024'];
  const started = processes.start('larder', process.execPath, [...args, ...rest], {
    cpus,
    env: transport === undefined ? {} : { LARDER_TRANSPORT: transport },
  });
  return answers({
    title: transport === undefined ? 'larder' : `larder (${transport})`,
    port,
    process: started,
  });
}
