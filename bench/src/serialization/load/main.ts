/** The load's process: does what it is told by messages, one at a time, and ends with its parent. */
import { type LoopTransport, loadTransport, selectTransport, type TransportHandler } from '@larder/datapath';
import { endWithParent } from '@larder/datapath/internal';
import { BenchError } from '../../errors.ts';
import { type CpuReading, cpuSecondsBetween, readCpuTime } from '../../harness/cpu-time.ts';
import type { LoadCommand, LoadReply, RunNumbers } from '../plan.ts';
import { ReplyChecker } from '../requests/expected.ts';
import { PremadeRequests } from '../requests/premade.ts';
import { type Prepared, prepare, prepareSerializer, prepareTrace } from '../server/prepared.ts';
import type { Trace } from '../workloads/trace.ts';
import { checkReplies } from './check.ts';
import { Pace } from './closed-or-open.ts';
import { DatagramLoad } from './datagram-load.ts';
import { StreamLoad } from './stream-load.ts';

/** The load's slot in the shared file. */
const LOAD_SLOT = 0;
const NEVER_MS = 24 * 3600 * 1000;
const RECEIVE_BUFFERS = 256;
const STALL_MS = 3000;

type RunCommand = Extract<LoadCommand, { kind: 'run' }>;

class LoadProcess {
  #prepared: Prepared | undefined;
  #trace: Trace | undefined;
  #streams: StreamLoad | undefined;
  #datagrams: DatagramLoad | undefined;

  async obey(command: LoadCommand): Promise<LoadReply> {
    if (command.kind === 'prepare') {
      await this.#prepare(prepare(command.store, LOAD_SLOT));
      return { kind: 'ready' };
    }
    const prepared = this.#prepared;
    if (prepared === undefined) throw new BenchError('LOAD', 'told to run before it was told what');
    const { file } = prepared;
    const requests = new PremadeRequests(file.arena, file.requestOffset(command.target.slot));
    if (!requests.isMade) throw new BenchError('LOAD', 'the requests were not made');
    if (command.kind === 'check') {
      const serializer = await prepareSerializer(prepared, command.target.serializer, 1);
      const { workload, store, scratchOffset } = prepared;
      this.#trace ??= prepareTrace(workload).trace;
      const trace = this.#trace;
      const checker = new ReplyChecker(workload, trace, store, serializer, scratchOffset);
      await checkReplies(command.target, requests, file.arena.node, checker, command.requests);
      return { kind: 'checked' };
    }
    const load = command.target.protocol === 'udp' ? this.#datagrams! : this.#streams!;
    return { kind: 'result', result: this.#run(command, load, requests) };
  }

  async #prepare(prepared: Prepared): Promise<void> {
    this.#prepared = prepared;
    const kind = selectTransport(undefined, {});
    if (kind === 'node') throw new BenchError('LOAD', 'the load needs io_uring or epoll');
    const streams = new StreamLoad(prepared.file.arena.view);
    type S = typeof streams extends TransportHandler<infer T> ? T : never;
    const make = await loadTransport<S>(kind);
    const transport: LoopTransport<S> = make({
      arena: prepared.file.arena,
      allocator: prepared.network,
      handler: streams,
      clock: () => performance.now(),
      limits: { slowReaderMs: NEVER_MS, receiveBuffers: RECEIVE_BUFFERS },
    });
    streams.transport = transport;
    this.#streams = streams;
    this.#datagrams = new DatagramLoad(prepared.network);
  }

  #run(command: RunCommand, load: StreamLoad | DatagramLoad, requests: PremadeRequests): RunNumbers {
    const { pid } = command.target;
    const pace = new Pace(command.ratePerSecond);
    load.open(command.target.port, command.connections, requests);
    globalThis.gc?.();
    let nowMs = performance.now();
    load.start(pace, command.depth, nowMs);
    const beginAt = nowMs + command.rampSeconds * 1000;
    while (nowMs < beginAt) {
      load.turn(nowMs);
      nowMs = performance.now();
    }
    pace.measure();
    const before = readCpuTime(pid);
    const begin = performance.now();
    const end = begin + command.seconds * 1000;
    let lastAnswered = 0;
    let lastMs = begin;
    for (nowMs = begin; nowMs < end; nowMs = performance.now()) {
      load.turn(nowMs);
      if (pace.answered !== lastAnswered) {
        lastAnswered = pace.answered;
        lastMs = nowMs;
      } else if (nowMs - lastMs > STALL_MS) throw new BenchError('SERVER', `no answer for ${STALL_MS} ms`);
    }
    const after: CpuReading = readCpuTime(pid);
    const { answered, lost } = pace;
    // What is still to come belongs to the latency of an open loop, and not to the count.
    if (!pace.isOpenLoop) pace.stop();
    load.close();
    return {
      requests: answered,
      seconds: (nowMs - begin) / 1000,
      cpuSeconds: cpuSecondsBetween(before, after),
      lost,
      latency: pace.points(),
    };
  }
}

const load = new LoadProcess();
// A thread that is in the kernel hears of no disconnect.
endWithParent();
process.on('message', (message) => {
  load
    .obey(message as LoadCommand)
    .catch((error: unknown): LoadReply => {
      const { code, message: text } = BenchError.from(error);
      return { kind: 'failed', code, text };
    })
    .then((reply) => process.send?.(reply));
});
process.on('disconnect', () => process.exit(0));
