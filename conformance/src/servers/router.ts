/**
 * Larder's router with cache servers behind it, in the place of a server: what a client sees must be the same.
 * Once with requests that are forwarded as bytes (to one server: the values of a get that is split come in any order,
 * which the router's own tests are about), once with a configuration that sends every request through the route handles
 * as an object. Both also over the links that a service has which embeds the routing: with the portable transport only
 * what reads the clients' lines is the router's own, and all that is behind it is what the client library runs.
 */
import { fileURLToPath } from 'node:url';
import type { ServerAddress } from '../client/raw.ts';
import { loggedAddresses } from './larder.ts';
import { ServerProcess } from './process.ts';
import type { RunningServer, ServerKind, ServerOptions } from './server.ts';

const MAIN = fileURLToPath(new URL('../../../packages/cli/src/main.ts', import.meta.url));

/** Suites that are about what a client says to any server; the others are about a server as such. */
export const ROUTER_SUITES: readonly string[] = [
  'classic',
  'meta',
  'leases',
  'udp',
  'unix sockets',
  'bad input',
  'concurrency',
];

export interface RouterVariant {
  /** For `CONFORMANCE_SERVERS`. */
  readonly id: string;
  readonly name: string;
  /** Cache servers behind it. */
  readonly servers: number;
  readonly route: unknown;
  readonly transport?: string;
  /** Which of ROUTER_SUITES; all of them by default. What reads requests is the same in all variants. */
  readonly suites?: readonly string[];
  /** Tests that it cannot pass, and why. */
  readonly unsupported?: ReadonlyMap<string, string>;
}

/** The suites that are about requests as objects. */
const OBJECT_SUITES: readonly string[] = ['classic', 'meta', 'leases', 'concurrency'];
const NOT_AS_OBJECTS: ReadonlyMap<string, string> = new Map([
  ['me shows the item, or EN', 'me is for one server, and has no meaning for a tree of handles'],
  [
    'base64 keys may hold spaces, control characters and zeros',
    'keys that are no text pass only where requests are simply forwarded',
  ],
]);

export const ROUTER_VARIANTS: readonly RouterVariant[] = [
  { id: 'router', name: 'Larder router', servers: 1, route: 'PoolRoute|main' },
  {
    id: 'router-handles',
    name: 'Larder router, all through route handles',
    servers: 2,
    // Two children, so that it is more than a selection; the second one answers nothing.
    route: { type: 'AllInitialRoute', children: ['PoolRoute|main', 'DevNullRoute'] },
    suites: OBJECT_SUITES,
    unsupported: NOT_AS_OBJECTS,
  },
  {
    id: 'router-node',
    name: 'Larder router (node)',
    servers: 1,
    route: 'PoolRoute|main',
    transport: 'node',
    suites: ['classic', 'meta', 'leases', 'udp', 'unix sockets'],
  },
  {
    id: 'embedded',
    name: 'Larder routing as embedded',
    servers: 2,
    route: { type: 'AllInitialRoute', children: ['PoolRoute|main', 'DevNullRoute'] },
    transport: 'node',
    suites: OBJECT_SUITES,
    unsupported: NOT_AS_OBJECTS,
  },
];

function routerLine(variant: RouterVariant, options: ServerOptions, servers: readonly string[]): string[] {
  const config = JSON.stringify({ pools: { main: { servers } }, route: variant.route });
  const line = ['-C', 'larder-source', MAIN, 'router', '-v', '--no-admin', '--config-str', config];
  if (options.unixSocket === undefined) line.push('-l', '127.0.0.1', '-p', '0');
  else line.push('-s', options.unixSocket);
  line.push('-t', String(options.threads ?? 1));
  if (variant.transport !== undefined) line.push('--transport', variant.transport);
  if (options.connectionsMax !== undefined) line.push('-c', String(options.connectionsMax));
  if (options.udp) line.push('-U', '-1');
  if (options.letters?.includes('-F')) line.push('-F');
  const mask = options.letters?.indexOf('-a') ?? -1;
  if (mask >= 0) line.push('-a', options.letters![mask + 1]!);
  const datagramsMax = options.larder?.indexOf('--udp-datagrams-max') ?? -1;
  if (datagramsMax >= 0) line.push('--udp-datagrams-max', options.larder![datagramsMax + 1]!);
  return line;
}

function hostPort(address: ServerAddress): string {
  return 'path' in address ? `unix:${address.path}` : `${address.host}:${address.port}`;
}

async function start(
  variant: RouterVariant,
  server: ServerKind,
  options: ServerOptions,
): Promise<RunningServer> {
  const { unixSocket: _unixSocket, udp: _udp, ...own } = options;
  const servers: RunningServer[] = [];
  const killServers = async (): Promise<void> => {
    await Promise.all(servers.map((each) => each.kill()));
  };
  try {
    for (let count = 0; count < variant.servers; count++)
      servers.push(await server.start({ ...own, threads: 1 }));
    const line = routerLine(
      variant,
      options,
      servers.map(({ address }) => hostPort(address)),
    );
    const router = new ServerProcess(process.execPath, line, {});
    const addresses = await router.started(() => loggedAddresses(router.log()));
    const port = (kind: string): number => addresses.find((each) => each.kind === kind)?.port ?? 0;
    const { unixSocket } = options;
    const end = async <T>(ending: Promise<T>): Promise<T> => {
      const result = await ending;
      await killServers();
      return result;
    };
    return {
      address: unixSocket === undefined ? { host: '127.0.0.1', port: port('tcp') } : { path: unixSocket },
      udpPort: options.udp ? port('udp') : undefined,
      pid: router.pid,
      exited: router.exited,
      log: () => router.log(),
      residentBytes: () => router.residentBytes(),
      stop: () => end(router.stop('SIGTERM')),
      kill: () => end(router.kill()),
      [Symbol.asyncDispose]: async () => {
        await end(router.kill());
      },
    };
  } catch (error) {
    await killServers();
    throw error;
  }
}

/** The router in front of servers of this kind. */
export function routerServer(variant: RouterVariant, server: ServerKind): ServerKind {
  return {
    name: variant.name,
    larder: true,
    isRouter: true,
    ...(variant.unsupported === undefined ? {} : { unsupported: variant.unsupported }),
    transport: variant.transport,
    version: server.version,
    unavailable: server.unavailable,
    start: (options) => start(variant, server, options),
  };
}
