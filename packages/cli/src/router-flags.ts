/** The flags of `larder router`, in memcached's and mcrouter's letters where they have one, and what they mean. */
import { parseInteger, parseMode, parseSize } from '@larder/host';
import type { RouterOptions } from '@larder/router';
import { type Command, Option } from 'commander';

const ROUTER_HELP = `
Speaks memcache classic and meta to clients and sends each request where the configuration says: JSON as
mcrouter reads it (comments, pools, named handles, prefix routing), looked at for changes while it runs. A bad
new configuration is refused and the old one stays. Nothing is reachable from other hosts unless -l says so.

A configuration with a pool, and a gutter for when one of its servers is down:

  {
    "pools": {
      "main":   { "servers": ["10.0.0.1:11211", "10.0.0.2:11211"] },
      "gutter": { "servers": ["10.0.0.9:11211"] }
    },
    "route": {
      "type": "FailoverWithExptimeRoute",
      "normal": "PoolRoute|main",
      "failover": "PoolRoute|gutter",
      "failover_exptime": 10
    }
  }

Examples:
  larder router --config router.json
  larder router --config router.json -p 11211 -t 2 --spool /var/spool/larder
  larder router --config https://config.example/router.json --reload 5000
  larder router --config-str '{"pools":{"a":{"servers":["127.0.0.1:11211"]}},"route":"PoolRoute|a"}'
  larder router --config router.json --check       only says whether the configuration is right

Ask it: printf 'get __mcrouter__.route(get,some-key)\\r\\n' | nc 127.0.0.1 5000
(__mcrouter__.commands lists what it answers). Metrics: http://127.0.0.1:11281/metrics

Signals: SIGHUP reads the configuration again; SIGINT and SIGTERM answer what is under way and stop.

Environment:
  LARDER_TRANSPORT   as --transport: uring, epoll or node

Exit codes: 0 stopped cleanly, 1 failed while running or starting, 2 wrong usage or a wrong configuration.`;

export interface RouterFlags {
  config?: string;
  configStr?: string;
  check?: boolean;
  port?: string;
  udpPort?: string;
  listen?: string[];
  unixSocket?: string;
  unixMask?: string;
  threads?: string;
  connLimit?: string;
  maxItemSize?: string;
  transport?: string;
  serverTimeout?: string;
  connectTimeout?: string;
  tkoFailures?: string;
  probeDelay?: string;
  reload?: string;
  spool?: string;
  missOnGetErrors?: boolean;
  disableFlushAll?: boolean;
  udpAllow?: string[];
  udpDatagramsMax?: string;
  admin?: boolean;
  adminPort?: string;
  adminHost?: string;
  verbose?: number;
}

/** Adds `larder router` to the program; `action` runs it. */
export function addRouterCommand(program: Command, action: (flags: RouterFlags) => Promise<void>): Command {
  const command = program
    .command('router')
    .summary('run the router: one address in front of many cache servers')
    .description('Runs the memcache router, logging to stderr.')
    .option('--config <file or URL>', 'the configuration, as mcrouter reads it')
    .option('--config-str <JSON>', 'the configuration itself')
    .option('--check', 'read the configuration, say whether it is right, and end')
    .option('-p, --port <port>', 'TCP port; 0 for any free one, "off" for none (default: 5000; off with -s)')
    .option('-U, --udp-port <port>', 'UDP port; 0 is off, -1 any free one (default: 0)')
    .option(
      '-l, --listen <address>',
      'address or address:port to listen on; repeatable (default: 127.0.0.1)',
      collect,
    )
    .option('-s, --unix-socket <path>', 'listen on a Unix socket; TCP only if -p is given as well')
    .option('-a, --unix-mask <mode>', 'permissions of the Unix socket, octal (default: 700)')
    .option(
      '-t, --threads <count>',
      'worker threads, each with its own connections to the servers (default: one per core)',
    )
    .option('-c, --conn-limit <count>', 'simultaneous clients (default: 4096)')
    .option('-I, --max-item-size <size>', 'longest value that is passed on: 1k to 128m (default: 8m)');
  addServerFlags(command);
  return command
    .option('-F, --disable-flush-all', 'refuse flush_all, which is otherwise sent to every server')
    .option('--udp-allow <cidr>', 'network that UDP answers beside loopback; repeatable', collect)
    .option('--udp-datagrams-max <count>', 'longest UDP reply, in datagrams (default: 16)')
    .option(
      '--admin-port <port>',
      'admin HTTP: /metrics, /healthz, /stats.json; 0 for any free port (default: 11281)',
    )
    .option('--admin-host <address>', 'address of the admin pages (default: 127.0.0.1)')
    .option('--no-admin', 'serve no admin pages')
    .option('-v, --verbose', 'log more to stderr: -v starts, stops and servers, -vv every connection', count)
    .showHelpAfterError('(larder router --help lists the options)')
    .addHelpText('after', ROUTER_HELP)
    .action(action);
}

