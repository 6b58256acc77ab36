/**
 * Measures one workload: fills a shared file with its store, starts a process for every contestant, and lets
 * them take turns, round after round, while the load (or, over the simulated NIC, nobody) asks. Then those whose
 * place near a target is to be known better do it again, in new processes: which memory a process gets and what its
 * compiler makes of the code is luck that more rounds of the same process do not even out.
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
import type { ContestantResult, LatencyResult, Mode, ModeResult } from '../report/results.ts';
import { closeContestants } from '../report/targets.ts';
import { planWorkload } from '../server/prepared.ts';
import { fillStore } from '../store/fill-store.ts';
import { makeKeyTable } from '../workloads/trace.ts';
import { PeerProcess } from './peer-process.ts';

export interface MeasureSettings {
  readonly serializers: readonly string[];
  /** Rounds of all contestants. */
  readonly rounds: number;
  /** How often those near a target get new processes, and rounds of each. */
  readonly closeProcesses: number;
  readonly closeRounds: number;
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
/** By how many places the order moves from round to round: of twelve contestants, or of some four. */
const ROTATION = 5;
/** A threshold that no value reaches; JSON has no Infinity. */
const NEVER_BYTES: number = 2 ** 31;
/** The fixed load, as a part of what the middle of the contestants does in a closed loop. */
const LATENCY_LOAD = 0.5;
/** Its length, in runs. */
const LATENCY_RUNS = 2;

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

  async #start(over: 'nic' | Protocol, names: readonly string[]): Promise<Contestant[]> {
    const { serializers, serverCpu, loadCpu, thresholds } = this.#settings;
    const referenceBytesMin = Math.min(thresholds[over], NEVER_BYTES);
    const contestants: Contestant[] = names.map((serializer) => {
      // What is done before anything is measured may take all that there is.
      const cpus = `${serverCpu},${loadCpu}`;
      const server: Server = new PeerProcess(this.#processes, serializer, '../server/main.ts', cpus);
      // Its requests are made once, and stay in its slot.
      const slot = serializers.indexOf(serializer) + 1;
      const target = { protocol: 'tcp' as const, port: 0, slot, serializer, pid: server.pid };
      return { serializer, server, target };
    });
    await inGroups(contestants, STARTS, ({ serializer, server, target: { slot } }) =>
      server.ask({ kind: 'prepare', store: this.#store, slot, serializer, referenceBytesMin }, 'ready'),
    );
    for (const { server } of contestants) server.pin(serverCpu);
    return contestants;
  }

  async #runNic(): Promise<void> {
    const { serializers, rounds, seconds, warmupSeconds } = this.#settings;
    const simulate = async (server: Server, length: number): Promise<RunNumbers> =>
      (await server.ask({ kind: 'simulate', seconds: length }, 'simulated')).result;
    const measure = async (names: readonly string[], count: number): Promise<ContestantResult[]> => {
      const contestants = await this.#start('nic', names);
      for (const { server } of contestants) await simulate(server, warmupSeconds);
      const results = await measureRounds(contestants, count, ({ server }) => simulate(server, seconds));
      await Promise.all(contestants.map(({ server }) => server.stop()));
      return results;
    };
    await this.#closer('nic', await measure(serializers, rounds), measure);
  }

  async #runSockets(protocol: Protocol, modes: readonly Mode[], withLatency: boolean): Promise<void> {
    const { serializers, loadCpu, rounds, seconds } = this.#settings;
    const flags = ['--single-threaded-gc', '--expose-gc'];
    const load: Load = new PeerProcess(this.#processes, 'the load', '../load/main.ts', loadCpu, flags);
    await load.ask({ kind: 'prepare', store: this.#store }, 'ready');
    const contestants = await this.#serve(protocol, serializers, load);
    const first = new Map<Mode, ContestantResult[]>();
    for (const mode of modes) {
      const depth = mode.endsWith('-one') ? 1 : DEPTH;
      const run = ({ target }: Contestant): Promise<RunNumbers> => ask(load, target, depth, seconds, 0);
      first.set(mode, await measureRounds(contestants, rounds, run));
    }
    if (withLatency) await this.#latency(contestants, first.get(modes.at(-1)!)!, load);
    await Promise.all(contestants.map(({ server }) => server.kill()));
    for (const [mode, results] of first) {
      await this.#closer(mode, results, async (names, count) => {
        const again = await this.#serve(protocol, names, load);
        const more = await measureRounds(again, count, ({ target }) => ask(load, target, DEPTH, seconds, 0));
        await Promise.all(again.map(({ server }) => server.kill()));
        return more;
      });
    }
    await load.stop();
  }

  /** Contestants that listen, answer rightly, and are warm. */
  async #serve(protocol: Protocol, names: readonly string[], load: Load): Promise<Contestant[]> {
    const { transport, warmupSeconds } = this.#settings;
    const contestants = await Promise.all(
      (await this.#start(protocol, names)).map(async (each) => {
        const { port } = await each.server.ask({ kind: 'serve', transport, protocol }, 'listening');
        return { ...each, target: { ...each.target, protocol, port } };
      }),
    );
    for (const { target } of contestants) {
      await load.ask({ kind: 'check', target, requests: CHECKED_REQUESTS }, 'checked');
      await ask(load, target, DEPTH, warmupSeconds, 0);
    }
    return contestants;
  }

  /** Notes what was measured, after more of it for those that are near a target. */
  async #closer(
    mode: Mode,
    first: readonly ContestantResult[],
    measure: (names: readonly string[], rounds: number) => Promise<ContestantResult[]>,
  ): Promise<void> {
    const { closeProcesses, closeRounds } = this.#settings;
    const { workload } = this.#plan;
    const names = closeContestants({ workload, mode, contestants: first });
    let contestants = first;
    for (let count = 0; count < closeProcesses && names.length > 1; count++) {
      const more = await measure(names, closeRounds);
      contestants = contestants.map((each) => {
        const found = more.find(({ serializer }) => serializer === each.serializer);
        return found === undefined ? each : { ...each, runs: [...each.runs, ...found.runs] };
      });
    }
    this.#modes.push({ workload, mode, contestants });
    this.#settings.say(`${workload}: ${mode} measured, more closely: ${names.join(', ') || 'none'}`);
  }

  /** All contestants get the same load. */
  async #latency(
    contestants: readonly Contestant[],
    measured: readonly ContestantResult[],
    load: Load,
  ): Promise<void> {
    const peaks = measured.map(({ runs }) => median(runs.map((each) => each.requests / each.seconds)));
    const ratePerSecond = Math.round((LATENCY_LOAD * median(peaks)) / 1000) * 1000;
    const results: { serializer: string; run: RunNumbers }[] = [];
    for (const { serializer, target } of contestants) {
      results.push({
        serializer,
        run: await ask(load, target, 1, LATENCY_RUNS * this.#settings.seconds, ratePerSecond),
      });
    }
    this.#latencies.push({ workload: this.#plan.workload, ratePerSecond, contestants: results });
  }
}

async function ask(
  load: Load,
  target: LoadTarget,
  depth: number,
  seconds: number,
  ratePerSecond: number,
): Promise<RunNumbers> {
  const connections = target.protocol === 'udp' ? UDP_SOCKETS : CONNECTIONS;
  const rampSeconds = RAMP_SECONDS;
  const reply = await load.ask(
    { kind: 'run', target, connections, depth, rampSeconds, seconds, ratePerSecond },
    'result',
  );
  return reply.result;
}

async function measureRounds(
  contestants: readonly Contestant[],
  rounds: number,
  run: (contestant: Contestant) => Promise<RunNumbers>,
): Promise<ContestantResult[]> {
  const runs = contestants.map((): RunNumbers[] => []);
  for (let round = 0; round < rounds; round++) {
    // Each round begins with another one, so that nobody always follows the same.
    for (let turn = 0; turn < contestants.length; turn++) {
      const index = (turn + round * ROTATION) % contestants.length;
      runs[index]!.push(await undisturbed(() => run(contestants[index]!)));
    }
  }
  return contestants.map(({ serializer }, index) => ({ serializer, runs: runs[index]! }));
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
