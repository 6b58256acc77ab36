/**
 * `npm run bench -- router`: twemproxy and Larder's router in front of the same four memcached servers.
 *
 * ```
 *   load generator ── CPU 1 ──▶ twemproxy │ larder ── CPU 0 ──▶ memcached × 4 ── CPU 1
 * ```
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BenchError } from '../errors.ts';
import { LoadProcess } from '../harness/load-process.ts';
import { describeMachine } from '../harness/machine.ts';
import { Processes, requireProgram } from '../harness/processes.ts';
import { readArguments } from '../read-arguments.ts';
import { ROUTER_CASES, ROUTER_SPACE, type RouterCase } from './cases.ts';
import { startLarderRouter, startMemcached, startTwemproxy, type Target } from './contestants.ts';
import { fillThrough, measureCase, type RunTimes } from './measure.ts';
import { describeRouterResult, writeRouterReport } from './report.ts';
import type { RouterReport, RouterResult } from './results.ts';

const EVALUATION_FOLDER = fileURLToPath(new URL('../../../docs/evaluation', import.meta.url));
const SERVERS = 4;

const USAGE = `Usage: npm run bench -- router [options] [case ...]

Runs twemproxy (Debian's nutcracker) and Larder's router, one thread each, in front of the same four memcached
servers, and prints requests per second of the proxy's CPU time and the latency that the proxy adds.

  --list                list the cases and end
  --seconds <n>         measured time of one run (default 2)
  --alternations <n>    runs per proxy and case (default 5)
  --warmup <n>          seconds before the first measured run of a case (default 1)
  --ramp <n>            seconds at the start of each run that do not count (default 0.3)
  --router-cpu <n>      CPU of the proxies (default 0)
  --load-cpu <n>        CPU of the load generator and of the servers (default 1)
  --transport <name>    Larder's transport: uring or epoll (default: the best there is)
  --nutcracker <file>   twemproxy to compare with (default: nutcracker)
  --memcached <file>    the servers (default: memcached)
  --out <folder>        where router.json, router.svg and router.md go (default: docs/evaluation)
  --no-write            write no files
  --help                this text

Needs Linux, two CPUs, taskset, and Debian's nutcracker and memcached. No root.
`;

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  list: { type: 'boolean' },
  seconds: { type: 'string', default: '2' },
  alternations: { type: 'string', default: '5' },
  warmup: { type: 'string', default: '1' },
  ramp: { type: 'string', default: '0.3' },
  'router-cpu': { type: 'string', default: '0' },
  'load-cpu': { type: 'string', default: '1' },
  transport: { type: 'string' },
  nutcracker: { type: 'string', default: 'nutcracker' },
  memcached: { type: 'string', default: 'memcached' },
  out: { type: 'string', default: EVALUATION_FOLDER },
  'no-write': { type: 'boolean' },
} as const;

type Values = ReturnType<typeof readArguments<typeof OPTIONS>>['values'];

function positive(option: string, text: string): number {
  const value = Number(text);
  if (!(value >= 0 && value <= 3600)) {
    throw new BenchError('USAGE', `--${option} is a number from 0 to 3600, not "${text}"`);
  }
  return value;
}

function selectCases(filters: readonly string[]): readonly RouterCase[] {
  const matches = (name: string, filter: string): boolean =>
    filter.startsWith('=') ? name === filter.slice(1) : name.includes(filter);
  for (const filter of filters) {
    if (!ROUTER_CASES.some((spec) => matches(spec.name, filter))) {
      throw new BenchError('USAGE', `no case matches "${filter}"; see --list`);
    }
  }
  if (filters.length === 0) return ROUTER_CASES;
  return ROUTER_CASES.filter((spec) => filters.some((filter) => matches(spec.name, filter)));
}

async function runCases(values: Values, cases: readonly RouterCase[]): Promise<number> {
  requireProgram('taskset', 'util-linux');
  requireProgram(values.nutcracker, 'nutcracker');
  requireProgram(values.memcached, 'memcached');
  const times: RunTimes = {
    seconds: positive('seconds', values.seconds),
    alternations: Math.max(1, Math.round(positive('alternations', values.alternations))),
    warmupSeconds: positive('warmup', values.warmup),
    rampSeconds: positive('ramp', values.ramp),
  };
  const folder = mkdtempSync(join(tmpdir(), 'larder-bench-'));
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', removeFolder);
  const processes = new Processes();
  try {
    const results = await measureAll(processes, values, times, cases, folder);
    const report: RouterReport = {
      machine: { ...describeMachine(values.memcached), twemproxy: twemproxyVersion(values.nutcracker) },
      transport: values.transport ?? 'the default',
      servers: SERVERS,
      seconds: times.seconds,
      alternations: times.alternations,
      cases: results,
    };
    if (values['no-write'] !== true) {
      for (const path of writeRouterReport(values.out, report)) process.stdout.write(`wrote ${path}\n`);
    }
    return results.every((result) => result.met || !result.isGoal) ? 0 : 1;
  } finally {
    await processes.endAll();
    removeFolder();
  }
}

async function measureAll(
  processes: Processes,
  values: Values,
  times: RunTimes,
  cases: readonly RouterCase[],
  folder: string,
): Promise<RouterResult[]> {
  const say = (text: string): void => {
    process.stderr.write(`  … ${text}\n`);
  };
  const loadCpu = values['load-cpu'];
  const routerCpu = values['router-cpu'];
  const servers: Target[] = [];
  for (let index = 0; index < SERVERS; index++) {
    servers.push(await startMemcached(processes, values.memcached, loadCpu, index));
  }
  const twemproxy = await startTwemproxy(processes, values.nutcracker, routerCpu, folder, servers);
  const larder = await startLarderRouter(processes, routerCpu, folder, servers, values.transport);
  const direct = servers[0]!;
  const load = await LoadProcess.start(processes, loadCpu, ROUTER_SPACE);
  say('storing the keys');
  for (const target of [twemproxy, larder, direct]) await fillThrough(load, target);
  const results: RouterResult[] = [];
  for (const spec of cases) {
    const result = await measureCase({ load, larder, twemproxy, direct }, spec, times, say);
    process.stdout.write(`${describeRouterResult(result)}\n`);
    results.push(result);
  }
  return results;
}

function twemproxyVersion(program: string): string {
  const { stdout, stderr } = spawnSync(program, ['-V'], { encoding: 'latin1' });
  const version = /nutcracker-(\S+)/.exec(`${stdout}${stderr}`)?.[1];
  return `twemproxy ${version ?? 'of unknown version'}`;
}

export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments(args, OPTIONS);
  if (values.help === true) process.stdout.write(USAGE);
  else if (values.list === true) {
    for (const spec of ROUTER_CASES) process.stdout.write(`${spec.name.padEnd(18)}${spec.title}\n`);
  } else return runCases(values, selectCases(positionals));
  return 0;
}