function addServerFlags(command: Command): void {
  command
    .addOption(
      new Option(
        '--transport <name>',
        'uring, epoll or node (default: the fastest that this system allows)',
      ).env('LARDER_TRANSPORT'),
    )
    .option(
      '--server-timeout <ms>',
      'a request that a server has not answered by then has failed (default: 1000)',
    )
    .option('--connect-timeout <ms>', 'the same for connecting (default: 1000)')
    .option(
      '--tko-failures <count>',
      'so many failures in a row, and a server is given up for a while (default: 3)',
    )
    .option(
      '--probe-delay <ms>',
      'the first wait before such a server is probed; grows to a minute (default: 500)',
    )
    .option(
      '--reload <ms>',
      'how often the configuration is looked at for changes; 0 for never (default: 1000)',
    )
    .option(
      '--spool <folder>',
      'where AsynclogRoute keeps deletes that could not be delivered, until they are',
    )
    .option('--miss-on-get-errors', 'answer failed gets as misses, as mcrouter does (default: SERVER_ERROR)');
}

function collect(value: string, previous: string[] | undefined): string[] {
  return [...(previous ?? []), value];
}

function count(_value: unknown, previous: number | undefined): number {
  return (previous ?? 0) + 1;
}

/** The options that were given; `config` is checked by whoever calls this. */
export function routerOptionsFrom(flags: RouterFlags, config: RouterOptions['config']): RouterOptions {
  const integer = (option: string, text: string | undefined): number | undefined =>
    text === undefined ? undefined : parseInteger(option, text);
  const port = (option: string, text: string | undefined): number | 'off' | undefined =>
    text === 'off' ? 'off' : integer(option, text);
  const entries = {
    port: port('-p/--port', flags.port),
    udpPort: integer('-U/--udp-port', flags.udpPort),
    listen: flags.listen,
    unixSocket: flags.unixSocket,
    unixMode: flags.unixMask === undefined ? undefined : parseMode('-a/--unix-mask', flags.unixMask),
    threads: integer('-t/--threads', flags.threads),
    connectionsMax: integer('-c/--conn-limit', flags.connLimit),
    transport: flags.transport,
    valueBytesMax:
      flags.maxItemSize === undefined ? undefined : parseSize('-I/--max-item-size', flags.maxItemSize),
    serverTimeoutMs: integer('--server-timeout', flags.serverTimeout),
    connectTimeoutMs: integer('--connect-timeout', flags.connectTimeout),
    failuresUntilTko: integer('--tko-failures', flags.tkoFailures),
    probeDelayMs: integer('--probe-delay', flags.probeDelay),
    reloadMs: integer('--reload', flags.reload),
    missOnGetErrors: flags.missOnGetErrors,
    disableFlushAll: flags.disableFlushAll,
    spoolFolder: flags.spool,
    adminPort: flags.admin === false ? 'off' : port('--admin-port', flags.adminPort),
    adminHost: flags.adminHost,
    udpAllow: flags.udpAllow,
    udpDatagramsMax: integer('--udp-datagrams-max', flags.udpDatagramsMax),
    verbose: flags.verbose,
  };
  // Absent and undefined are different things to RouterOptions.
  const given = Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined));
  return { ...given, config };
}
