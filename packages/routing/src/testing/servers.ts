/** Real servers in processes of their own: Debian's memcached, and Larder. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const REPOSITORY = fileURLToPath(new URL('../../../..', import.meta.url));
const START_MS_MAX = 20_000;
const POLL_MS = 10;

export interface TestServer extends AsyncDisposable {
  readonly kind: 'memcached' | 'larder';
  /** `host:port`, as a pool names it. */
  readonly address: string;
  readonly port: number;
  readonly udpPort: number;
  readonly pid: number;
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/** Why there is no memcached here, or undefined. */
export function memcachedMissing(): string | undefined {
  try {
    execFileSync('memcached', ['-V']);
    return undefined;
  } catch {
    return 'memcached is not installed (apt-get install memcached)';
  }
}

/** Starts memcached on a free port, or on the one given. */
export async function startMemcached(options: { port?: number; udp?: boolean } = {}): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'larder-routing-'));
  const portFile = join(folder, 'ports');
  const line = ['-l', '127.0.0.1', '-p', String(options.port ?? -1), '-t', '1', '-m', '16'];
  if (process.getuid?.() === 0) line.push('-u', 'root');
  if (options.udp) line.push('-U', '-1');
  const child = spawn('memcached', line, {
    env: { ...process.env, MEMCACHED_PORT_FILENAME: portFile },
    stdio: 'ignore',
  });
  const text = await started(child, () => {
    const found = existsSync(portFile) ? readFileSync(portFile, 'latin1') : '';
    const isWhole = /TCP INET: \d+\n/.test(found) && (!options.udp || /UDP INET: \d+\n/.test(found));
    return isWhole ? found : undefined;
  });
  rmSync(folder, { recursive: true, force: true });
  const portOf = (kind: string): number => Number(new RegExp(`${kind} INET: (\\d+)`).exec(text)?.[1] ?? 0);
  return running('memcached', child, portOf('TCP'), portOf('UDP'));
}

/** Runs in a process of its own, because this package may not import what lies above it. */
const LARDER_SCRIPT = `
  import { startServer } from '@larder/server';
  const server = await startServer(JSON.parse(process.argv[1]));
  console.log(JSON.stringify(server.addresses));
`;

/** Starts Larder's server on a free port; `options` are those of `startServer`. */
export async function startLarder(
  options: { udp?: boolean } & Readonly<Record<string, unknown>> = {},
): Promise<TestServer> {
  const { udp, ...more } = options;
  const settings = {
    port: 0,
    adminPort: 'off',
    threads: 1,
    memoryBytes: 16 << 20,
    udpPort: udp ? -1 : 0,
    ...more,
  };
  const line = ['-C', 'larder-source', '-e', LARDER_SCRIPT, JSON.stringify(settings)];
  const child = spawn(process.execPath, line, { cwd: REPOSITORY, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      log += chunk.toString('latin1');
    });
  }
  const port = await started(
    child,
    () => portsOf(log),
    () => log,
  );
  return running('larder', child, port.tcp, port.udp);
}

function portsOf(log: string): { tcp: number; udp: number } | undefined {
  const line = log.split('\n').find((each) => each.startsWith('[{'));
  if (line === undefined || !line.endsWith(']')) return undefined;
  const addresses = JSON.parse(line) as { kind: string; port?: number }[];
  const portOf = (kind: string): number => addresses.find((each) => each.kind === kind)?.port ?? 0;
  return { tcp: portOf('tcp'), udp: portOf('udp') };
}

/** A port on which nothing listens. */
export async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Asks again and again until there is an answer. */
export async function until<T>(what: string, ask: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + START_MS_MAX;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${START_MS_MAX} ms`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function started<T>(child: ChildProcess, look: () => T | undefined, log?: () => string): Promise<T> {
  let ended: string | undefined;
  child.once('error', (error) => {
    ended = error.message;
  });
  child.once('exit', (code) => {
    ended = `exit code ${code}`;
  });
  try {
    return await until('a server starts', () => {
      if (ended !== undefined) throw new Error(`the server did not start: ${ended}\n${log?.() ?? ''}`);
      return look();
    });
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

async function running(
  kind: TestServer['kind'],
  child: ChildProcess,
  port: number,
  udpPort: number,
): Promise<TestServer> {
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await until('the server accepts', () => accepts(port));
  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await exited;
  };
  return {
    kind,
    address: `127.0.0.1:${port}`,
    port,
    udpPort,
    pid: child.pid ?? 0,
    kill,
    [Symbol.asyncDispose]: () => kill(),
  };
}

function accepts(port: number): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(undefined));
  });
}
