/**
 * Measures one workload: fills a shared file with its store, starts a process for every contestant, and lets
 * them take turns, round after round, while the load (or, over the simulated NIC, nobody) asks.
 */
import type { Processes } from '../../harness/processes.ts';
import { median } from '../../harness/statistics.ts';
import type {
  LoadCommand,
  LoadReply,
  LoadTarget,
  Protocol,
  RunNumbers,
  ServerCommand,
  ServerReply,
  StorePlan,
} from '../plan.ts';
import type { LatencyResult, Mode, ModeResult } from '../report/results.ts';
import { planWorkload } from '../server/prepared.ts';
import { fillStore } from '../store/fill-store.ts';
import { makeKeyTable } from '../workloads/trace.ts';
import { PeerProcess } from './peer-process.ts';

export interface MeasureSettings {
  readonly serializers: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly serverCpu: string;
  readonly loadCpu: string;
  readonly objectsMax: number;
  readonly requestsMax: number;
  readonly transport: 'uring' | 'epoll';
  /** From which size on a hybrid one references, by where replies go. */
  readonly thresholds: Readonly<Record<'nic' | Protocol, number>>;
  readonly say: (text: string) => void;
}

const CONNECTIONS = 8;
const UDP_SOCKETS = 4;
const DEPTH = 16;
const RAMP_SECONDS = 0.05;
const CHECKED_REQUESTS = 300;
/** Processes that are started at the same time: there are two CPUs. */
const STARTS = 2;
/** The part of a run that a server is busy at least, one request in flight or many; and tries when it is not. */
const BUSY_LEAST = 0.25;
const RUNS_AGAIN = 3;
/** By how many places the order moves from round to round. */
const ROTATION = 5;
/** A threshold that no value reaches; JSON has no Infinity. */
const NEVER_BYTES: number = 2 ** 31;
/** The fixed load, as a part of what the middle of the contestants does in a closed loop. */
const LATENCY_LOAD = 0.5;

type Server = PeerProcess<ServerCommand, ServerReply>;
type Load = PeerProcess<LoadCommand, LoadReply>;

interface Contestant {
  readonly serializer: string;
  readonly server: Server;
  readonly target: LoadTarget;
}

export interface WorkloadPlan {
  readonly workload: string;
  readonly modes: readonly Mode[];
  /** Whether latency at a fixed load is measured too. */
  readonly latency: boolean;
}

export interface WorkloadResult {
  readonly modes: readonly ModeResult[];
  readonly latencies: readonly LatencyResult[];
}

export async function measureWorkload(
  processes: Processes,
  plan: WorkloadPlan,
  settings: MeasureSettings,
): Promise<WorkloadResult> {
  const { objectsMax, requestsMax, say } = settings;
  const workload = planWorkload({ workload: plan.workload, objectsMax, requestsMax });
  const begin = performance.now();
  const file = fillStore(workload, makeKeyTable(workload));
  try {
    const { path, layout } = file;
    const store: StorePlan = { path, layout, workload: plan.workload, objectsMax, requestsMax };
    const megabytes = Math.round((layout.fileBytes - layout.indexOffset) / 2 ** 20);
    say(`${workload.title}: a store of ${megabytes} MiB in ${Math.round(performance.now() - begin)} ms`);
    return await new WorkloadRun(processes, plan, settings, store).run();
  } finally {
    file.close();
  }
}

class WorkloadRun {
  readonly #processes: Processes;
  readonly #plan: WorkloadPlan;
  readonly #settings: MeasureSettings;
  readonly #store: StorePlan;
  readonly #modes: ModeResult[] = [];
  readonly #latencies: LatencyResult[] = [];

  constructor(processes: Processes, plan: WorkloadPlan, settings: MeasureSettings, store: StorePlan) {
    this.#processes = processes;
    this.#plan = plan;
    this.#settings = settings;
    this.#store = store;
  }

  async run(): Promise<WorkloadResult> {
    const { modes, latency } = this.#plan;
    if (modes.includes('nic')) await this.#runNic();
    for (const protocol of ['tcp', 'udp'] as const) {
      const wanted = modes.filter((mode) => mode.startsWith(protocol));
      if (wanted.length > 0) await this.#runSockets(protocol, wanted, latency && protocol === 'tcp');
    }
    return { modes: this.#modes, latencies: this.#latencies };
  }

  async #start(over: 'nic' | Protocol): Promise<Contestant[]> {
    const { serializers, serverCpu, thresholds } = this.#settings;
    const referenceBytesMin = Math.min(thresholds[over], NEVER_BYTES);
    const contestants: Contestant[] = serializers.map((serializer, index) => {
      const server: Server = new PeerProcess(this.#processes, serializer, '../server/main.ts', serverCpu);
      const target = { protocol: 'tcp' as const, port: 0, slot: index + 1, serializer, pid: server.pid };
      return { serializer, server, target };
    });
    await inGroups(contestants, STARTS, ({ server, target }) =>
      server.ask(
        {
          kind: 'prepare',
          store: this.#store,
          slot: target.slot,
          serializer: target.serializer,
          referenceBytesMin,
        },
        'ready',
      ),
    );
    return contestants;
  }

  async #runNic(): Promise<void> {
    const contestants = await this.#start('nic');
    const { seconds, warmupSeconds } = this.#settings;
    const simulate = async (server: Server, length: number): Promise<RunNumbers> =>
      (await server.ask({ kind: 'simulate', seconds: length }, 'simulated')).result;
    for (const { server } of contestants) await simulate(server, warmupSeconds);
    await this.#rounds('nic', contestants, ({ server }) => simulate(server, seconds));
    await Promise.all(contestants.map(({ server }) => server.stop()));
  }

