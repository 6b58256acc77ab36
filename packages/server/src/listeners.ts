/** Opens every socket that the options ask for, and says which speaks what. */
import type { ListeningSocket, TransportKind } from '@larder/datapath';
import { Listeners } from '@larder/host';
import type { ServerSettings } from './options/server-options.ts';

export interface ServerSockets {
  /** All of them, to be closed together. */
  readonly listeners: Listeners;
  /** TCP and Unix sockets. */
  readonly streams: readonly ListeningSocket[];
  /** UDP: one list per address, in it one socket for each worker that answers there. */
  readonly datagrams: readonly (readonly ListeningSocket[])[];
  readonly tls: readonly ListeningSocket[];
  /** The port of the typed protocol, whose sockets are among the others; 0 for none. */
  readonly rpcPort: number;
}

/**
 * `workers` sockets share each UDP port. TCP ports have one socket, whose connections are handed around, but
 * on the portable transport, where each worker listens for itself.
 */
export async function openSockets(
  kind: TransportKind,
  settings: ServerSettings,
  workers: number,
): Promise<ServerSockets> {
  const listeners = new Listeners(kind);
  const streams: ListeningSocket[] = [];
  const datagrams: ListeningSocket[][] = [];
  const tls: ListeningSocket[] = [];
  const isShared = workers > 1;
  const oneSocket = { count: 1, reusePort: isShared && kind === 'node' };
  const oneEach = { count: workers, reusePort: isShared };
  const { port, udpPort, unixSocket, unixMode, rpc } = settings;
  let rpcPort = 0;
  try {
    if (unixSocket !== '') streams.push(await listeners.openUnix(unixSocket, unixMode));
    for (const { host, port: ownPort } of settings.listen) {
      if (port !== 'off') {
        const request = { host, port: ownPort ?? port, option: '-p/--port', shownAs: 'tcp' } as const;
        streams.push(...(await listeners.openStreams({ ...request, ...oneSocket })));
      }
      if (udpPort !== 0) {
        const request = {
          host,
          port: Math.max(0, udpPort),
          option: '-U/--udp-port',
          shownAs: 'udp',
        } as const;
        datagrams.push(await listeners.openDatagrams({ ...request, ...oneEach }));
      }
      if (settings.tls !== undefined) {
        const request = { host, port: settings.tls.port, option: '--tls-port', shownAs: 'tls' } as const;
        const single = { count: 1, reusePort: false, transport: 'node' } as const;
        tls.push(...(await listeners.openStreams({ ...request, ...single })));
      }
    }
    if (rpc !== undefined) {
      const request = { host: rpc.host, option: '--rpc-port' };
      const [stream] = await listeners.openStreams({
        ...request,
        ...oneSocket,
        port: rpc.port,
        shownAs: 'rpc',
      });
      rpcPort = stream!.port;
      streams.push(stream!);
      datagrams.push(
        await listeners.openDatagrams({ ...request, ...oneEach, port: rpcPort, shownAs: undefined }),
      );
    }
  } catch (error) {
    listeners.close();
    throw error;
  }
  return { listeners, streams, datagrams, tls, rpcPort };
}
