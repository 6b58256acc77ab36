/**
 * Opens every socket that the options ask for, and says which worker has which.
 *
 * ```
 *   TCP    one socket per worker on the same port: the kernel spreads connections
 *   Unix   one socket, from which every worker of the Linux transports accepts
 *   UDP    one socket per worker on the same port, at every address
 * ```
 */
import type { ListeningSocket, TransportKind } from '@larder/datapath';
import { Listeners } from '@larder/host';
import type { RouterSettings } from './options/router-options.ts';

export interface WorkerSockets {
  readonly streams: ListeningSocket[];
  readonly datagrams: ListeningSocket[];
}

export interface RouterSockets {
  /** All of them, to be closed together. */
  readonly listeners: Listeners;
  /** By worker. */
  readonly workers: readonly WorkerSockets[];
}

export async function openSockets(kind: TransportKind, settings: RouterSettings): Promise<RouterSockets> {
  const listeners = new Listeners(kind);
  const { threads, port, udpPort, unixSocket, unixMode } = settings;
  const workers = Array.from({ length: threads }, (): WorkerSockets => ({ streams: [], datagrams: [] }));
  const oneEach = { count: threads, reusePort: threads > 1 };
  try {
    if (unixSocket !== '') {
      const socket = await listeners.openUnix(unixSocket, unixMode);
      // Node binds the path itself, which only one can.
      for (const worker of kind === 'node' ? workers.slice(0, 1) : workers) worker.streams.push(socket);
    }
    for (const { host, port: ownPort } of settings.listen) {
      if (port !== 'off') {
        const request = { host, port: ownPort ?? port, option: '-p/--port', shownAs: 'tcp' } as const;
        const sockets = await listeners.openStreams({ ...request, ...oneEach });
        for (const [index, socket] of sockets.entries()) workers[index]!.streams.push(socket);
      }
      if (udpPort !== 0) {
        const request = {
          host,
          port: Math.max(0, udpPort),
          option: '-U/--udp-port',
          shownAs: 'udp',
        } as const;
        const sockets = await listeners.openDatagrams({ ...request, ...oneEach });
        for (const [index, socket] of sockets.entries()) workers[index]!.datagrams.push(socket);
      }
    }
  } catch (error) {
    listeners.close();
    throw error;
  }
  return { listeners, workers };
}
