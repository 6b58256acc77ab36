/** The sweep's server process: simulates a cell when it is told to, or serves a socket until it is ended. */
import { createTransport, openDatagram, openListener } from '@larder/datapath';
import { endWithParent, SimulatedNic } from '@larder/datapath/internal';
import { BenchError } from '../errors.ts';
import { cpuSecondsBetween, readCpuTime } from '../harness/cpu-time.ts';
import { PremadeRequests } from '../serialization/requests/premade.ts';
import { enlargeBuffers } from '../serialization/server/udp-buffers.ts';
import { REQUEST_MEMORY_BYTES, writeRequests } from './request.ts';
import type { Shape, Target } from './shapes.ts';
import { SweepHandler } from './sweep-handler.ts';
import { SweepMemory } from './sweep-memory.ts';

export type SweepCommand =
  | { readonly kind: 'serve'; readonly target: Target; readonly bytesPerSize: number }
  | { readonly kind: 'cell'; readonly shape: Shape; readonly isReference: boolean; readonly seconds: number };

export type SweepReply =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'measured'; readonly nsPerRequest: number }
  | { readonly kind: 'failed'; readonly code: string; readonly text: string };

const LOOPBACK = '127.0.0.1';
const BURST = 32;

/** Runs cells over the simulated NIC. */
class Simulation {
  readonly #memory: SweepMemory;
  readonly #nic: SimulatedNic<unknown>;
  readonly #connection: ReturnType<SimulatedNic<unknown>['connect']>;
  readonly #offset: number;

  constructor(memory: SweepMemory) {
    const { arena, allocator } = memory;
    this.#memory = memory;
    this.#nic = new SimulatedNic<unknown>({ arena, allocator, handler: new SweepHandler(memory) });
    this.#connection = this.#nic.connect();
    const chunk = allocator.allocate(allocator.classFor(REQUEST_MEMORY_BYTES + 64));
    if (chunk === 0) throw new BenchError('SERVER', 'no memory for requests');
    this.#offset = chunk + 64;
  }

  run(shape: Shape, isReference: boolean, seconds: number): number {
    writeRequests(this.#memory.arena, this.#offset, shape, isReference);
    const requests = new PremadeRequests(this.#memory.arena, this.#offset);
    const before = readCpuTime(process.pid);
    const end = performance.now() + seconds * 1000;
    let done = 0;
    while (performance.now() < end) {
      for (let burst = 0; burst < BURST; burst++, done++) {
        const start = requests.offsetOf(done % requests.count);
        this.#nic.receive(this.#connection, start, start + requests.bytesOf(done % requests.count));
      }
    }
    return (cpuSecondsBetween(before, readCpuTime(process.pid)) * 1e9) / done;
  }
}

let simulation: Simulation | undefined;

async function obey(command: SweepCommand): Promise<void> {
  if (command.kind === 'cell') {
    if (simulation === undefined) throw new BenchError('SERVER', 'told to run before it was told what');
    const nsPerRequest = simulation.run(command.shape, command.isReference, command.seconds);
    process.send?.({ kind: 'measured', nsPerRequest } satisfies SweepReply);
    return;
  }
  const memory = new SweepMemory(command.bytesPerSize);
  if (command.target === 'nic') {
    simulation = new Simulation(memory);
    process.send?.({ kind: 'listening', port: 0 } satisfies SweepReply);
    return;
  }
  const [kind, protocol] = command.target.split('-') as ['uring' | 'epoll', 'tcp' | 'udp'];
  const { arena, allocator } = memory;
  const handler = new SweepHandler(memory);
  const transport = await createTransport<unknown>(kind, {
    arena,
    allocator,
    handler,
    clock: () => performance.now(),
    limits: { receiveBuffers: 256 },
  });
  const socket =
    protocol === 'udp'
      ? await openDatagram(kind, { kind: 'udp', host: LOOPBACK, port: 0 })
      : await openListener(kind, { kind: 'tcp', host: LOOPBACK, port: 0 });
  if (protocol === 'udp') enlargeBuffers(socket.descriptor);
  transport.serve(socket);
  // The thread is in the kernel from here on: the message must have left before.
  process.send?.({ kind: 'listening', port: socket.port } satisfies SweepReply, () => transport.run());
}

// A thread that is in the kernel hears of no disconnect.
endWithParent();
process.on('message', (message) => {
  obey(message as SweepCommand).catch((error: unknown) => {
    const { code, message: text } = BenchError.from(error);
    process.send?.({ kind: 'failed', code, text } satisfies SweepReply);
  });
});
process.on('disconnect', () => process.exit(0));
