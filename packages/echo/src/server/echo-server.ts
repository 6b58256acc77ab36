/**
 * An echo server in this thread: what the papers measure serialization with. Any of the serializers, or anybody's
 * own codec; the memory, the transport and the framing are the same for all.
 */
import {
  closeListener,
  type ListeningSocket,
  openDatagram,
  openListener,
  type SlabAllocator,
  type TransportKind,
} from '@larder/datapath';
import { chooseTransport } from '@larder/host';
import { Memory } from '@larder/wire';
import { EchoError } from '../errors.ts';
import { SERVER_MEMORY_BYTES } from '../limits.ts';
import { loadSerializer } from '../serializers/registry.ts';
import { makeAllocator, startTransport } from '../transport-thread.ts';
import type { EchoCodec } from './echo-codec.ts';
import { EchoHandler } from './echo-handler.ts';

const HOST = '127.0.0.1';

export interface EchoServerOptions {
  /** 0, the default: any free port. TCP and UDP have the same one. */
  readonly port?: number;
  readonly host?: string;
  /** uring, epoll or node; without, the best that works here. */
  readonly transport?: string | undefined;
  /** One of `SERIALIZERS`; without, `larder`. */
  readonly serializer?: string | undefined;
  /** Makes a codec of one's own over the allocator of the transport's buffers, instead. */
  readonly codec?: (allocator: SlabAllocator) => EchoCodec;
}

export interface RunningEchoServer {
  readonly port: number;
  readonly transport: TransportKind;
  /** The serializer's name. */
  readonly codec: string;
  /** Messages answered. */
  readonly echoed: number;
  /** Messages that were none of the serializer's: each ended its connection, or was a datagram that was dropped. */
  readonly refused: number;
  /** Chunks of the arena in use: what is left when nothing is being sent must not grow. */
  readonly chunksUsed: number;
  stop(): Promise<void>;
}

/**
 * Starts an echo server; resolves when it answers. Rejects with an `EchoError`: `OPTION` for an unknown serializer,
 * `MISSING_PACKAGE` when its library is not installed, an errno name when the address cannot be had.
 */
export async function startEchoServer(options: EchoServerOptions = {}): Promise<RunningEchoServer> {
  try {
    return await start(options);
  } catch (error) {
    throw EchoError.from(error);
  }
}

async function start(options: EchoServerOptions): Promise<RunningEchoServer> {
  const kind = chooseTransport(options.transport ?? '');
  const makeCodec = options.codec ?? (await loadSerializer(options.serializer ?? 'larder')).makeCodec;
  const allocator = makeAllocator(kind, SERVER_MEMORY_BYTES);
  const codec = makeCodec(allocator);
  const handler = new EchoHandler(Memory.ofArena(allocator.arena), codec);
  const sockets = await openSockets(kind, options.host ?? HOST, options.port ?? 0);
  const close = (): void => {
    for (const socket of sockets) closeListener(socket);
  };
  try {
    const { transport, ended } = await startTransport(kind, allocator, handler, async (made) => {
      for (const socket of sockets) await made.serve(socket);
    });
    return {
      port: sockets[0]!.port,
      transport: kind,
      codec: codec.name,
      get echoed() {
        return handler.echoed;
      },
      get refused() {
        return handler.refused;
      },
      get chunksUsed() {
        return chunksUsed(allocator);
      },
      async stop() {
        transport.stop();
        await ended;
        close();
      },
    };
  } catch (error) {
    close();
    throw error;
  }
}

function chunksUsed(allocator: SlabAllocator): number {
  let used = 0;
  for (let slabClass = 1; slabClass <= allocator.classes.last; slabClass++)
    used += allocator.usage(slabClass).inUse;
  return used;
}

async function openSockets(kind: TransportKind, host: string, port: number): Promise<ListeningSocket[]> {
  const stream = await openListener(kind, { kind: 'tcp', host, port });
  try {
    return [stream, await openDatagram(kind, { kind: 'udp', host, port: stream.port })];
  } catch (error) {
    closeListener(stream);
    throw error;
  }
}
