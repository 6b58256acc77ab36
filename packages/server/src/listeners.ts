/**
 * Opens every socket that the options ask for, in the main thread, so that an address that cannot be had is
 * one clear error before anything else starts.
 */
import {
  closeListener,
  type ListeningSocket,
  openDatagram,
  openListener,
  type TransportKind,
} from '@larder/datapath';
import { ServerError } from './errors.ts';
import { formatHostPort } from './options/listen-address.ts';
import type { RpcOptions, ServerSettings } from './options/server-options.ts';

export interface Listeners {
  /** TCP and Unix sockets. */
  readonly streams: readonly ListeningSocket[];
  /** UDP: one list per address, in it one socket for each worker that answers there. */
  readonly datagrams: readonly (readonly ListeningSocket[])[];
  readonly tls: readonly ListeningSocket[];
  /** The port of the typed protocol, whose sockets are among the others; 0 for none. */
  readonly rpcPort: number;
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the address is already in use',
  EACCES: 'no permission',
  EADDRNOTAVAIL: 'this machine has no such address',
  EEXIST: 'there is a file of that name that is not a socket',
  ENOTFOUND: 'the name cannot be resolved',
};

/**
 * `workers` sockets share each UDP port. TCP ports have one socket, whose connections are handed around, but
 * on the portable transport, where each worker listens for itself.
 */
export async function openListeners(
  kind: TransportKind,
  settings: ServerSettings,
  workers: number,
): Promise<Listeners> {
  const reusePort = workers > 1;
  const shareStream = { reusePort: reusePort && kind === 'node' };
  const streams: ListeningSocket[] = [];
  const datagrams: ListeningSocket[][] = [];
  const tls: ListeningSocket[] = [];
  let rpcPort = 0;
  const opened: ListeningSocket[] = [];
  const keep = (list: ListeningSocket[], socket: ListeningSocket): void => {
    list.push(socket);
    opened.push(socket);
  };
  try {
    if (settings.unixSocket !== '') {
      const address = { kind: 'unix', path: settings.unixSocket, mode: settings.unixMode } as const;
      keep(
        streams,
        await attempt('-s/--unix-socket', settings.unixSocket, () => openListener(kind, address)),
      );
    }
    for (const { host, port: ownPort } of settings.listen) {
      if (settings.port !== 'off') {
        const port = ownPort ?? settings.port;
        const where = formatHostPort(host, port);
        keep(
          streams,
          await attempt('-p/--port', where, () =>
            openListener(kind, { kind: 'tcp', host, port }, shareStream),
          ),
        );
      }
      if (settings.udpPort !== 0) {
        const sockets: ListeningSocket[] = [];
        datagrams.push(sockets);
        let port = Math.max(0, settings.udpPort);
        for (let worker = 0; worker < workers; worker++) {
          const where = `udp ${formatHostPort(host, port)}`;
          const address = { kind: 'udp', host, port } as const;
          const socket = await attempt('-U/--udp-port', where, () =>
            openDatagram(kind, address, { reusePort }),
          );
          keep(sockets, socket);
          port = socket.port;
        }
      }
      if (settings.tls !== undefined) {
        const { port } = settings.tls;
        const where = formatHostPort(host, port);
        keep(
          tls,
          await attempt('--tls-port', where, () => openListener('node', { kind: 'tcp', host, port })),
        );
      }
    }
    if (settings.rpc !== undefined) {
      const rpc = await openRpc(kind, settings.rpc, workers, (socket) => opened.push(socket));
      streams.push(rpc.stream);
      datagrams.push(rpc.datagrams);
      rpcPort = rpc.stream.port;
    }
  } catch (error) {
    for (const socket of opened) closeListener(socket);
    throw error;
  }
  return { streams, datagrams, tls, rpcPort };
}

/** One TCP socket, and on the same port a UDP socket for each worker. `keep` is told of each at once. */
async function openRpc(
  kind: TransportKind,
  { host, port }: RpcOptions,
  workers: number,
  keep: (socket: ListeningSocket) => void,
): Promise<{ readonly stream: ListeningSocket; readonly datagrams: ListeningSocket[] }> {
  const reusePort = workers > 1;
  const stream = await attempt('--rpc-port', formatHostPort(host, port), () =>
    openListener(kind, { kind: 'tcp', host, port }, { reusePort: reusePort && kind === 'node' }),
  );
  keep(stream);
  const datagrams: ListeningSocket[] = [];
  const address = { kind: 'udp', host, port: stream.port } as const;
  for (let worker = 0; worker < workers; worker++) {
    const where = `udp ${formatHostPort(host, stream.port)}`;
    const socket = await attempt('--rpc-port', where, () => openDatagram(kind, address, { reusePort }));
    keep(socket);
    datagrams.push(socket);
  }
  return { stream, datagrams };
}

export function closeListeners(listeners: Listeners): void {
  for (const socket of [...listeners.streams, ...listeners.datagrams.flat(), ...listeners.tls])
    closeListener(socket);
}

async function attempt(
  option: string,
  where: string,
  open: () => Promise<ListeningSocket>,
): Promise<ListeningSocket> {
  try {
    return await open();
  } catch (cause) {
    const error = ServerError.from(cause);
    const reason = REASONS[error.code] ?? error.message;
    throw new ServerError(error.code, `cannot listen on ${where}: ${reason} (${option})`, { option, cause });
  }
}
