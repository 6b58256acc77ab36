/**
 * Checks options once at the boundary and completes them with defaults. Everything behind it trusts the
 * result; every message names the option at fault.
 */
import { availableParallelism } from 'node:os';
import { ServerError } from '../errors.ts';
import * as limits from '../limits.ts';
import { type HostPort, isLoopback, parseListen } from './listen-address.ts';
import { LOOPBACK_NETWORKS, type Network, parseNetwork } from './networks.ts';
import type { RpcOptions, ServerOptions, ServerSettings, TlsOptions } from './server-options.ts';
import { decimalWithin, integerWithin, sizeWithin } from './values.ts';

/** A Unix socket's path has to fit `sockaddr_un`. */
const UNIX_PATH_BYTES_MAX = 107;

export function resolveOptions(options: ServerOptions): ServerSettings {
  const memoryBytes = sizeWithin(
    '-m/--memory-limit',
    options.memoryBytes ?? limits.DEFAULT_MEMORY_BYTES,
    limits.MEMORY_BYTES_MIN,
    limits.MEMORY_BYTES_MAX,
  );
  const itemBytesMax = sizeWithin(
    '-I/--max-item-size',
    options.itemBytesMax ?? limits.DEFAULT_ITEM_BYTES,
    limits.ITEM_BYTES_MIN,
    limits.ITEM_BYTES_MAX,
  );
  if (itemBytesMax > memoryBytes / 2) {
    throw new ServerError(
      'OPTION',
      '-I/--max-item-size: an item may be at most half of the memory limit (-m); raise -m or lower -I',
      { option: '-I/--max-item-size' },
    );
  }
  const network = resolveNetwork(options);
  return {
    ...network,
    memoryBytes,
    itemBytesMax,
    disableEvictions: options.disableEvictions === true,
    threads: resolveThreads(options.threads),
    slabFactor: decimalWithin(
      '-f/--slab-growth-factor',
      options.slabFactor ?? limits.DEFAULT_SLAB_FACTOR,
      1.01,
      limits.SLAB_FACTOR_MAX,
    ),
    // memcached's default of 48 and other values below our smallest chunk are common in start scripts.
    chunkBytesMin: Math.max(
      limits.CHUNK_BYTES_MIN,
      integerWithin(
        '-n/--slab-min-size',
        options.chunkBytesMin ?? limits.DEFAULT_CHUNK_BYTES_MIN,
        1,
        limits.CHUNK_BYTES_MAX,
      ),
    ),
    requestsPerEvent: integerWithin(
      '-R/--max-reqs-per-event',
      options.requestsPerEvent ?? limits.DEFAULT_REQUESTS_PER_EVENT,
      1,
      limits.REQUESTS_PER_EVENT_MAX,
    ),
    verbose: Math.min(options.verbose ?? 0, 2),
    disableFlushAll: options.disableFlushAll === true,
    enableShutdown: options.enableShutdown === true,
    authFile: options.authFile ?? '',
    memoryFile: options.memoryFile ?? '',
    leaseTokenSeconds: seconds(
      '--lease-token-seconds',
      options.leaseTokenSeconds,
      limits.DEFAULT_LEASE_TOKEN_SECONDS,
      1,
    ),
    staleSeconds: seconds('--stale-seconds', options.staleSeconds, limits.DEFAULT_STALE_SECONDS, 0),
    transport: options.transport ?? '',
    hugePages: options.hugePages === true,
    calibrate: options.calibrate === true,
    zeroCopy: options.zeroCopy === true,
  };
}

type NetworkSettings = Pick<
  ServerSettings,
  | 'port'
  | 'udpPort'
  | 'listen'
  | 'unixSocket'
  | 'unixMode'
  | 'connectionsMax'
  | 'idleTimeoutSeconds'
  | 'refuseWhenFull'
  | 'adminPort'
  | 'adminPortChosen'
  | 'adminHost'
  | 'udpNetworks'
  | 'udpDatagramsMax'
  | 'tls'
  | 'rpc'
>;

function resolveNetwork(options: ServerOptions): NetworkSettings {
  const unixSocket = resolveUnixSocket(options.unixSocket);
  const port = resolvePort('-p/--port', options.port ?? (unixSocket === '' ? limits.DEFAULT_PORT : 'off'));
  const udpPort = integerWithin('-U/--udp-port', options.udpPort ?? 0, -1, limits.PORT_MAX);
  const rpc = resolveRpc(options);
  if (
    port === 'off' &&
    unixSocket === '' &&
    udpPort === 0 &&
    options.tls === undefined &&
    rpc === undefined
  ) {
    throw new ServerError(
      'OPTION',
      'nothing to listen on: give a port (-p), a Unix socket (-s) or a TLS port',
      {
        option: '-p/--port',
      },
    );
  }
  return {
    port,
    udpPort,
    listen: resolveListen(options.listen),
    unixSocket,
    unixMode: integerWithin('-a/--unix-mask', options.unixMode ?? 0o700, 0, 0o7777),
    connectionsMax: integerWithin(
      '-c/--conn-limit',
      options.connectionsMax ?? limits.DEFAULT_CONNECTIONS,
      1,
      limits.CONNECTIONS_MAX,
    ),
    idleTimeoutSeconds: seconds('-o idle_timeout', options.idleTimeoutSeconds, 0, 0),
    refuseWhenFull: options.refuseWhenFull ?? true,
    adminPort: resolvePort('--admin-port', options.adminPort ?? limits.DEFAULT_ADMIN_PORT),
    adminPortChosen: options.adminPort !== undefined,
    adminHost: options.adminHost ?? limits.DEFAULT_HOST,
    udpNetworks: resolveNetworks(options.udpAllow ?? []),
    udpDatagramsMax: integerWithin(
      '--udp-datagrams-max',
      options.udpDatagramsMax ?? limits.DEFAULT_UDP_DATAGRAMS_MAX,
      1,
      limits.UDP_DATAGRAMS_MAX,
    ),
    tls: resolveTls(options.tls),
    rpc,
  };
}

