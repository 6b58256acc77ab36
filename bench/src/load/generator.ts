/**
 * Runs plans: connects, asks, checks, counts.
 *
 * ```
 *   connect ── ramp ──┬─── measured ───┬── drain ── close
 *                     begin            end          (CPU time of the servers is read at begin and end)
 * ```
 *
 * One loop drives everything: send what is due, one turn of the transport, look at the clock. With an open
 * loop or datagrams it never sleeps, so that a request is not late because of the load generator.
 */
import type { CloseReason, Connection, TransportHandler } from '@larder/datapath';
import { BenchError } from '../errors.ts';
import { type CpuReading, cpuSecondsBetween, readCpuTime } from '../harness/cpu-time.ts';
import { CONNECTIONS_MAX, DEPTH_MAX, MULTIGET_MAX, OWN_ABSENCE_MS, RUN_STALL_MS } from '../limits.ts';
import { ConnectionStream, LoadSession } from './connection-stream.ts';
import { DatagramStream } from './datagram-stream.ts';
import type { LoadMemory } from './load-memory.ts';
import type { KeySpacePlan, RunPlan, RunResult, StreamPlan } from './plan.ts';

/** What the generator needs of a datapath transport. */
export interface LoadTransport {
  readonly kind: string;
  connect(
    address: { kind: 'tcp'; host: string; port: number } | { kind: 'unix'; path: string },
  ): Connection<LoadSession>;
  turn(timeoutMs: number): void;
}

export type OpenTransport = (
  memory: LoadMemory,
  handler: TransportHandler<LoadSession>,
) => Promise<LoadTransport> | LoadTransport;

const CONNECT_MS_MAX = 5000;
const DRAIN_MS_MAX = 2000;
/** A closed loop may sleep in the kernel this long before it looks at the clock. */
const CLOSED_TURN_MS = 5;
const SEED_STEP = 7919;

interface Window {
  readonly atMs: number;
  readonly servers: readonly CpuReading[];
  readonly own: CpuReading;
}

export class LoadGenerator implements TransportHandler<LoadSession> {
  readonly #memory: LoadMemory;
  #transport: LoadTransport | undefined;
  #connected = 0;
  #closed = 0;
  #isClosing = false;
  #failure: BenchError | undefined;

  private constructor(memory: LoadMemory) {
    this.#memory = memory;
  }

  static async create(memory: LoadMemory, open: OpenTransport): Promise<LoadGenerator> {
    const generator = new LoadGenerator(memory);
    generator.#transport = await open(memory, generator);
    return generator;
  }

  get transportKind(): string {
    return this.#transport?.kind ?? 'none';
  }

