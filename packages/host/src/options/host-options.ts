/**
 * The options that every process with workers has, once as anybody may give them (everything optional) and once
 * complete and checked, which everything inside trusts. Names follow memcached's long options; the letter is in
 * each comment.
 */
import { availableParallelism } from 'node:os';
import { HostError } from '../errors.ts';
import {
  CONNECTIONS_MAX,
  DEFAULT_UDP_DATAGRAMS_MAX,
  PORT_MAX,
  THREADS_MAX,
  UDP_DATAGRAMS_MAX,
  UDP_NETWORKS_MAX,
  UNIX_PATH_BYTES_MAX,
} from '../limits.ts';
import { type HostPort, isLoopback, parseListen } from './listen-address.ts';
import { LOOPBACK_NETWORKS, type Network, parseNetwork } from './networks.ts';
import { integerWithin } from './values.ts';

const LOOPBACK = '127.0.0.1';
const UNIX_MODE = 0o700;
/** 0 warnings, 1 also information, 2 also debugging: more makes no difference. */
const VERBOSE_MAX = 2;

export interface HostOptions {
  /** `-p`. 0 or -1: any free port; 'off': no TCP. With `unixSocket` the default is 'off', as memcached's. */
  readonly port?: number | 'off';
  /** `-U`. 0: off; -1: any free port. */
  readonly udpPort?: number;
  /** `-l`: `host` or `host:port`, several entries or commas. Loopback by default. */
  readonly listen?: readonly string[];
  /** `-s`: path of a Unix socket. */
  readonly unixSocket?: string;
  /** `-a`: its permissions (0o700). */
  readonly unixMode?: number;
  /** `-c` */
  readonly connectionsMax?: number;
  /** `-t`: worker threads; 0 or absent: one per core. */
  readonly threads?: number;
  /** `-v`: 0 warnings, 1 also information, 2 also debugging. */
  readonly verbose?: number;
  /** uring, epoll or node; absent: `LARDER_TRANSPORT`, else the best that works here. */
  readonly transport?: string;
  /** 0: any free port; 'off': no admin pages. */
  readonly adminPort?: number | 'off';
  /** Loopback by default. */
  readonly adminHost?: string;
  /** Networks in CIDR notation that UDP answers beside loopback. */
  readonly udpAllow?: readonly string[];
  /** Datagrams of one UDP reply. */
  readonly udpDatagramsMax?: number;
  /** Where log lines go: stderr by default; tests give a function. */
  readonly logTo?: ((line: string) => void) | undefined;
}

/** Complete and checked. It survives `postMessage`. */
export interface HostSettings {
  readonly port: number | 'off';
  readonly udpPort: number;
  readonly listen: readonly HostPort[];
  readonly unixSocket: string;
  readonly unixMode: number;
  readonly connectionsMax: number;
  readonly threads: number;
  readonly verbose: number;
  /** The transport asked for, or '' to choose. */
  readonly transport: string;
  readonly adminPort: number | 'off';
  /** Whether the operator named the port, so that another one will not do. */
  readonly adminPortChosen: boolean;
  readonly adminHost: string;
  readonly udpNetworks: readonly Network[];
  readonly udpDatagramsMax: number;
}

/** What differs from one kind of process to the other. */
export interface HostDefaults {
  readonly port: number;
  readonly adminPort: number;
  readonly connectionsMax: number;
}

export function resolveHostOptions(options: HostOptions, defaults: HostDefaults): HostSettings {
  const unixSocket = resolveUnixSocket(options.unixSocket);
  return {
    port: resolvePort('-p/--port', options.port ?? (unixSocket === '' ? defaults.port : 'off')),
    udpPort: integerWithin('-U/--udp-port', options.udpPort ?? 0, -1, PORT_MAX),
    listen: resolveListen(options.listen),
    unixSocket,
    unixMode: integerWithin('-a/--unix-mask', options.unixMode ?? UNIX_MODE, 0, 0o7777),
    connectionsMax: integerWithin(
      '-c/--conn-limit',
      options.connectionsMax ?? defaults.connectionsMax,
      1,
      CONNECTIONS_MAX,
    ),
    threads: resolveThreads(options.threads),
    verbose: Math.min(options.verbose ?? 0, VERBOSE_MAX),
    transport: options.transport ?? '',
    adminPort: resolvePort('--admin-port', options.adminPort ?? defaults.adminPort),
    adminPortChosen: options.adminPort !== undefined,
    adminHost: options.adminHost ?? LOOPBACK,
    udpNetworks: resolveNetworks(options.udpAllow ?? []),
    udpDatagramsMax: integerWithin(
      '--udp-datagrams-max',
      options.udpDatagramsMax ?? DEFAULT_UDP_DATAGRAMS_MAX,
      1,
      UDP_DATAGRAMS_MAX,
    ),
  };
}

/** 0 and -1 both mean any free port. */
export function resolvePort(option: string, port: number | 'off'): number | 'off' {
  return port === 'off' ? 'off' : Math.max(0, integerWithin(option, port, -1, PORT_MAX));
}

/** The addresses that other hosts can reach. */
export function openHosts({ port, udpPort, listen }: HostSettings): string[] {
  if (port === 'off' && udpPort === 0) return [];
  return listen.filter(({ host }) => !isLoopback(host)).map(({ host }) => host);
}

/** What an operator should hear about the admin pages although it is allowed. */
export function adminWarnings({ adminHost, adminPort }: HostSettings): string[] {
  if (isLoopback(adminHost) || adminPort === 'off') return [];
  return [`the admin pages are served on ${adminHost} without authentication`];
}

function resolveUnixSocket(path: string | undefined): string {
  if (path === undefined) return '';
  const bytes = Buffer.byteLength(path);
  if (path !== '' && !path.includes('\0') && bytes <= UNIX_PATH_BYTES_MAX) return path;
  const option = '-s/--unix-socket';
  const text = path.includes('\0')
    ? 'the path must not hold a zero byte'
    : `the path must have 1 to ${UNIX_PATH_BYTES_MAX} bytes, not ${bytes}`;
  throw new HostError('OPTION', `${option}: ${text}`, { option });
}

function resolveListen(listen: readonly string[] | undefined): HostPort[] {
  const addresses = (listen ?? []).flatMap((text) => parseListen('-l/--listen', text));
  return addresses.length > 0 ? addresses : [{ host: LOOPBACK, port: undefined }];
}

function resolveNetworks(networks: readonly string[]): Network[] {
  const option = '--udp-allow';
  if (networks.length > UDP_NETWORKS_MAX) {
    throw new HostError('OPTION', `${option}: at most ${UDP_NETWORKS_MAX} networks`, { option });
  }
  return [...LOOPBACK_NETWORKS, ...networks.map((text) => parseNetwork(option, text))];
}

function resolveThreads(threads: number | undefined): number {
  const given = integerWithin('-t/--threads', threads ?? 0, 0, THREADS_MAX);
  return given === 0 ? Math.min(availableParallelism(), THREADS_MAX) : given;
}
