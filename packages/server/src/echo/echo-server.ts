/**
 * An echo server in this thread: what the papers measure serialization with. Anybody may bring a codec; the
 * memory, the transport and the framing are the same for all.
 */
import { setImmediate as immediate } from 'node:timers/promises';
import {
  Arena,
  closeListener,
  createTransport,
  type ListeningSocket,
  loadTransport,
  mapArena,
  openDatagram,
  openListener,
  PAGE_BYTES,
  PageTable,
  pageAligned,
  SlabAllocator,
  SlabClasses,
  selectTransport,
  type TransportKind,
} from '@larder/datapath';
import { Memory } from '@larder/wire';
import { ServerError } from '../errors.ts';
import type { EchoCodec } from './echo-codec.ts';
import { EchoHandler } from './echo-handler.ts';
import { LarderEcho } from './larder-echo.ts';

const MEMORY_BYTES: number = 128 * 1024 * 1024;
const HOST = '127.0.0.1';
const CONNECTIONS_MAX = 1024;
/** The page table lies between these. */
const PAGE_TABLE_OFFSET = 64;
const ALLOCATOR_OFFSET = 64 * 1024;
/** So often signals and timers get a turn. */
const TURN_MS = 20;

export interface EchoServerOptions {
  /** 0: any free port. TCP and UDP have the same one. */
  readonly port?: number;
  readonly host?: string;
  /** uring, epoll or node; without, the best that works here. */
  readonly transport?: string | undefined;
  /** Makes the codec over the allocator of the transport's buffers; Larder's own by default. */
  readonly codec?: (allocator: SlabAllocator) => EchoCodec;
}

export interface RunningEchoServer {
  readonly port: number;
  readonly transport: TransportKind;
  readonly codec: string;
  /** Messages answered. */
  readonly echoed: number;
  /** Chunks of the arena in use: what is left when nothing is being sent must not grow. */
  readonly chunksUsed: number;
  stop(): Promise<void>;
}

/** Starts an echo server; resolves when it answers. */
export async function startEchoServer(options: EchoServerOptions = {}): Promise<RunningEchoServer> {
  const kind = selectTransport(options.transport);
  const allocator = makeAllocator(kind);
  const codec = (options.codec ?? ((memory) => new LarderEcho(memory)))(allocator);
  const handler = new EchoHandler(Memory.ofArena(allocator.arena), codec);
  const transportOptions = {
    arena: allocator.arena,
    allocator,
    handler,
    clock: () => performance.now(),
    limits: { connectionsMax: CONNECTIONS_MAX },
  };
  const sockets = await openSockets(kind, options.host ?? HOST, options.port ?? 0);
  try {
    // The Linux transports block their thread unless they are run turn by turn.
    const loop = kind === 'node' ? undefined : (await loadTransport(kind))(transportOptions);
    const transport = loop ?? (await createTransport(kind, transportOptions));
    for (const socket of sockets) await transport.serve(socket);
    const ended = loop === undefined ? transport.run() : runTurns(loop);
    return {
      port: sockets[0]!.port,
      transport: kind,
      codec: codec.name,
      get echoed() {
        return handler.echoed;
      },
      get chunksUsed() {
        return chunksUsed(allocator);
      },
      async stop() {
        transport.stop();
        await ended;
        for (const socket of sockets) closeListener(socket);
      },
    };
  } catch (error) {
    for (const socket of sockets) closeListener(socket);
    throw ServerError.from(error);
  }
}

function chunksUsed(allocator: SlabAllocator): number {
  let used = 0;
  for (let slabClass = 1; slabClass <= allocator.classes.last; slabClass++)
    used += allocator.usage(slabClass).inUse;
  return used;
}

async function runTurns(loop: { turn(timeoutMs: number): boolean }): Promise<void> {
  while (loop.turn(TURN_MS)) await immediate();
}

async function openSockets(kind: TransportKind, host: string, port: number): Promise<ListeningSocket[]> {
  try {
    const stream = await openListener(kind, { kind: 'tcp', host, port });
    try {
      return [stream, await openDatagram(kind, { kind: 'udp', host, port: stream.port })];
    } catch (error) {
      closeListener(stream);
      throw error;
    }
  } catch (error) {
    throw ServerError.from(error);
  }
}

function makeAllocator(kind: TransportKind): SlabAllocator {
  const bytes = pageAligned(MEMORY_BYTES) + PAGE_BYTES;
  const arena = kind === 'node' ? Arena.portable(bytes) : mapArena(bytes).arena;
  const pages = new PageTable(arena, PAGE_TABLE_OFFSET, 1);
  const allocator = new SlabAllocator(pages, ALLOCATOR_OFFSET, 1, new SlabClasses());
  allocator.setPageLimit(MEMORY_BYTES / PAGE_BYTES);
  return allocator;
}