  run(plan: RunPlan): RunResult {
    for (const stream of plan.streams) assertStream(stream, this.#memory.space.plan);
    return plan.address.kind === 'udp' ? this.#runDatagrams(plan) : this.#runConnections(plan);
  }

  onConnect(_connection: Connection<LoadSession>): void {
    this.#connected++;
  }

  onData(connection: Connection<LoadSession>, start: number, end: number): number {
    if (this.#failure !== undefined) return end;
    const { session } = connection;
    try {
      return session.stream.receive(session, start, end, performance.now());
    } catch (error) {
      this.#failure = BenchError.from(error);
      return end;
    }
  }

  onClose(_connection: Connection<LoadSession>, reason: CloseReason, error?: Error): void {
    this.#closed++;
    if (this.#isClosing) return;
    const cause = error === undefined ? '' : `: ${error.message}`;
    this.#failure ??= new BenchError('LOAD', `a connection was closed (${reason})${cause}`);
  }

  onRelease(_owner: number): void {
    // Values are never changed, so nobody waits for the kernel to be done with them.
  }

  #runConnections(plan: RunPlan): RunResult {
    const transport = this.#transport!;
    const streams = plan.streams.map(
      (stream, index) => new ConnectionStream(this.#memory.space, stream, seedOf(this.#memory, index)),
    );
    this.#connect(plan, streams);
    const isSpinning = streams.some((stream) => stream.isOpenLoop);
    const turnMs = isSpinning ? 0 : CLOSED_TURN_MS;
    try {
      return this.#loop(plan, streams, (nowMs) => {
        if (isSpinning) for (const stream of streams) stream.sendDue(nowMs);
        transport.turn(turnMs);
      });
    } finally {
      this.#disconnect(streams);
    }
  }

  #runDatagrams(plan: RunPlan): RunResult {
    const { address } = plan;
    if (address.kind !== 'udp') throw new BenchError('USAGE', 'not a UDP address');
    const { space, datagramOffset, datagramBytes } = this.#memory;
    let offset = datagramOffset;
    const streams: DatagramStream[] = [];
    this.#failure = undefined;
    try {
      for (const [index, stream] of plan.streams.entries()) {
        const bytes = DatagramStream.bytes(stream);
        if (offset + bytes > datagramOffset + datagramBytes) {
          throw new BenchError('USAGE', 'too many datagrams in flight');
        }
        const seed = seedOf(this.#memory, index);
        streams.push(new DatagramStream(space, stream, seed, offset, address.host, address.port));
        offset += bytes;
      }
      return this.#loop(plan, streams, (nowMs) => {
        for (const stream of streams) stream.turn(nowMs);
      });
    } finally {
      for (const stream of streams) stream.close();
    }
  }

  #connect(plan: RunPlan, streams: readonly ConnectionStream[]): void {
    const transport = this.#transport!;
    const { address } = plan;
    if (address.kind === 'udp') throw new BenchError('USAGE', 'not a stream address');
    this.#connected = 0;
    this.#closed = 0;
    this.#isClosing = false;
    this.#failure = undefined;
    let wanted = 0;
    for (const [index, stream] of streams.entries()) {
      for (let count = plan.streams[index]!.connections; count > 0; count--) {
        const connection = transport.connect(address);
        const session = new LoadSession(stream, connection);
        connection.session = session;
        stream.sessions.push(session);
        wanted++;
      }
    }
    const giveUpAt = performance.now() + CONNECT_MS_MAX;
    while (this.#connected < wanted && this.#failure === undefined) {
      transport.turn(CLOSED_TURN_MS);
      if (performance.now() > giveUpAt) {
        this.#failure = new BenchError(
          'LOAD',
          `${this.#connected} of ${wanted} connections in ${CONNECT_MS_MAX} ms`,
        );
      }
    }
    if (this.#failure !== undefined) {
      this.#disconnect(streams);
      throw this.#failure;
    }
  }

  #disconnect(streams: readonly ConnectionStream[]): void {
    const transport = this.#transport!;
    this.#isClosing = true;
    let open = 0;
    for (const stream of streams) {
      for (const session of stream.sessions) {
        session.connection.destroy();
        open++;
      }
    }
    const giveUpAt = performance.now() + DRAIN_MS_MAX;
    while (this.#closed < open && performance.now() < giveUpAt) transport.turn(1);
  }

  /** The life of a run, whatever its streams are made of. */
  #loop(
    plan: RunPlan,
    streams: readonly (ConnectionStream | DatagramStream)[],
    turn: (nowMs: number) => void,
  ): RunResult {
    // What making the streams left behind is collected now, not while somebody waits for a reply.
    globalThis.gc?.();
    let nowMs = performance.now();
    for (const stream of streams) stream.start(nowMs);
    const beginMs = nowMs + plan.rampSeconds * 1000;
    const endMs = beginMs + plan.seconds * 1000;
    const isFilling = plan.streams.some((stream) => stream.requests > 0);
    let begin = plan.rampSeconds === 0 ? openWindow(plan, streams, nowMs) : undefined;
    let stallMs = 0;
    let lastMs = nowMs;
    const watch = new StallWatch(streams, nowMs);
    while (nowMs < endMs) {
      turn(nowMs);
      if (this.#failure !== undefined) throw this.#failure;
      nowMs = performance.now();
      const awayMs = nowMs - lastMs;
      if (awayMs > OWN_ABSENCE_MS) for (const stream of streams) stream.source.disturb(nowMs);
      if (begin !== undefined) stallMs = Math.max(stallMs, awayMs);
      else if (nowMs >= beginMs) {
        begin = openWindow(plan, streams, nowMs);
        nowMs = performance.now();
      }
      lastMs = nowMs;
      if (
        isFilling &&
        streams.every((stream, index) => plan.streams[index]!.requests === 0 || stream.isFilled)
      )
        break;
      watch.look(nowMs);
    }
    const end = closeWindow(plan, streams, nowMs);
    this.#drain(streams, turn);
    return summarize(begin ?? end, end, streams, stallMs);
  }

  /** Waits for what is still in flight: slow answers belong to the latency of an open loop. */
  #drain(streams: readonly (ConnectionStream | DatagramStream)[], turn: (nowMs: number) => void): void {
    for (const stream of streams) stream.stop();
    const giveUpAt = performance.now() + DRAIN_MS_MAX;
    for (let nowMs = performance.now(); nowMs < giveUpAt; nowMs = performance.now()) {
      if (streams.every((stream) => stream.outstanding === 0)) return;
      turn(nowMs);
      if (this.#failure !== undefined) throw this.#failure;
    }
  }
}

