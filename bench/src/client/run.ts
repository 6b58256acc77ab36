/**
 * `npm run bench -- client`: Larder's client and the clients of Node.js that are in use, one process each, against
 * the same server.
 *
 * ```
 *   larder │ memcache-client │ memjs │ … ── CPU 1 ──▶ memcached ── CPU 0
 * ```
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { larderCommand, memcachedCommand } from '../cache/contestants.ts';
import { BenchError } from '../errors.ts';
import { describeMachine } from '../harness/machine.ts';
import { Processes, requireProgram } from '../harness/processes.ts';
import { BenchServer } from '../harness/server.ts';
import { readOptions } from '../read-arguments.ts';
import { CLIENT_NAMES, connectClient } from './contestants.ts';
import { ClientProcess, type ClientTimes, measureCallers } from './measure.ts';
import { describeClientResult, writeClientReport } from './report.ts';
import type { ClientReport, ClientResult } from './results.ts';
import { KEYS, keyOf, storedValueOf } from './workload.ts';

const EVALUATION_FOLDER = fileURLToPath(new URL('../../../docs/evaluation', import.meta.url));

const USAGE = `Usage: npm run bench -- client [options]

Gets per second, and CPU time per get, of Larder's client, memcache-client, memjs, memcached and memcache, each in a
process of its own with 1, 32 and 256 concurrent callers, in turns against the same server.

  --callers <list>      numbers of concurrent callers (default 1,32,256)
  --milliseconds <n>    measured time of one run (default 700)
  --rounds <n>          runs per client and number of callers (default 5)
  --warmup <n>          milliseconds before the first measured run (default 500)
  --server <name>       memcached or larder (default memcached)
  --memcached <file>    the program (default: memcached)
  --server-cpu <n>      CPU of the server (default 0)
  --client-cpu <n>      CPU of the clients (default 1)
  --out <folder>        where client.json, client.svg and client.md go (default: docs/evaluation)
  --no-write            write no files
  --help                this text

Needs Linux, two CPUs and taskset. No root.
`;

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  callers: { type: 'string', default: '1,32,256' },
  milliseconds: { type: 'string', default: '700' },
  rounds: { type: 'string', default: '5' },
  warmup: { type: 'string', default: '500' },
  server: { type: 'string', default: 'memcached' },
  memcached: { type: 'string', default: 'memcached' },
  'server-cpu': { type: 'string', default: '0' },
  'client-cpu': { type: 'string', default: '1' },
  out: { type: 'string', default: EVALUATION_FOLDER },
  'no-write': { type: 'boolean' },
} as const;

type Values = ReturnType<typeof readOptions<typeof OPTIONS>>;

function whole(option: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 100_000) return value;
  throw new BenchError('USAGE', `--${option} is a whole number from 1 to 100000, not "${text}"`);
}

async function startServer(processes: Processes, values: Values, folder: string): Promise<BenchServer> {
  const command = values.server === 'larder' ? larderCommand() : memcachedCommand(values.memcached);
  const cpus = values['server-cpu'];
  const settings = { memoryMegabytes: 256, threads: 1, cpus, reach: 'tcp' } as const;
  return BenchServer.start(processes, command, settings, folder);
}

/** Every client reads what Larder's has stored: text is the same bytes for all of them. */
async function fill(address: string): Promise<void> {
  const { Cache } = await import('@larder/client');
  await using cache = await Cache.connect({ servers: address, throwOnTrouble: true });
  await cache.setMany(
    Array.from({ length: KEYS }, (_, index) => [keyOf(index), storedValueOf(index)] as const),
  );
  const check = await connectClient('larder', address);
  if (!check.isValue(await check.get(keyOf(7)), storedValueOf(7))) {
    throw new BenchError('SERVER', 'the server does not give back what was stored');
  }
  await check.close();
}

async function measureAll(processes: Processes, values: Values, folder: string): Promise<ClientReport> {
  const times: ClientTimes = {
    milliseconds: whole('milliseconds', values.milliseconds),
    warmupMilliseconds: whole('warmup', values.warmup),
    rounds: whole('rounds', values.rounds),
  };
  const numbers = values.callers.split(',').map((text) => whole('callers', text));
  const server = await startServer(processes, values, folder);
  const { host, port } = server.streamAddress as { readonly host: string; readonly port: number };
  const address = `${host}:${port}`;
  await fill(address);
  const clients: ClientProcess[] = [];
  for (const name of CLIENT_NAMES) {
    clients.push(await ClientProcess.start(processes, name, address, values['client-cpu']));
  }
  const results: ClientResult[] = [];
  for (const callers of numbers) {
    const result = await measureCallers(clients, callers, times);
    process.stdout.write(`${describeClientResult(result)}\n`);
    results.push(result);
  }
  const machine = describeMachine(values.memcached);
  const name = values.server === 'larder' ? "Larder's, one thread" : `${machine.memcached}, one thread`;
  return { machine, server: name, milliseconds: times.milliseconds, rounds: times.rounds, results };
}

export async function run(args: readonly string[]): Promise<number> {
  const values = readOptions(args, OPTIONS);
  if (values.help === true) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (values.server !== 'memcached' && values.server !== 'larder') {
    throw new BenchError('USAGE', `--server is memcached or larder, not "${values.server}"`);
  }
  requireProgram('taskset', 'util-linux');
  if (values.server === 'memcached') requireProgram(values.memcached, 'memcached');
  const folder = mkdtempSync(join(tmpdir(), 'larder-bench-'));
  const processes = new Processes();
  try {
    const report = await measureAll(processes, values, folder);
    if (values['no-write'] !== true) {
      for (const path of writeClientReport(values.out, report)) process.stdout.write(`wrote ${path}\n`);
    }
    return report.results.every(({ met }) => met) ? 0 : 1;
  } finally {
    await processes.endAll();
    rmSync(folder, { recursive: true, force: true });
  }
}
