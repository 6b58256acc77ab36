/**
 * Holds our load generator against a third party's: the same simple get load from both against one memcached,
 * compared by the server's CPU time per key.
 *
 * memcaslap (memaslap) first stores its own keys and then reads them. Its server is therefore sampled from
 * outside, after the storing, by the server's own counters: CPU time and `cmd_get` at both ends of a window in
 * which `cmd_set` does not move.
 */
import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { BenchError } from '../errors.ts';
import { cpuSecondsBetween, readCpuTime } from '../harness/cpu-time.ts';
import { LoadProcess } from '../harness/load-process.ts';
import type { BenchServer } from '../harness/server.ts';
import { spread } from '../harness/statistics.ts';
import type { CompareCase } from './case-types.ts';
import { type BenchContext, fill, runPlan, startServer } from './context.ts';
import { type CrossCheckResult, summarize } from './results.ts';

const VALUE_BYTES = 32;
const KEY_BYTES = 16;
const CONNECTIONS = 50;
/** Keys that memcaslap keeps per connection; together as many as ours. */
const WINDOW = '2k';
/** How long memcaslap may take to store its keys, and how often that is looked at. */
const STORING_MS_MAX = 20_000;
const POLL_MS = 250;

interface Sample {
  readonly cpuMicrosecondsPerKey: number;
  readonly keysPerSecond: number;
}

export async function runCrossCheck(
  context: BenchContext,
  spec: CompareCase,
  program: string,
): Promise<CrossCheckResult> {
  const { settings } = context;
  const server = await startServer(context, { kind: 'memcached' }, 'tcp', spec.memoryMegabytes);
  try {
    const ours: Sample[] = [];
    const theirs: Sample[] = [];
    for (let round = 0; round < settings.alternations; round++) {
      theirs.push(await runTheirs(context, server, program));
      ours.push(await runOurs(context, spec, server));
      context.say(
        `cross-check ${round + 1} of ${settings.alternations}: ours ${ours[round]!.cpuMicrosecondsPerKey.toFixed(2)} µs, theirs ${theirs[round]!.cpuMicrosecondsPerKey.toFixed(2)} µs per key`,
      );
    }
    return {
      measuredAt: new Date().toISOString(),
      tool: 'memcaslap (libmemcached-tools)',
      ours: spread(ours.map((sample) => sample.cpuMicrosecondsPerKey)),
      theirs: spread(theirs.map((sample) => sample.cpuMicrosecondsPerKey)),
      oursKeysPerSecond: spread(ours.map((sample) => sample.keysPerSecond)).median,
      theirsKeysPerSecond: spread(theirs.map((sample) => sample.keysPerSecond)).median,
    };
  } finally {
    await server.stop();
  }
}

async function runOurs(context: BenchContext, spec: CompareCase, server: BenchServer): Promise<Sample> {
  const { processes, settings } = context;
  const { loop } = spec.stream;
  if (loop.kind === 'share') throw new BenchError('USAGE', 'the cross-check needs a plain load');
  const load = await LoadProcess.start(processes, settings.loadCpu, spec.space, settings.loadTransport);
  try {
    await fill(load, server, 0, spec.space.keys, VALUE_BYTES);
    const plan = runPlan(server, [{ ...spec.stream, loop }], settings.warmupSeconds, settings.seconds);
    const run = summarize(await load.run(plan));
    return { cpuMicrosecondsPerKey: run.cpuMicrosecondsPerKey, keysPerSecond: run.keysPerSecond };
  } finally {
    await load.stop();
  }
}

async function runTheirs(context: BenchContext, server: BenchServer, program: string): Promise<Sample> {
  const { processes, settings } = context;
  const address = server.streamAddress;
  if (address.kind !== 'tcp') throw new BenchError('USAGE', 'the cross-check needs TCP');
  const config = `${context.folder}/memcaslap.conf`;
  // Key and value lengths with their shares, then the share of each command (0 set, 1 get).
  writeFileSync(
    config,
    `key\n${KEY_BYTES} ${KEY_BYTES} 1\nvalue\n${VALUE_BYTES} ${VALUE_BYTES} 1\ncmd\n0 0\n1 1\n`,
  );
  const seconds = Math.ceil(STORING_MS_MAX / 1000 + settings.seconds);
  const args = [
    '-s',
    `${address.host}:${address.port}`,
    '-T',
    '1',
    '-c',
    String(CONNECTIONS),
    '-w',
    WINDOW,
    '-t',
    `${seconds}s`,
    '-F',
    config,
  ];
  const tool = processes.start(program, program, args, { cpus: settings.loadCpu });
  try {
    await untilStored(
      server,
      () => tool.hasEnded,
      () => tool.output,
    );
    return await sampleGets(server, settings.seconds);
  } finally {
    await processes.end(tool);
  }
}

/** Waits until gets are answered and nothing is stored any more. */
async function untilStored(
  server: BenchServer,
  hasEnded: () => boolean,
  output: () => string,
): Promise<void> {
  const giveUpAt = performance.now() + STORING_MS_MAX;
  let before = await counters(server);
  while (performance.now() < giveUpAt) {
    await delay(POLL_MS);
    if (hasEnded()) throw new BenchError('LOAD', `memcaslap ended early: ${output().trim()}`);
    const now = await counters(server);
    if (now.gets > before.gets && now.sets === before.sets) return;
    before = now;
  }
  throw new BenchError('LOAD', 'memcaslap did not come to reading its keys');
}

async function sampleGets(server: BenchServer, seconds: number): Promise<Sample> {
  const first = await counters(server);
  const cpuFirst = readCpuTime(server.pid);
  const startMs = performance.now();
  await delay(seconds * 1000);
  const last = await counters(server);
  const cpuLast = readCpuTime(server.pid);
  const elapsedSeconds = (performance.now() - startMs) / 1000;
  if (last.sets !== first.sets) throw new BenchError('LOAD', 'memcaslap stored keys while it was measured');
  const keys = last.gets - first.gets;
  return {
    cpuMicrosecondsPerKey: (cpuSecondsBetween(cpuFirst, cpuLast) * 1e6) / keys,
    keysPerSecond: keys / elapsedSeconds,
  };
}

async function counters(server: BenchServer): Promise<{ gets: number; sets: number }> {
  const stats = await server.stats();
  return { gets: Number(stats.get('cmd_get')), sets: Number(stats.get('cmd_set')) };
}
