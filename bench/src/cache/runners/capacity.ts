/**
 * How many items a server still holds after more was stored than fits, and its resident memory then.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { residentBytes } from '../../harness/cpu-time.ts';
import { LoadProcess } from '../../harness/load-process.ts';
import { largestSize } from '../../random/size-distribution.ts';
import type { CapacityCase, Contestant } from '../case-types.ts';
import { type BenchContext, fill, startServer } from '../context.ts';
import { type CapacityResult, isMet } from '../results.ts';

const MIB = 1024 * 1024;
/** Counters that a server keeps by thread or by second are complete after this. */
const SETTLE_MS = 1500;

interface Holding {
  readonly items: number;
  readonly residentMegabytes: number;
}

export async function runCapacity(context: BenchContext, spec: CapacityCase): Promise<CapacityResult> {
  const { processes, settings } = context;
  const load = await LoadProcess.start(processes, settings.loadCpu, spec.space, settings.loadTransport);
  try {
    const memcached = await hold(context, spec, { kind: 'memcached' }, load);
    const larder = await hold(context, spec, spec.subject ?? { kind: 'larder' }, load);
    const ratio = larder.items / memcached.items;
    const residentMegabytesMax = spec.memoryMegabytes * spec.residentShareMax + spec.residentExtraMegabytes;
    return {
      kind: 'capacity',
      name: spec.name,
      title: spec.title,
      about: spec.about,
      measuredAt: new Date().toISOString(),
      target: spec.target,
      memoryMegabytes: spec.memoryMegabytes,
      valueBytes: largestSize(spec.space.sizes),
      stored: spec.space.keys,
      items: { larder: larder.items, memcached: memcached.items },
      residentMegabytes: { larder: larder.residentMegabytes, memcached: memcached.residentMegabytes },
      residentMegabytesMax,
      ratio,
      met: isMet(ratio, spec.target) && larder.residentMegabytes <= residentMegabytesMax,
    };
  } finally {
    await load.stop();
  }
}

async function hold(
  context: BenchContext,
  spec: CapacityCase,
  contestant: Contestant,
  load: LoadProcess,
): Promise<Holding> {
  context.say(`${spec.name}: overfilling ${contestant.kind}`);
  const server = await startServer(context, contestant, 'tcp', spec.memoryMegabytes);
  try {
    await fill(load, server, 0, spec.space.keys, largestSize(spec.space.sizes));
    await delay(SETTLE_MS);
    const stats = await server.stats();
    return {
      items: Number(stats.get('curr_items') ?? Number.NaN),
      residentMegabytes: residentBytes(server.pid) / MIB,
    };
  } finally {
    await server.stop();
  }
}
