/**
 * Pauses while the index grows: a trickle of gets at a steady rate is watched, first while existing keys are
 * stored again (no growth), then while new keys are added until the index has grown.
 */
import { LoadProcess } from '../../harness/load-process.ts';
import { latencyAt } from '../../load/latency.ts';
import type { RunResult, StreamPlan } from '../../load/plan.ts';
import { largestSize } from '../../random/size-distribution.ts';
import type { GrowthCase, ServerKind } from '../case-types.ts';
import { type BenchContext, fill, fillStream, runPlan, startServer } from '../context.ts';
import type { GrowthResult, PauseMeasurement } from '../results.ts';

/** Statistics in which a server may say how long its maintenance took at most, in microseconds. */
const SLICE_STATS: readonly string[] = ['maintenance_slice_max_us', 'maintenance_longest_us'];
const TRICKLE_CONNECTIONS = 4;
const GROW_SECONDS_MAX = 600;

export async function runGrowth(context: BenchContext, spec: GrowthCase): Promise<GrowthResult> {
  const { processes, settings } = context;
  const load = await LoadProcess.start(processes, settings.loadCpu, spec.space, settings.loadTransport);
  try {
    const memcached = await watch(context, spec, 'memcached', load);
    const larder = await watch(context, spec, 'larder', load);
    return {
      kind: 'growth',
      name: spec.name,
      title: spec.title,
      about: spec.about,
      measuredAt: new Date().toISOString(),
      pauseMsMax: spec.pauseMsMax,
      larder,
      memcached,
      met: larder.growingMaxMs - larder.steadyMaxMs <= spec.pauseMsMax,
    };
  } finally {
    await load.stop();
  }
}

async function watch(
  context: BenchContext,
  spec: GrowthCase,
  kind: ServerKind,
  load: LoadProcess,
): Promise<PauseMeasurement> {
  const { rampSeconds } = context.settings;
  const valueBytes = largestSize(spec.space.sizes);
  const server = await startServer(context, { kind }, 'tcp', spec.memoryMegabytes);
  try {
    context.say(`${spec.name}: filling ${kind} to ${spec.fromKeys} items`);
    await fill(load, server, 0, spec.fromKeys, valueBytes);
    const before = await server.stats();
    context.say(`${spec.name}: growing ${kind} to ${spec.untilKeys} items`);
    const added = spec.untilKeys - spec.fromKeys;
    // The same number of sets, first of keys that are there, so that both runs last about as long.
    const rewrite: StreamPlan = { ...fillStream(0, spec.fromKeys, valueBytes), requests: added };
    const grow = fillStream(spec.fromKeys, added, valueBytes);
    const trickle = trickleStream(spec);
    const steady = await load.run(runPlan(server, [trickle, rewrite], rampSeconds, GROW_SECONDS_MAX));
    const growing = await load.run(runPlan(server, [trickle, grow], 0, GROW_SECONDS_MAX));
    return describe(steady, growing, before, await server.stats());
  } finally {
    await server.stop();
  }
}

function trickleStream(spec: GrowthCase): StreamPlan {
  return {
    name: 'trickle',
    connections: TRICKLE_CONNECTIONS,
    depth: 1,
    keysPerGet: 1,
    getRatio: 1,
    distribution: { kind: 'uniform' },
    loop: { kind: 'open', arrivals: 'constant', ratePerSecond: spec.getsPerSecond },
    missesAllowed: false,
    firstKey: 0,
    keys: spec.fromKeys,
    requests: 0,
  };
}

function describe(
  steady: RunResult,
  growing: RunResult,
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): PauseMeasurement {
  const slice = SLICE_STATS.map((name) => after.get(name)).find((value) => value !== undefined);
  return {
    steadyMaxMs: steady.streams[0]!.maxUs / 1000,
    steadyP999Ms: latencyAt(steady.streams[0]!.latency, 99.9) / 1000,
    growingMaxMs: growing.streams[0]!.maxUs / 1000,
    growingP999Ms: latencyAt(growing.streams[0]!.latency, 99.9) / 1000,
    loadStallMs: growing.stallMs,
    serverWaited: growing.serverWaitedSeconds / growing.seconds,
    loadWaited: growing.loadWaitedSeconds / growing.seconds,
    setsPerSecond: growing.streams[1]!.requests / growing.seconds,
    hashPowerBefore: before.get('hash_power_level') ?? '?',
    hashPowerAfter: after.get('hash_power_level') ?? '?',
    ...(slice === undefined ? {} : { serverLongestSliceMs: Number(slice) / 1000 }),
  };
}