  async #runSockets(protocol: Protocol, modes: readonly Mode[], withLatency: boolean): Promise<void> {
    const { transport, loadCpu, warmupSeconds, seconds } = this.#settings;
    const contestants = await Promise.all(
      (await this.#start(protocol)).map(async (each) => {
        const { port } = await each.server.ask({ kind: 'serve', transport, protocol }, 'listening');
        return { ...each, target: { ...each.target, protocol, port } };
      }),
    );
    const flags = ['--single-threaded-gc', '--expose-gc'];
    const load: Load = new PeerProcess(this.#processes, 'the load', '../load/main.ts', loadCpu, flags);
    await load.ask({ kind: 'prepare', store: this.#store }, 'ready');
    for (const { target } of contestants) {
      await load.ask({ kind: 'check', target, requests: CHECKED_REQUESTS }, 'checked');
    }
    const connections = protocol === 'udp' ? UDP_SOCKETS : CONNECTIONS;
    const run = async (
      target: LoadTarget,
      depth: number,
      length: number,
      ratePerSecond: number,
    ): Promise<RunNumbers> => {
      const reply = await load.ask(
        {
          kind: 'run',
          target,
          connections,
          depth,
          rampSeconds: RAMP_SECONDS,
          seconds: length,
          ratePerSecond,
        },
        'result',
      );
      return reply.result;
    };
    for (const { target } of contestants) await run(target, DEPTH, warmupSeconds, 0);
    for (const mode of modes) {
      const depth = mode.endsWith('-one') ? 1 : DEPTH;
      await this.#rounds(mode, contestants, ({ target }) => run(target, depth, seconds, 0));
    }
    if (withLatency) {
      await this.#latency(contestants, (target, rate) => run(target, 1, 2 * seconds, rate));
    }
    await load.stop();
    await Promise.all(contestants.map(({ server }) => server.kill()));
  }

  async #rounds(
    mode: Mode,
    contestants: readonly Contestant[],
    run: (contestant: Contestant) => Promise<RunNumbers>,
  ): Promise<void> {
    const runs = contestants.map((): RunNumbers[] => []);
    for (let round = 0; round < this.#settings.rounds; round++) {
      // Each round begins with another one, so that nobody always follows the same.
      for (let turn = 0; turn < contestants.length; turn++) {
        const index = (turn + round * ROTATION) % contestants.length;
        runs[index]!.push(await undisturbed(() => run(contestants[index]!)));
      }
    }
    this.#modes.push({
      workload: this.#plan.workload,
      mode,
      contestants: contestants.map(({ serializer }, index) => ({ serializer, runs: runs[index]! })),
    });
    this.#settings.say(`${this.#plan.workload}: ${mode} measured`);
  }

  /** All contestants get the same load. */
  async #latency(
    contestants: readonly Contestant[],
    run: (target: LoadTarget, rate: number) => Promise<RunNumbers>,
  ): Promise<void> {
    const peak = this.#modes
      .at(-1)!
      .contestants.map(({ runs }) => median(runs.map((each) => each.requests / each.seconds)));
    const ratePerSecond = Math.round((LATENCY_LOAD * median(peak)) / 1000) * 1000;
    const results: { serializer: string; run: RunNumbers }[] = [];
    for (const { serializer, target } of contestants) {
      results.push({ serializer, run: await run(target, ratePerSecond) });
    }
    this.#latencies.push({ workload: this.#plan.workload, ratePerSecond, contestants: results });
  }
}

/** A run in which the server hardly ran says nothing about it: something else had the CPU. Again, a few times. */
async function undisturbed(run: () => Promise<RunNumbers>): Promise<RunNumbers> {
  let numbers = await run();
  for (let again = 0; again < RUNS_AGAIN && numbers.cpuSeconds < BUSY_LEAST * numbers.seconds; again++) {
    numbers = await run();
  }
  return numbers;
}

async function inGroups<T>(
  items: readonly T[],
  size: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  for (let index = 0; index < items.length; index += size) {
    await Promise.all(items.slice(index, index + size).map(work));
  }
}
