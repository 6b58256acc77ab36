/**
 * The servers that the tests run against: Larder, from source as operators start it, and Debian's memcached, on
 * ephemeral ports. What is not installed is skipped by name, never silently.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface TestServer {
  readonly kind: ServerKind;
  /** `127.0.0.1:port`. */
  readonly address: string;
  readonly port: number;
  readonly udpPort: number;
  /** 0 without `--tls-port`. */
  readonly tlsPort: number;
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

export type ServerKind = 'larder' | 'memcached';

/** Both kinds, with why one cannot be used here, for `test`'s `skip`. */
export const SERVER_KINDS: readonly { readonly kind: ServerKind; readonly skip: string | false }[] = [
  { kind: 'larder', skip: false },
  { kind: 'memcached', skip: memcachedMissing() },
];

const LARDER_MAIN = fileURLToPath(new URL('../../../cli/src/main.ts', import.meta.url));
const START_MS = 20_000;

/** Processes still running, so that an aborted test run leaves none behind. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

function memcachedMissing(): string | false {
  try {
    execFileSync('memcached', ['-V'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'memcached is not installed (Debian: apt-get install memcached)';
  }
}

interface Started {
  readonly child: ChildProcess;
  readonly log: () => string;
}

function launch(command: string, parameters: readonly string[], environment: NodeJS.ProcessEnv): Started {
  const child = spawn(command, parameters, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let log = '';
  const collect = (text: string): void => {
    log += text;
  };
  child.stdout.setEncoding('utf8').on('data', collect);
  child.stderr.setEncoding('utf8').on('data', collect);
  child.on('error', (error) => collect(String(error)));
  child.on('exit', () => running.delete(child));
  return { child, log: () => log };
}

/** Polls until `find` gives something; servers tell their ports in a file or a log line. */
async function found<T>(started: Started, what: string, find: () => T | undefined): Promise<T> {
  const deadline = performance.now() + START_MS;
  for (;;) {
    const value = find();
    if (value !== undefined) return value;
    if (started.child.exitCode !== null || performance.now() > deadline) {
      throw new Error(`${what} did not start: ${started.log()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function stopper(child: ChildProcess): () => Promise<void> {
  return () =>
    new Promise((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) resolve();
      else {
        child.once('exit', () => resolve());
        child.kill('SIGKILL');
      }
    });
}

function serverOf(
  kind: ServerKind,
  child: ChildProcess,
  ports: Pick<TestServer, 'port' | 'udpPort' | 'tlsPort'>,
): TestServer {
  return { kind, address: `127.0.0.1:${ports.port}`, ...ports, process: child, stop: stopper(child) };
}

async function startMemcached(extra: readonly string[]): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'larder-client-'));
  const portFile = join(folder, 'ports');
  const user = process.getuid?.() === 0 ? ['-u', 'root'] : [];
  const parameters = ['-l', '127.0.0.1', '-p', '-1', '-U', '-1', '-t', '2', ...user, ...extra];
  const started = launch('memcached', parameters, { MEMCACHED_PORT_FILENAME: portFile });
  started.child.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const text = await found(started, 'memcached', () => {
    if (statSync(portFile, { throwIfNoEntry: false }) === undefined) return undefined;
    const ports = readFileSync(portFile, 'latin1');
    return /UDP INET: \d+\n/.test(ports) ? ports : undefined;
  });
  const port = (kind: string): number => Number(new RegExp(`^${kind} INET: (\\d+)$`, 'm').exec(text)?.[1]);
  return serverOf('memcached', started.child, { port: port('TCP'), udpPort: port('UDP'), tlsPort: 0 });
}

interface LoggedAddress {
  readonly kind: string;
  readonly port?: number;
}

async function startLarder(extra: readonly string[]): Promise<TestServer> {
  const parameters = [
    '-C',
    'larder-source',
    LARDER_MAIN,
    'serve',
    '-v',
    '--no-admin',
    '-t',
    '1',
    '-m',
    '128',
  ];
  const started = launch(
    process.execPath,
    [...parameters, '-l', '127.0.0.1', '-p', '0', '-U', '-1', ...extra],
    {},
  );
  const addresses = await found(started, 'larder', () => {
    for (const line of started.log().split('\n')) {
      if (!line.includes('"addresses"') || !line.endsWith('}')) continue;
      return (JSON.parse(line) as { readonly addresses: readonly LoggedAddress[] }).addresses;
    }
    return undefined;
  });
  const port = (kind: string): number => addresses.find((each) => each.kind === kind)?.port ?? 0;
  return serverOf('larder', started.child, { port: port('tcp'), udpPort: port('udp'), tlsPort: port('tls') });
}

export function startServer(kind: ServerKind, extra: readonly string[] = []): Promise<TestServer> {
  return kind === 'larder' ? startLarder(extra) : startMemcached(extra);
}
