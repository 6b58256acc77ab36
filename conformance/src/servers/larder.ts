/**
 * Larder on one transport, started as operators start it: `larder serve` on an ephemeral port. The addresses
 * are read from its structured log.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ServerAddress } from '../client/raw.ts';
import { ServerProcess } from './process.ts';
import type { RunningServer, ServerKind, ServerOptions } from './server.ts';

export const LARDER_TRANSPORTS: readonly string[] = ['uring', 'epoll', 'node'];

const MAIN = fileURLToPath(new URL('../../../packages/cli/src/main.ts', import.meta.url));
/** Larder speaks what the newest memcached speaks. */
const PROTOCOL_VERSION = '1.6.45';

/** A listening address as the log tells it. */
export interface LoggedAddress {
  readonly kind: string;
  readonly host?: string;
  readonly port?: number;
  readonly path?: string;
}

function commandLine(transport: string, options: ServerOptions): string[] {
  const line = ['-C', 'larder-source', MAIN, 'serve', '--transport', transport, '-v', '--no-admin'];
  if (options.unixSocket === undefined) line.push('-l', '127.0.0.1', '-p', options.tls ? 'off' : '0');
  else line.push('-s', options.unixSocket);
  line.push('-t', String(options.threads ?? 2));
  if (options.memoryMegabytes !== undefined) line.push('-m', String(options.memoryMegabytes));
  if (options.itemSizeMax !== undefined) line.push('-I', options.itemSizeMax);
  if (options.connectionsMax !== undefined) line.push('-c', String(options.connectionsMax));
  if (options.udp) line.push('-U', '-1');
  if (options.authFile !== undefined) line.push('-Y', options.authFile);
  if (options.memoryFile !== undefined) line.push('-e', options.memoryFile);
  if (options.tls) {
    line.push('--tls-port', '0', '--tls-cert', options.tls.certificateFile, '--tls-key', options.tls.keyFile);
  }
  line.push(...(options.letters ?? []), ...(options.larder ?? []));
  return line;
}

/** The addresses of the log line that says that the server is ready; undefined before that. */
export function loggedAddresses(log: string): readonly LoggedAddress[] | undefined {
  for (const line of log.split('\n')) {
    if (!line.startsWith('{') || !line.includes('"addresses"')) continue;
    try {
      const entry = JSON.parse(line) as { readonly addresses?: readonly LoggedAddress[] };
      if (entry.addresses) return entry.addresses;
    } catch {
      // The line is not complete yet.
    }
  }
  return undefined;
}

async function start(transport: string, options: ServerOptions): Promise<RunningServer> {
  const server = new ServerProcess(process.execPath, commandLine(transport, options), {});
  const addresses = await server.started(() => loggedAddresses(server.log()));
  const find = (kind: string): LoggedAddress => {
    const address = addresses.find((each) => each.kind === kind);
    if (!address) throw new Error(`no ${kind} address in ${JSON.stringify(addresses)}`);
    return address;
  };
  let address: ServerAddress;
  if (options.unixSocket === undefined) {
    const tcp = find(options.tls ? 'tls' : 'tcp');
    address = { host: tcp.host ?? '127.0.0.1', port: tcp.port ?? 0 };
  } else {
    address = { path: options.unixSocket };
  }
  return {
    address,
    udpPort: options.udp ? find('udp').port : undefined,
    pid: server.pid,
    exited: server.exited,
    log: () => server.log(),
    residentBytes: () => server.residentBytes(),
    stop: () => server.stop('SIGTERM'),
    kill: () => server.kill(),
    [Symbol.asyncDispose]: async () => {
      await server.kill();
    },
  };
}

/** Asks Larder itself whether a transport can run here, by starting it. */
async function unavailability(transport: string): Promise<string | undefined> {
  if (!existsSync(MAIN)) return 'packages/cli does not exist';
  try {
    const server = await start(transport, { threads: 1 });
    await server.kill();
    return undefined;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const reason = /not available[^\n]*/i.exec(text)?.[0];
    // Only "not available" is a reason to skip; any other failure to start must fail the suite.
    return transport === 'node' ? undefined : reason;
  }
}

export async function larderServer(transport: string): Promise<ServerKind> {
  return {
    name: `Larder (${transport})`,
    larder: true,
    transport,
    version: PROTOCOL_VERSION,
    unavailable: await unavailability(transport),
    start: (options) => start(transport, options),
  };
}