function resolveRpc(options: ServerOptions): RpcOptions | undefined {
  const port = resolvePort('--rpc-port', options.rpcPort ?? 'off');
  if (port === 'off') return undefined;
  // The typed protocol has no credentials: it would be a way around those of the others.
  if ((options.authFile ?? '') !== '') {
    throw new ServerError('OPTION', '--rpc-port: the typed protocol has no authentication, so not with -Y', {
      option: '--rpc-port',
    });
  }
  const taken = [options.port ?? limits.DEFAULT_PORT, options.udpPort ?? 0];
  if (port !== 0 && taken.includes(port)) {
    throw new ServerError('OPTION', `--rpc-port: ${port} is the port of the text protocols`, {
      option: '--rpc-port',
    });
  }
  return { port, host: options.rpcHost ?? limits.DEFAULT_HOST };
}

/** 0 and -1 both mean any free port. */
function resolvePort(option: string, port: number | 'off'): number | 'off' {
  return port === 'off' ? 'off' : Math.max(0, integerWithin(option, port, -1, limits.PORT_MAX));
}

function resolveUnixSocket(path: string | undefined): string {
  if (path === undefined) return '';
  if (path === '' || path.includes('\0') || Buffer.byteLength(path) > UNIX_PATH_BYTES_MAX) {
    throw new ServerError(
      'OPTION',
      `-s/--unix-socket: the path must have 1 to ${UNIX_PATH_BYTES_MAX} bytes, not ${Buffer.byteLength(path)}`,
      { option: '-s/--unix-socket' },
    );
  }
  return path;
}

function resolveListen(listen: readonly string[] | undefined): HostPort[] {
  const addresses = (listen ?? []).flatMap((text) => parseListen('-l/--listen', text));
  return addresses.length > 0 ? addresses : [{ host: limits.DEFAULT_HOST, port: undefined }];
}

function resolveNetworks(networks: readonly string[]): Network[] {
  if (networks.length > limits.UDP_NETWORKS_MAX) {
    throw new ServerError('OPTION', `--udp-allow: at most ${limits.UDP_NETWORKS_MAX} networks`, {
      option: '--udp-allow',
    });
  }
  return [...LOOPBACK_NETWORKS, ...networks.map((text) => parseNetwork('--udp-allow', text))];
}

function resolveTls(tls: TlsOptions | undefined): TlsOptions | undefined {
  if (tls === undefined) return undefined;
  if (tls.certFile === '' || tls.keyFile === '') {
    throw new ServerError('OPTION', '--tls-port needs both --tls-cert and --tls-key', {
      option: '--tls-cert',
    });
  }
  return { ...tls, port: Math.max(0, integerWithin('--tls-port', tls.port, -1, limits.PORT_MAX)) };
}

function resolveThreads(threads: number | undefined): number {
  const given = integerWithin('-t/--threads', threads ?? 0, 0, limits.THREADS_MAX);
  return given === 0 ? Math.min(availableParallelism(), limits.THREADS_MAX) : given;
}

function seconds(option: string, given: number | undefined, fallback: number, min: number): number {
  return integerWithin(option, given ?? fallback, min, limits.SECONDS_MAX);
}

/** What an operator should hear although it is allowed. */
export function settingsWarnings(settings: ServerSettings): string[] {
  const warnings: string[] = [];
  const open = settings.port === 'off' ? [] : settings.listen.filter((address) => !isLoopback(address.host));
  if (open.length > 0 && settings.authFile === '') {
    const hosts = open.map((address) => address.host).join(', ');
    warnings.push(
      `listening on ${hosts} without authentication (-Y): every host that reaches it may read and write`,
    );
  }
  if (settings.rpc !== undefined && !isLoopback(settings.rpc.host)) {
    warnings.push(`the typed protocol is served on ${settings.rpc.host} without authentication`);
  }
  if (!isLoopback(settings.adminHost) && settings.adminPort !== 'off') {
    warnings.push(`the admin pages are served on ${settings.adminHost} without authentication`);
  }
  return warnings;
}
