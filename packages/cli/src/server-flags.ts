/**
 * The operator's flags: memcached's letters with its long names, and Larder's own. Turns what commander read
 * into ServerOptions; the server checks ranges.
 */

import { parseDecimal, parseInteger, parseMode, parseSize } from '@larder/host';
import { parseExtended, type ServerOptions } from '@larder/server';
import { type Command, Option } from 'commander';

const MIB = 1024 * 1024;

/** What commander collects: strings as they were typed, except for flags without a value. */
export interface ServerFlags {
  port?: string;
  udpPort?: string;
  listen?: string[];
  unixSocket?: string;
  unixMask?: string;
  memoryLimit?: string;
  disableEvictions?: boolean;
  connLimit?: string;
  threads?: string;
  maxItemSize?: string;
  slabGrowthFactor?: string;
  slabMinSize?: string;
  maxReqsPerEvent?: string;
  verbose?: number;
  disableFlushAll?: boolean;
  enableShutdown?: boolean;
  authFile?: string;
  memoryFile?: string;
  extended?: string[];
  transport?: string;
  admin?: boolean;
  adminPort?: string;
  adminHost?: string;
  rpcPort?: string;
  rpcHost?: string;
  leaseTokenSeconds?: string;
  staleSeconds?: string;
  udpAllow?: string[];
  udpDatagramsMax?: string;
  tlsCert?: string;
  tlsKey?: string;
  tlsPort?: string;
  hugePages?: boolean;
  calibrate?: boolean;
  zeroCopy?: boolean;
}

function collect(value: string, previous: string[] | undefined): string[] {
  return [...(previous ?? []), value];
}

function count(_value: unknown, previous: number | undefined): number {
  return (previous ?? 0) + 1;
}

/** Flags that both `up` and `serve` have. */
export function addCommonFlags(command: Command): Command {
  return command
    .option(
      '-m, --memory-limit <size>',
      'memory for items; a plain number counts megabytes, or 512k, 64m, 4g (default: 64)',
    )
    .option('-I, --max-item-size <size>', 'largest item: 1k to 1g, at most half of -m (default: 1m)')
    .option('-t, --threads <count>', 'worker threads, all of which serve all keys (default: one per core)')
    .option('-c, --conn-limit <count>', 'simultaneous connections (default: 1024)')
    .addOption(
      new Option(
        '--transport <name>',
        'uring, epoll or node (default: the fastest that this system allows)',
      ).env('LARDER_TRANSPORT'),
    )
    .option(
      '--admin-port <port>',
      'admin HTTP: /metrics, /healthz, /stats.json; 0 for any free port (default: 11280)',
    )
    .option('--no-admin', 'serve no admin pages')
    .option('-v, --verbose', 'log more to stderr: -v starts and stops, -vv every connection', count);
}

/** Flags of `serve` alone, for operators. */
export function addOperatorFlags(command: Command): Command {
  command
    .option('-p, --port <port>', 'TCP port; 0 for any free one, "off" for none (default: 11211; off with -s)')
    .option('-U, --udp-port <port>', 'UDP port; 0 is off, -1 any free one (default: 0)')
    .option(
      '-l, --listen <address>',
      'address or address:port to listen on; repeatable (default: 127.0.0.1)',
      collect,
    )
    .option('-s, --unix-socket <path>', 'listen on a Unix socket; TCP only if -p is given as well')
    .option('-a, --unix-mask <mode>', 'permissions of the Unix socket, octal (default: 700)')
    .option('-M, --disable-evictions', 'answer "out of memory" when full instead of evicting')
    .option('-f, --slab-growth-factor <factor>', 'growth from one slab class to the next (default: 1.07)')
    .option('-n, --slab-min-size <bytes>', 'smallest chunk, rounded up to 64 (default: 64)')
    .option(
      '-R, --max-reqs-per-event <count>',
      'requests of one connection answered before others get their turn (default: 1000)',
    )
    .option('-F, --disable-flush-all', 'refuse the flush_all command')
    .option('-A, --enable-shutdown', 'allow the shutdown command')
    .option('-Y, --auth-file <path>', 'require authentication; the file has lines of user:password')
    .option(
      '-e, --memory-file <path>',
      'keep items in this file (on a RAM disk such as /dev/shm) across restarts',
    )
    .option(
      '-o, --extended <list>',
      'idle_timeout=<seconds>, read_buf_mem_limit=<megabytes>, maxconns_fast, no_maxconns_fast; by commas',
      collect,
    )
    .option('--rpc-port <port>', 'typed protocol over TCP and UDP; 0 for any free port (default: off)')
    .option('--rpc-host <address>', 'address of the typed protocol (default: 127.0.0.1)')
    .option('--admin-host <address>', 'address of the admin pages (default: 127.0.0.1)')
    .option(
      '--lease-token-seconds <seconds>',
      'hand out at most one lease token per key in this time (default: 10)',
    )
    .option(
      '--stale-seconds <seconds>',
      'keep deleted values this long for those who accept stale ones (default: 10)',
    )
    .option('--udp-allow <cidr>', 'network that UDP answers beside loopback; repeatable', collect)
    .option('--udp-datagrams-max <count>', 'longest UDP reply, in datagrams (default: 16)')
    .option('--tls-port <port>', 'TCP port with TLS; 0 for any free one (default with --tls-cert: 11212)')
    .option('--tls-cert <path>', 'certificate chain, PEM')
    .option('--tls-key <path>', 'private key, PEM')
    .option('--huge-pages', 'map memory in huge pages, if the system has some')
    .option(
      '--calibrate',
      'measure at start, and when memory gets slower or faster, from which size on replies are referenced (default: 8k)',
    )
    .option('--zero-copy', 'io_uring: send large values without copying (pays on real network cards only)');
  return command;
}

