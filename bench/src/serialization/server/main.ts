/**
 * The process of one contestant: prepares its requests, then either runs over the simulated NIC when it is told
 * to, or serves a socket until it is ended.
 */
import { createTransport, openDatagram, openListener } from '@larder/datapath';
import { endWithParent } from '@larder/datapath/internal';
import { BenchError } from '../../errors.ts';
import type { ServerCommand, ServerReply } from '../plan.ts';
import { makeRequests, PremadeRequests } from '../requests/premade.ts';
import type { Serializer } from '../serializers/serializer.ts';
import { KvHandler } from './kv-handler.ts';
import { type Prepared, prepare, prepareSerializer, prepareTrace } from './prepared.ts';
import { Simulation } from './simulate.ts';
import { enlargeBuffers } from './udp-buffers.ts';

/** Receive buffers of a contestant: its slot is small. */
const RECEIVE_BUFFERS = 256;
const NEVER_MS = 24 * 3600 * 1000;
const LOOPBACK = '127.0.0.1';

class ContestantProcess {
  #prepared: Prepared | undefined;
  #serializer: Serializer | undefined;
  #requests: PremadeRequests | undefined;
  #simulation: Simulation | undefined;
  #slot = 0;

  async obey(command: ServerCommand): Promise<void> {
    if (command.kind === 'prepare') {
      const prepared = prepare(command.store, command.slot);
      const { workload, file } = prepared;
      this.#prepared = prepared;
      this.#slot = command.slot;
      this.#serializer = await prepareSerializer(prepared, command.serializer, command.referenceBytesMin);
      const offset = file.requestOffset(command.slot);
      const made = new PremadeRequests(file.arena, offset);
      if (!made.isMade) {
        const { table, trace } = prepareTrace(workload);
        makeRequests(file.arena, offset, workload, table, trace, this.#serializer);
      }
      this.#requests = made;
      answer({ kind: 'ready' });
      return;
    }
    if (this.#prepared === undefined || this.#serializer === undefined || this.#requests === undefined) {
      throw new BenchError('SERVER', 'told to run before it was told what');
    }
    if (command.kind === 'simulate') {
      this.#simulation ??= new Simulation(this.#prepared, this.#serializer, this.#requests, this.#slot);
      answer({ kind: 'simulated', result: this.#simulation.run(command.seconds) });
      return;
    }
    await serve(this.#prepared, this.#serializer, command.transport, command.protocol);
  }
}

async function serve(
  prepared: Prepared,
  serializer: Serializer,
  kind: 'uring' | 'epoll',
  protocol: 'tcp' | 'udp',
): Promise<void> {
  const handler = new KvHandler(prepared.store, serializer);
  const transport = await createTransport<unknown>(kind, {
    arena: prepared.file.arena,
    allocator: prepared.network,
    handler,
    clock: () => performance.now(),
    limits: { slowReaderMs: NEVER_MS, receiveBuffers: RECEIVE_BUFFERS },
  });
  const socket =
    protocol === 'udp'
      ? await openDatagram(kind, { kind: 'udp', host: LOOPBACK, port: 0 })
      : await openListener(kind, { kind: 'tcp', host: LOOPBACK, port: 0 });
  if (protocol === 'udp') enlargeBuffers(socket.descriptor);
  transport.serve(socket);
  // The thread is in the kernel from here on: the message must have left before.
  process.send?.({ kind: 'listening', port: socket.port } satisfies ServerReply, () => transport.run());
}

function answer(reply: ServerReply): void {
  process.send?.(reply);
}

const contestant = new ContestantProcess();
// A thread that is in the kernel hears of no disconnect.
endWithParent();
process.on('message', (message) => {
  contestant.obey(message as ServerCommand).catch((error: unknown) => {
    const { code, message: text } = BenchError.from(error);
    answer({ kind: 'failed', code, text });
  });
});
process.on('disconnect', () => process.exit(0));
