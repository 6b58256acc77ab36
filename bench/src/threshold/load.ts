/** The sweep's load, in this process: keeps requests of one cell in flight and reads the server's CPU time. */
import {
  type LoopTransport,
  loadTransport,
  MIB,
  mapArena,
  PAGE_BYTES,
  PageTable,
  SlabAllocator,
  SlabClasses,
  selectTransport,
  type TransportHandler,
} from '@larder/datapath';
import { BenchError } from '../errors.ts';
import { cpuSecondsBetween, readCpuTime } from '../harness/cpu-time.ts';
import { Pace } from '../serialization/load/closed-or-open.ts';
import { DatagramLoad } from '../serialization/load/datagram-load.ts';
import { StreamLoad } from '../serialization/load/stream-load.ts';
import { PremadeRequests } from '../serialization/requests/premade.ts';
import { REQUEST_MEMORY_BYTES, writeRequests } from './request.ts';
import type { Shape } from './shapes.ts';

const MEMORY_BYTES: number = 64 * MIB;
const CONNECTIONS = 8;
const UDP_SOCKETS = 4;
const DEPTH = 16;
const RAMP_SECONDS = 0.01;
const NEVER_MS = 24 * 3600 * 1000;

export class SweepLoad {
  readonly #allocator: SlabAllocator;
  readonly #offset: number;
  readonly #streams: StreamLoad;
  readonly #datagrams: DatagramLoad;

  private constructor(allocator: SlabAllocator, streams: StreamLoad) {
    this.#allocator = allocator;
    this.#streams = streams;
    this.#datagrams = new DatagramLoad(allocator);
    this.#offset = allocator.allocate(allocator.classFor(REQUEST_MEMORY_BYTES + 64)) + 64;
  }

  static async create(): Promise<SweepLoad> {
    const { arena } = mapArena(MEMORY_BYTES + PAGE_BYTES);
    const allocator = new SlabAllocator(new PageTable(arena, 4096, 1), 512 * 1024, 1, new SlabClasses());
    allocator.setPageLimit(MEMORY_BYTES / PAGE_BYTES);
    const kind = selectTransport(undefined, {});
    if (kind === 'node') throw new BenchError('LOAD', 'the load needs io_uring or epoll');
    const streams = new StreamLoad(arena.view);
    type S = typeof streams extends TransportHandler<infer T> ? T : never;
    const make = await loadTransport<S>(kind);
    const transport: LoopTransport<S> = make({
      arena,
      allocator,
      handler: streams,
      clock: () => performance.now(),
      limits: { slowReaderMs: NEVER_MS, receiveBuffers: 256 },
    });
    streams.transport = transport;
    return new SweepLoad(allocator, streams);
  }

  /** Nanoseconds of the server's CPU per request. */
  cell(
    protocol: 'tcp' | 'udp',
    port: number,
    pid: number,
    shape: Shape,
    isReference: boolean,
    seconds: number,
  ): number {
    const { arena } = this.#allocator;
    writeRequests(arena, this.#offset, shape, isReference);
    const load = protocol === 'udp' ? this.#datagrams : this.#streams;
    const pace = new Pace(0);
    load.open(port, protocol === 'udp' ? UDP_SOCKETS : CONNECTIONS, new PremadeRequests(arena, this.#offset));
    let nowMs = performance.now();
    load.start(pace, DEPTH, nowMs);
    for (const end = nowMs + RAMP_SECONDS * 1000; nowMs < end; nowMs = performance.now()) load.turn(nowMs);
    pace.measure();
    const before = readCpuTime(pid);
    for (const end = nowMs + seconds * 1000; nowMs < end; nowMs = performance.now()) load.turn(nowMs);
    const after = readCpuTime(pid);
    const { answered } = pace;
    load.close();
    return (cpuSecondsBetween(before, after) * 1e9) / answered;
  }
}
