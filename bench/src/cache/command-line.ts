/**
 * The command line of the cache benchmark: reads and checks it, once.
 */
import { BenchError } from '../errors.ts';
import { readArguments } from '../read-arguments.ts';
import type { BenchCase } from './case-types.ts';
import { CACHE_CASES } from './cases.ts';
import type { BenchSettings } from './context.ts';

export const USAGE: string = `Usage: npm run bench -- cache [options] [case ...]

Runs Larder and memcached side by side under the same load and prints, per case, throughput, keys per
second of server CPU, latencies, and the ratio of the two. A case is given by its name or a part of it
("get", "epoll"); "=get" means exactly that one; none means all.

  --list                   list the cases and end
  --seconds <n>            measured time of one run (default 3)
  --alternations <n>       runs per server and case (default 5)
  --warmup <n>             seconds before the first measured run of a server (default 3)
  --ramp <n>               seconds at the start of each run that do not count (default 0.5)
  --server-cpu <n>         CPU of the servers (default 0)
  --load-cpu <n>           CPU of the load generator (default 1)
  --load-transport <name>  transport of the load generator: uring or epoll (default: the faster there is)
  --memcached <program>    memcached to compare with (default: memcached)
  --larder-command <text>  start this instead of Larder; {port} {memory} {threads} {socket} are filled in
  --receive-steering       in a network namespace in which each process pays for its own receiving, as between
                           two machines; needs root; the report is called cache-steered
  --cross-check            hold the load generator against memcaslap instead of running cases
  --out <folder>           where cache.json, cache.svg and cache.md go (default: docs/evaluation)
  --json                   print the report as JSON on standard output, progress on standard error
  --no-write               write no files
  --help                   this text

Needs Linux, taskset, and Debian's memcached (and libmemcached-tools for --cross-check). No root, but for
--receive-steering.
`;

export interface CommandLine {
  readonly action: 'help' | 'list' | 'run';
  readonly settings: BenchSettings;
  readonly cases: readonly BenchCase[];
  readonly isCrossCheck: boolean;
  readonly isSteered: boolean;
  readonly memcached: string;
  readonly larderCommand?: string;
  readonly out?: string;
  readonly json: boolean;
  readonly write: boolean;
}

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  list: { type: 'boolean' },
  seconds: { type: 'string' },
  alternations: { type: 'string' },
  warmup: { type: 'string' },
  ramp: { type: 'string' },
  'server-cpu': { type: 'string' },
  'load-cpu': { type: 'string' },
  'load-transport': { type: 'string' },
  memcached: { type: 'string' },
  'larder-command': { type: 'string' },
  'cross-check': { type: 'boolean' },
  'receive-steering': { type: 'boolean' },
  out: { type: 'string' },
  json: { type: 'boolean' },
  'no-write': { type: 'boolean' },
} as const;

const LOAD_TRANSPORTS = ['uring', 'epoll'];

/** Reads the arguments after the suite's name. */
export function readCommandLine(args: readonly string[]): CommandLine {
  const { values, positionals: filters } = readArguments(args, OPTIONS);
  const transport = values['load-transport'];
  if (transport !== undefined && !LOAD_TRANSPORTS.includes(transport)) {
    throw new BenchError('USAGE', `--load-transport is ${LOAD_TRANSPORTS.join(' or ')}, not "${transport}"`);
  }
  return {
    action: values.help === true ? 'help' : values.list === true ? 'list' : 'run',
    settings: {
      seconds: number('--seconds', values.seconds, 3, 0.1, 3600),
      alternations: Math.round(number('--alternations', values.alternations, 5, 1, 1000)),
      warmupSeconds: number('--warmup', values.warmup, 3, 0.1, 3600),
      rampSeconds: number('--ramp', values.ramp, 0.5, 0, 60),
      serverCpu: cpu('--server-cpu', values['server-cpu'], '0'),
      loadCpu: cpu('--load-cpu', values['load-cpu'], '1'),
      ...(transport === undefined ? {} : { loadTransport: transport }),
    },
    cases: selectCases(CACHE_CASES, filters),
    isCrossCheck: values['cross-check'] === true,
    isSteered: values['receive-steering'] === true,
    memcached: values.memcached ?? 'memcached',
    ...(values['larder-command'] === undefined ? {} : { larderCommand: values['larder-command'] }),
    ...(values.out === undefined ? {} : { out: values.out }),
    json: values.json === true,
    write: values['no-write'] !== true,
  };
}

/** Cases whose name contains one of the filters, or is one that begins with `=`. */
export function selectCases(cases: readonly BenchCase[], filters: readonly string[]): BenchCase[] {
  const matches = (name: string, filter: string): boolean =>
    filter.startsWith('=') ? name === filter.slice(1) : name.includes(filter);
  for (const filter of filters) {
    if (!cases.some((spec) => matches(spec.name, filter))) {
      throw new BenchError('USAGE', `no case matches "${filter}"; see --list`);
    }
  }
  if (filters.length === 0) return [...cases];
  return cases.filter((spec) => filters.some((filter) => matches(spec.name, filter)));
}

function number(
  option: string,
  text: string | undefined,
  fallback: number,
  min: number,
  max: number,
): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (text.trim() === '' || !(value >= min && value <= max)) {
    throw new BenchError('USAGE', `${option} is a number from ${min} to ${max}, not "${text}"`);
  }
  return value;
}

function cpu(option: string, text: string | undefined, fallback: string): string {
  if (text === undefined) return fallback;
  if (!/^\d+(,\d+)*$/.test(text)) throw new BenchError('USAGE', `${option} is a CPU number, not "${text}"`);
  return text;
}