/** An object without its undefined entries: absent and undefined are different things to ServerOptions. */
function given<T extends object>(entries: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined)) as T;
}

function read<T>(text: string | undefined, parse: (text: string) => T): T | undefined {
  return text === undefined ? undefined : parse(text);
}

function parsePort(option: string): (text: string) => number | 'off' {
  return (text) => (text === 'off' ? 'off' : parseInteger(option, text));
}

const DEFAULT_TLS_PORT = 11212;

function tlsOptions(flags: ServerFlags): ServerOptions['tls'] {
  if (flags.tlsCert === undefined && flags.tlsKey === undefined && flags.tlsPort === undefined)
    return undefined;
  return {
    certFile: flags.tlsCert ?? '',
    keyFile: flags.tlsKey ?? '',
    port: read(flags.tlsPort, (text) => parseInteger('--tls-port', text)) ?? DEFAULT_TLS_PORT,
  };
}

export function serverOptionsFrom(flags: ServerFlags): ServerOptions {
  const extended = flags.extended === undefined ? {} : parseExtended(flags.extended.join(','));
  const integer = (text: string | undefined, option: string) =>
    read(text, (value) => parseInteger(option, value));
  return given<ServerOptions>({
    port: read(flags.port, parsePort('-p/--port')),
    udpPort: integer(flags.udpPort, '-U/--udp-port'),
    listen: flags.listen,
    unixSocket: flags.unixSocket,
    unixMode: read(flags.unixMask, (text) => parseMode('-a/--unix-mask', text)),
    memoryBytes: read(flags.memoryLimit, (text) => parseSize('-m/--memory-limit', text, MIB)),
    disableEvictions: flags.disableEvictions,
    connectionsMax: integer(flags.connLimit, '-c/--conn-limit'),
    threads: integer(flags.threads, '-t/--threads'),
    itemBytesMax: read(flags.maxItemSize, (text) => parseSize('-I/--max-item-size', text)),
    slabFactor: read(flags.slabGrowthFactor, (text) => parseDecimal('-f/--slab-growth-factor', text)),
    chunkBytesMin: read(flags.slabMinSize, (text) => parseSize('-n/--slab-min-size', text)),
    requestsPerEvent: integer(flags.maxReqsPerEvent, '-R/--max-reqs-per-event'),
    verbose: flags.verbose,
    disableFlushAll: flags.disableFlushAll,
    enableShutdown: flags.enableShutdown,
    authFile: flags.authFile,
    memoryFile: flags.memoryFile,
    idleTimeoutSeconds: extended.idleTimeoutSeconds,
    refuseWhenFull: extended.refuseWhenFull,
    readBufferBytesMax: extended.readBufferBytesMax,
    transport: flags.transport,
    adminPort: flags.admin === false ? 'off' : read(flags.adminPort, parsePort('--admin-port')),
    adminHost: flags.adminHost,
    rpcPort: read(flags.rpcPort, parsePort('--rpc-port')),
    rpcHost: flags.rpcHost,
    leaseTokenSeconds: integer(flags.leaseTokenSeconds, '--lease-token-seconds'),
    staleSeconds: integer(flags.staleSeconds, '--stale-seconds'),
    udpAllow: flags.udpAllow,
    udpDatagramsMax: integer(flags.udpDatagramsMax, '--udp-datagrams-max'),
    tls: tlsOptions(flags),
    hugePages: flags.hugePages,
    calibrate: flags.calibrate,
    zeroCopy: flags.zeroCopy,
  });
}
