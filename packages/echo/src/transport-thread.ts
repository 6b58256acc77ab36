/**
 * A transport that runs in this thread, beside Node's event loop, and the memory that it receives into and sends
 * from: the same for the server and for the load.
 */
import { setImmediate as immediate } from 'node:timers/promises';
import {
  Arena,
  createTransport,
  loadTransport,
  mapArena,
  PAGE_BYTES,
  PageTable,
  pageAligned,
  SlabAllocator,
  SlabClasses,
  type Transport,
  type TransportHandler,
  type TransportKind,
} from '@larder/datapath';
import { CONNECTIONS_MAX } from './limits.ts';

/** The page table lies between these. */
const PAGE_TABLE_OFFSET = 64;
const ALLOCATOR_OFFSET = 64 * 1024;
/** So often signals and timers get a turn. */
const TURN_MS = 5;

/** Memory of `bytes`, which a Linux transport can be told the address of. */
export function makeAllocator(kind: TransportKind, bytes: number): SlabAllocator {
  // The first page has the structures. The last is left free: some libraries that write into a buffer want more room
  // behind a message than it has.
  const arenaBytes = pageAligned(bytes) + 2 * PAGE_BYTES;
  const arena = kind === 'node' ? Arena.portable(arenaBytes) : mapArena(arenaBytes).arena;
  const pages = new PageTable(arena, PAGE_TABLE_OFFSET, 1);
  const allocator = new SlabAllocator(pages, ALLOCATOR_OFFSET, 1, new SlabClasses());
  allocator.setPageLimit(bytes / PAGE_BYTES);
  return allocator;
}

export interface TransportThread<S> {
  readonly transport: Transport<S>;
  /** Resolves when the transport has stopped. */
  readonly ended: Promise<void>;
}

/** Makes a transport, lets `prepare` open what it is to serve, and runs it. */
export async function startTransport<S>(
  kind: TransportKind,
  allocator: SlabAllocator,
  handler: TransportHandler<S>,
  prepare: (transport: Transport<S>) => Promise<void>,
): Promise<TransportThread<S>> {
  const options = {
    arena: allocator.arena,
    allocator,
    handler,
    clock: () => performance.now(),
    limits: { connectionsMax: CONNECTIONS_MAX },
  };
  // The Linux transports block their thread unless they are run turn by turn.
  const loop = kind === 'node' ? undefined : (await loadTransport<S>(kind))(options);
  const transport = loop ?? (await createTransport<S>(kind, options));
  await prepare(transport);
  return { transport, ended: loop === undefined ? Promise.resolve(transport.run()) : runTurns(loop) };
}

async function runTurns(loop: { turn(timeoutMs: number): boolean }): Promise<void> {
  while (loop.turn(TURN_MS)) await immediate();
}
