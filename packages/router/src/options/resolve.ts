/** Fills in defaults and refuses options that make no sense, each with its name. */
import { BlockList, isIP, isIPv6 } from 'node:net';
import { availableParallelism } from 'node:os';
import {
  CONNECT_TIMEOUT_MS,
  FAILURES_UNTIL_TKO,
  PROBE_DELAY_INITIAL_MS,
  SERVER_TIMEOUT_MS,
} from '@larder/routing';
import { RouterError } from '../errors.ts';
import {
  CONNECTIONS_MAX,
  DEFAULT_CONNECTIONS,
  DEFAULT_VALUE_BYTES,
  PORT_MAX,
  THREADS_MAX,
  UDP_DATAGRAMS_MAX,
  VALUE_BYTES_MAX,
} from '../limits.ts';
import type { ListenHost, RouterOptions, RouterSettings } from './router-options.ts';

/** mcrouter's documentation starts it there. */
export const DEFAULT_PORT = 5000;
const DEFAULT_ADMIN_PORT = 11_281;
const DEFAULT_RELOAD_MS = 1000;
const TIMEOUT_MS_MAX = 3_600_000;
const HOST_NAME = /^[a-z0-9]([a-z0-9._-]{0,252}[a-z0-9])?$/i;

export function resolveRouterOptions(options: RouterOptions): RouterSettings {
  const whole = (option: string, value: number, min: number, max: number): number => {
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    throw wrong(option, value, `a whole number from ${min} to ${max}`);
  };
  const port = (option: string, value: number | 'off', least: number): number | 'off' =>
    value === 'off' ? value : whole(option, value, least, PORT_MAX);
  const timeout = (option: string, value: number): number => whole(option, value, 1, TIMEOUT_MS_MAX);
  const unixSocket = options.unixSocket ?? '';
  parseNetworks(options.udpAllow ?? []);
  return {
    config: options.config,
    port: port('-p/--port', options.port ?? (unixSocket === '' ? DEFAULT_PORT : 'off'), 0),
    udpPort: whole('-U/--udp-port', options.udpPort ?? 0, -1, PORT_MAX),
    listen: (options.listen ?? ['127.0.0.1']).flatMap((text) => parseListen(text)),
    unixSocket,
    unixMode: whole('-a/--unix-mask', options.unixMode ?? 0o700, 0, 0o7777),
    threads: whole(
      '-t/--threads',
      options.threads ?? Math.min(THREADS_MAX, availableParallelism()),
      1,
      THREADS_MAX,
    ),
    connectionsMax: whole(
      '-c/--conn-limit',
      options.connectionsMax ?? DEFAULT_CONNECTIONS,
      1,
      CONNECTIONS_MAX,
    ),
    transport: options.transport ?? '',
    valueBytesMax: whole(
      '-I/--max-item-size',
      options.valueBytesMax ?? DEFAULT_VALUE_BYTES,
      1024,
      VALUE_BYTES_MAX,
    ),
    serverTimeoutMs: timeout('--server-timeout', options.serverTimeoutMs ?? SERVER_TIMEOUT_MS),
    connectTimeoutMs: timeout('--connect-timeout', options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS),
    failuresUntilTko: whole('--tko-failures', options.failuresUntilTko ?? FAILURES_UNTIL_TKO, 1, 1_000_000),
    probeDelayMs: timeout('--probe-delay', options.probeDelayMs ?? PROBE_DELAY_INITIAL_MS),
    reloadMs: whole('--reload', options.reloadMs ?? DEFAULT_RELOAD_MS, 0, TIMEOUT_MS_MAX),
    missOnGetErrors: options.missOnGetErrors ?? false,
    flushEnabled: options.disableFlushAll !== true,
    spoolFolder: options.spoolFolder ?? '',
    adminPort: port('--admin-port', options.adminPort ?? DEFAULT_ADMIN_PORT, 0),
    adminHost: options.adminHost ?? '127.0.0.1',
    adminPortChosen: options.adminPort !== undefined,
    udpAllow: options.udpAllow ?? [],
    udpDatagramsMax: whole('--udp-datagrams-max', options.udpDatagramsMax ?? UDP_DATAGRAMS_MAX, 1, 0xffff),
    verbose: whole('-v/--verbose', options.verbose ?? 0, 0, 10),
  };
}

/** What an operator should know before something goes wrong. */
export function settingsWarnings(settings: RouterSettings): string[] {
  const isOpen = settings.listen.some(({ host }) => host !== '::1' && !host.startsWith('127.'));
  return isOpen
    ? [
        'the router listens beyond this machine and asks nobody who they are: anybody who reaches it may read and write the servers behind it',
      ]
    : [];
}

/** `127.0.0.1`, `host:5001`, `[::1]:5000`, several by commas. */
function parseListen(text: string): ListenHost[] {
  return text.split(',').map((part) => parseHostPort(part.trim()));
}

function parseHostPort(text: string): ListenHost {
  if (isIPv6(text)) return { host: text, port: undefined };
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2] ?? '';
  const known = host === '*' ? '0.0.0.0' : host === 'localhost' ? '127.0.0.1' : host;
  const port = match?.[3] === undefined ? undefined : Number(match[3]);
  const isHost = isIP(known) !== 0 || (HOST_NAME.test(known) && !/^[\d.]+$/.test(known));
  if (!isHost || (port !== undefined && port > PORT_MAX)) {
    throw wrong('-l/--listen', text, 'an address such as 127.0.0.1, 0.0.0.0:5000 or [::1]:5000');
  }
  return { host: known, port };
}

/** The networks that UDP answers: loopback, and what is allowed beside it. */
export function parseNetworks(allowed: readonly string[]): BlockList {
  const networks = new BlockList();
  networks.addSubnet('127.0.0.0', 8, 'ipv4');
  networks.addAddress('::1', 'ipv6');
  for (const text of allowed) {
    const [address = '', bits] = text.split('/', 2);
    const family = isIP(address);
    const most = family === 6 ? 128 : 32;
    const prefix = bits === undefined ? most : Number(bits);
    if (family === 0 || !/^\d{0,3}$/.test(bits ?? '') || !(prefix >= 0 && prefix <= most)) {
      throw wrong('--udp-allow', text, 'a network such as 10.0.0.0/8 or fd00::/8');
    }
    networks.addSubnet(address, prefix, family === 6 ? 'ipv6' : 'ipv4');
  }
  return networks;
}

function wrong(option: string, given: unknown, expected: string): RouterError {
  return new RouterError('OPTION', `${option}: ${JSON.stringify(given)} is not ${expected}`, { option });
}
