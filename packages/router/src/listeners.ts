/**
 * Opens every socket that the options ask for, in the main thread, so that an address that cannot be had is one
 * clear error before anything else starts.
 *
 * ```
 *   TCP    one socket per worker on the same port: the kernel spreads connections
 *   Unix   one socket, from which every worker of the Linux transports accepts
 *   UDP    one socket per worker on the same port
 * ```
 */
import { isIPv6 } from 'node:net';
import {
  closeListener,
  type ListeningSocket,
  openDatagram,
  openListener,
  type TransportKind,
} from '@larder/datapath';
import { RouterError } from './errors.ts';
import type { RouterSettings } from './options/router-options.ts';

interface WorkerSockets {
  readonly streams: ListeningSocket[];
  /** At most one: a reply is sent from the socket that the request came to. */
  readonly datagrams: ListeningSocket[];
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the address is already in use',
  EACCES: 'no permission',
  EADDRNOTAVAIL: 'this machine has no such address',
  EEXIST: 'there is a file of that name that is not a socket',
  ENOTFOUND: 'the name cannot be resolved',
};

/** `host:port`, with brackets around IPv6. */
export function formatHostPort(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

export class Listeners {
  /** By worker. */
  readonly workers: WorkerSockets[];
  readonly #opened: ListeningSocket[] = [];
  readonly #kind: TransportKind;

  private constructor(kind: TransportKind, threads: number) {
    this.#kind = kind;
    this.workers = Array.from({ length: threads }, () => ({ streams: [], datagrams: [] }));
  }

  static async open(kind: TransportKind, settings: RouterSettings): Promise<Listeners> {
    const listeners = new Listeners(kind, settings.threads);
    try {
      if (settings.unixSocket !== '') await listeners.#openUnix(settings);
      if (settings.port !== 'off') {
        for (const { host, port } of settings.listen) await listeners.#openTcp(host, port ?? settings.port);
      }
      if (settings.udpPort !== 0)
        await listeners.#openUdp(settings.listen[0]!.host, Math.max(0, settings.udpPort));
    } catch (error) {
      listeners.close();
      throw error;
    }
    return listeners;
  }

  close(): void {
    for (const socket of this.#opened) closeListener(socket);
  }

  async #openUnix(settings: RouterSettings): Promise<void> {
    const path = settings.unixSocket;
    const address = { kind: 'unix', path, mode: settings.unixMode } as const;
    const socket = await attempt('-s/--unix-socket', path, () => openListener(this.#kind, address));
    this.#opened.push(socket);
    // Node binds the path itself, which only one can.
    const takers = this.#kind === 'node' ? this.workers.slice(0, 1) : this.workers;
    for (const worker of takers) worker.streams.push(socket);
  }

  async #openTcp(host: string, wanted: number): Promise<void> {
    const reusePort = this.workers.length > 1;
    let port = wanted;
    for (const worker of this.workers) {
      const where = formatHostPort(host, port);
      const address = { kind: 'tcp', host, port } as const;
      const socket = await attempt('-p/--port', where, () =>
        openListener(this.#kind, address, { reusePort }),
      );
      this.#opened.push(socket);
      worker.streams.push(socket);
      port = socket.port;
    }
  }

  async #openUdp(host: string, wanted: number): Promise<void> {
    const reusePort = this.workers.length > 1;
    let port = wanted;
    for (const worker of this.workers) {
      const where = `udp ${formatHostPort(host, port)}`;
      const address = { kind: 'udp', host, port } as const;
      const socket = await attempt('-U/--udp-port', where, () =>
        openDatagram(this.#kind, address, { reusePort }),
      );
      this.#opened.push(socket);
      worker.datagrams.push(socket);
      port = socket.port;
    }
  }
}

async function attempt(
  option: string,
  where: string,
  open: () => Promise<ListeningSocket>,
): Promise<ListeningSocket> {
  try {
    return await open();
  } catch (cause) {
    const error = RouterError.from(cause);
    const reason = REASONS[error.code] ?? error.message;
    throw new RouterError(error.code, `cannot listen on ${where}: ${reason} (${option})`, { option, cause });
  }
}
