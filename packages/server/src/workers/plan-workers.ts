/**
 * Says which worker gets which sockets and how many connections.
 *
 * ```
 *   Linux transports      worker 0 accepts everything and hands connections to all
 *   portable transport    each worker listens on each TCP port; Unix sockets are worker 0's
 *   UDP                   one socket per worker on the same port
 *   TLS                   one more worker, on the portable transport
 * ```
 */
import type { ListeningSocket, TransportKind } from '@larder/datapath';
import type { ServerSockets } from '../listeners.ts';
import type { ServerSettings } from '../options/server-options.ts';
import type { TlsMaterial } from '../tls-files.ts';
import { divideLimit } from './accept-balance.ts';
import type { WorkerInput } from './messages.ts';

export interface WorkerPlanRequest {
  readonly transport: TransportKind;
  readonly settings: ServerSettings;
  readonly sockets: ServerSockets;
  readonly tls: TlsMaterial | undefined;
  /** What is the same for all workers. */
  readonly common: Pick<
    WorkerInput,
    'shared' | 'arena' | 'layout' | 'settings' | 'version' | 'startedAtMs' | 'authTokens'
  >;
}

export function planWorkers({ transport, settings, sockets, tls, common }: WorkerPlanRequest): WorkerInput[] {
  const { threads, connectionsMax } = settings;
  const indices = Array.from({ length: threads }, (_, index) => index);
  const isPortable = transport === 'node';
  const shares = isPortable ? indices.map(() => connectionsMax) : divideLimit(connectionsMax, threads);
  const inputs = indices.map((index): WorkerInput => {
    const accepts = index === 0 && !isPortable;
    return {
      ...common,
      index,
      transport,
      mainTransport: transport,
      connectionsMax: shares[index]!,
      listeners: streamsOf(index, isPortable, sockets.streams),
      datagrams: sockets.datagrams.flatMap((shared) => shared[index] ?? []),
      rpcPort: sockets.rpcPort,
      handOffTo: accepts ? indices.map((worker) => ({ worker, connectionsMax: shares[worker]! })) : [],
      sharesLimitWith: isPortable ? indices : [],
    };
  });
  if (tls !== undefined) {
    inputs.push({
      ...common,
      index: threads,
      transport: 'node',
      mainTransport: transport,
      connectionsMax,
      listeners: sockets.tls,
      datagrams: [],
      rpcPort: 0,
      tls,
      handOffTo: [],
      sharesLimitWith: [],
    });
  }
  return inputs;
}

function streamsOf(
  index: number,
  isPortable: boolean,
  streams: readonly ListeningSocket[],
): readonly ListeningSocket[] {
  if (index === 0) return streams;
  return isPortable ? streams.filter((socket) => socket.address.kind === 'tcp') : [];
}
