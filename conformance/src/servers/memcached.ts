/**
 * Debian's memcached: the oracle that validates the suite itself. Its chosen port is read from the file that
 * MEMCACHED_PORT_FILENAME names, which memcached writes once it listens.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RawClient, type ServerAddress } from '../client/raw.ts';
import { until } from '../client/until.ts';
import { ServerProcess } from './process.ts';
import type { RunningServer, ServerExit, ServerKind, ServerOptions } from './server.ts';

function installedVersion(): string | undefined {
  try {
    const text = execFileSync('memcached', ['-V'], { encoding: 'latin1' });
    return /memcached (\d+\.\d+\.\d+)/.exec(text)?.[1];
  } catch {
    return undefined;
  }
}

function commandLine(options: ServerOptions): string[] {
  const line =
    options.unixSocket === undefined ? ['-l', '127.0.0.1', '-p', '-1'] : ['-s', options.unixSocket];
  line.push('-t', String(options.threads ?? 2));
  // memcached refuses to run as root unless it is told which user to become.
  if (process.getuid?.() === 0) line.push('-u', 'root');
  if (options.memoryMegabytes !== undefined) line.push('-m', String(options.memoryMegabytes));
  if (options.itemSizeMax !== undefined) line.push('-I', options.itemSizeMax);
  if (options.connectionsMax !== undefined) line.push('-c', String(options.connectionsMax));
  if (options.udp) line.push('-U', '-1');
  if (options.authFile !== undefined) line.push('-Y', options.authFile);
  if (options.memoryFile !== undefined) line.push('-e', options.memoryFile);
  if (options.tls) {
    line.push('-Z', '-o', `ssl_chain_cert=${options.tls.certificateFile},ssl_key=${options.tls.keyFile}`);
  }
  line.push(...(options.letters ?? []));
  return line;
}

/** Only SIGUSR1 makes memcached keep its memory file, and it refuses a file of the same second. */
async function stopKeepingFile(server: ServerProcess): Promise<ServerExit> {
  const exit = await server.stop('SIGUSR1');
  const stoppedAt = Math.floor(Date.now() / 1000);
  await until('another second', () => Math.floor(Date.now() / 1000) > stoppedAt);
  return exit;
}

async function connects(path: string): Promise<boolean> {
  try {
    await (await RawClient.connect({ path })).close();
    return true;
  } catch {
    return false;
  }
}

async function start(options: ServerOptions): Promise<RunningServer> {
  if (options.larder) throw new Error('memcached has no Larder options');
  const folder = mkdtempSync(join(tmpdir(), 'conformance-'));
  const portFile = join(folder, 'ports');
  const server = new ServerProcess('memcached', commandLine(options), { MEMCACHED_PORT_FILENAME: portFile });
  void server.exited.then(() => rmSync(folder, { recursive: true, force: true }));
  const path = options.unixSocket;
  const ports = await server.started(() => {
    if (path !== undefined) return existsSync(path) ? '' : undefined;
    const text = existsSync(portFile) ? readFileSync(portFile, 'latin1') : '';
    return text.includes('TCP') && (!options.udp || text.includes('UDP')) ? text : undefined;
  });
  // The socket file may be one that an earlier server left: only a connection shows that this one listens.
  if (path !== undefined) await until('the Unix socket answers', () => connects(path));
  const port = (kind: string): number => Number(new RegExp(`^${kind} INET: (\\d+)$`, 'm').exec(ports)?.[1]);
  const address: ServerAddress = path === undefined ? { host: '127.0.0.1', port: port('TCP') } : { path };
  return {
    address,
    udpPort: options.udp ? port('UDP') : undefined,
    pid: server.pid,
    exited: server.exited,
    log: () => server.log(),
    residentBytes: () => server.residentBytes(),
    stop: () => (options.memoryFile === undefined ? server.stop('SIGTERM') : stopKeepingFile(server)),
    kill: () => server.kill(),
    [Symbol.asyncDispose]: async () => {
      await server.kill();
    },
  };
}

/** memcached, if it is installed. */
export function memcachedServer(): ServerKind {
  const version = installedVersion();
  return {
    name: `memcached ${version ?? ''}`.trim(),
    larder: false,
    transport: undefined,
    version: version ?? '0.0.0',
    unavailable:
      version === undefined ? 'memcached is not installed (Debian: apt-get install memcached)' : undefined,
    start,
  };
}