/** Refuses what would not fit the buffers, or asks for keys that there are not. */
function assertStream(stream: StreamPlan, space: KeySpacePlan): void {
  const inRange = (name: string, value: number, max: number): void => {
    if (!(value >= 1 && value <= max)) {
      throw new BenchError('USAGE', `${name} of ${stream.name} is ${value}, not 1 to ${max}`);
    }
  };
  inRange('connections', stream.connections, CONNECTIONS_MAX);
  inRange('depth', stream.depth, DEPTH_MAX);
  inRange('keys per get', stream.keysPerGet, MULTIGET_MAX);
  inRange('last key', stream.firstKey + stream.keys, space.keys);
}

/** Ends a run in which no answer comes any more. */
class StallWatch {
  readonly #streams: readonly (ConnectionStream | DatagramStream)[];
  #answered = 0;
  #sinceMs: number;
  #nextLookMs: number;

  constructor(streams: readonly (ConnectionStream | DatagramStream)[], nowMs: number) {
    this.#streams = streams;
    this.#sinceMs = nowMs;
    this.#nextLookMs = nowMs + RUN_STALL_MS / 10;
  }

  look(nowMs: number): void {
    if (nowMs < this.#nextLookMs) return;
    this.#nextLookMs = nowMs + RUN_STALL_MS / 10;
    let answered = 0;
    for (const stream of this.#streams) answered += stream.source.answeredTotal;
    if (answered !== this.#answered) {
      this.#answered = answered;
      this.#sinceMs = nowMs;
    } else if (nowMs - this.#sinceMs > RUN_STALL_MS) {
      throw new BenchError('SERVER', `no answer for ${RUN_STALL_MS} ms`);
    }
  }
}

function openWindow(
  plan: RunPlan,
  streams: readonly (ConnectionStream | DatagramStream)[],
  nowMs: number,
): Window {
  for (const stream of streams) stream.source.begin(nowMs);
  return readWindow(plan, nowMs);
}

function closeWindow(
  plan: RunPlan,
  streams: readonly (ConnectionStream | DatagramStream)[],
  nowMs: number,
): Window {
  for (const stream of streams) stream.source.end(nowMs);
  return readWindow(plan, nowMs);
}

function readWindow(plan: RunPlan, atMs: number): Window {
  return { atMs, servers: plan.serverPids.map(readCpuTime), own: readCpuTime(process.pid) };
}

function summarize(
  begin: Window,
  end: Window,
  streams: readonly (ConnectionStream | DatagramStream)[],
  stallMs: number,
): RunResult {
  let serverCpuSeconds = 0;
  let serverWaited = 0;
  for (const [index, before] of begin.servers.entries()) {
    serverCpuSeconds += cpuSecondsBetween(before, end.servers[index]!);
    serverWaited += end.servers[index]!.waited - before.waited;
  }
  return {
    seconds: (end.atMs - begin.atMs) / 1000,
    serverCpuSeconds,
    serverWaitedSeconds: serverWaited / 1e9,
    loadWaitedSeconds: (end.own.waited - begin.own.waited) / 1e9,
    loadCpuSeconds: cpuSecondsBetween(begin.own, end.own),
    stallMs,
    streams: streams.map((stream) => stream.source.result()),
  };
}

function seedOf(memory: LoadMemory, index: number): number {
  return memory.space.plan.seed + SEED_STEP * (index + 1);
}
