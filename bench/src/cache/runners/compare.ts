/**
 * Two servers in turn under the same load: A B A B …, the one that waits stopped altogether. The ratio is
 * taken between runs that followed each other, so that slow changes of the machine cancel out.
 */
import { LoadProcess } from '../../harness/load-process.ts';
import type { BenchServer } from '../../harness/server.ts';
import type { StreamPlan } from '../../load/plan.ts';
import { largestSize } from '../../random/size-distribution.ts';
import type { CaseLoop, CompareCase, Contestant } from '../case-types.ts';
import { contestantLabel } from '../contestants.ts';
import { type BenchContext, fill, runPlan, startServer } from '../context.ts';
import { type CompareResult, isMet, metricOf, type RunSummary, ratioOf, summarize } from '../results.ts';

export async function runCompare(context: BenchContext, spec: CompareCase): Promise<CompareResult> {
  const { processes, settings } = context;
  const load = await LoadProcess.start(processes, settings.loadCpu, spec.space, settings.loadTransport);
  const servers: BenchServer[] = [];
  try {
    for (const contestant of [spec.peer, spec.subject])
      servers.push(await prepare(context, spec, contestant, load));
    const [peer, subject] = servers as [BenchServer, BenchServer];
    const loop = await resolveLoop(context, spec, peer, load);
    const stream: StreamPlan = { ...spec.stream, loop };
    for (const server of servers) await measure(context, server, stream, load, settings.warmupSeconds);
    const peerRuns: RunSummary[] = [];
    const subjectRuns: RunSummary[] = [];
    for (let round = 0; round < settings.alternations; round++) {
      peerRuns.push(await measure(context, peer, stream, load, settings.seconds));
      subjectRuns.push(await measure(context, subject, stream, load, settings.seconds));
      const ratio = metricOf(subjectRuns[round]!, spec.metric) / metricOf(peerRuns[round]!, spec.metric);
      context.say(
        `${spec.name}: alternation ${round + 1} of ${settings.alternations}, ratio ${ratio.toFixed(2)}`,
      );
    }
    const ratio = ratioOf(subjectRuns, peerRuns, spec.metric);
    return {
      kind: 'compare',
      name: spec.name,
      title: spec.title,
      about: spec.about,
      measuredAt: new Date().toISOString(),
      metric: spec.metric,
      target: spec.target,
      subject: { label: contestantLabel(spec.subject), runs: subjectRuns },
      peer: { label: contestantLabel(spec.peer), runs: peerRuns },
      ratio,
      ratePerSecond: loop.kind === 'open' ? loop.ratePerSecond : 0,
      met: isMet(ratio.median, spec.target),
    };
  } finally {
    await Promise.all([load.stop(), ...servers.map((server) => server.stop())]);
  }
}

/** Starts a server, stores all values in it, and stops it until its turn. */
async function prepare(
  context: BenchContext,
  spec: CompareCase,
  contestant: Contestant,
  load: LoadProcess,
): Promise<BenchServer> {
  context.say(`${spec.name}: filling ${contestantLabel(contestant)}`);
  const server = await startServer(context, contestant, spec.reach, spec.memoryMegabytes);
  try {
    await fill(load, server, 0, spec.space.keys, largestSize(spec.space.sizes));
  } catch (error) {
    await server.stop();
    throw error;
  }
  server.pause();
  return server;
}

/** An open loop's rate may be a share of what the peer reaches in a closed loop. */
async function resolveLoop(
  context: BenchContext,
  spec: CompareCase,
  peer: BenchServer,
  load: LoadProcess,
): Promise<Exclude<CaseLoop, { kind: 'share' }>> {
  const { loop } = spec.stream;
  if (loop.kind !== 'share') return loop;
  const closed: StreamPlan = { ...spec.stream, loop: { kind: 'closed' } };
  const peak = await measure(context, peer, closed, load, context.settings.seconds);
  const ratePerSecond = Math.round((peak.keysPerSecond / spec.stream.keysPerGet) * loop.ofPeerPeak);
  context.say(
    `${spec.name}: ${Math.round(peak.keysPerSecond)} keys/s at most, ${ratePerSecond} requests/s wanted`,
  );
  return { kind: 'open', arrivals: 'poisson', ratePerSecond };
}

async function measure(
  context: BenchContext,
  server: BenchServer,
  stream: StreamPlan,
  load: LoadProcess,
  seconds: number,
): Promise<RunSummary> {
  server.resume();
  try {
    return summarize(await load.run(runPlan(server, [stream], context.settings.rampSeconds, seconds)));
  } finally {
    server.pause();
  }
}
