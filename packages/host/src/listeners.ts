/**
 * The sockets of a process: opened in the main thread, so that an address that cannot be had is one clear error
 * before anything else starts, and closed together. Who accepts from which is the opener's affair.
 */
import {
  closeListener,
  type ListeningSocket,
  openDatagram,
  openListener,
  type TransportKind,
} from '@larder/datapath';
import { HostError } from './errors.ts';
import { formatHostPort } from './options/listen-address.ts';

/** Where a process answers. */
export interface BoundAddress {
  readonly kind: 'tcp' | 'unix' | 'udp' | 'tls' | 'admin' | 'rpc';
  /** '' for Unix sockets. */
  readonly host: string;
  /** The port really bound; 0 for Unix sockets. */
  readonly port: number;
  /** The path of a Unix socket, else ''. */
  readonly path: string;
  /** `host:port` or the path. */
  readonly text: string;
}

/** One address with a port, and how many sockets are to share it. */
export interface SocketRequest {
  readonly host: string;
  /** 0: any free one, the same for all. */
  readonly port: number;
  readonly count: number;
  /** Whether more sockets than one are bound to the port, here or by the workers themselves. */
  readonly reusePort: boolean;
  /** The option that asks for it, for the error. */
  readonly option: string;
  /** As what it is shown; undefined for a socket that belongs to another one that is shown. */
  readonly shownAs: BoundAddress['kind'] | undefined;
  /** A transport of its own. */
  readonly transport?: TransportKind;
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the address is already in use',
  EACCES: 'no permission',
  EADDRNOTAVAIL: 'this machine has no such address',
  EEXIST: 'there is a file of that name that is not a socket',
  ENOTFOUND: 'the name cannot be resolved',
};

export class Listeners {
  /** What was opened, in that order. */
  readonly addresses: BoundAddress[] = [];
  readonly #transport: TransportKind;
  readonly #opened: ListeningSocket[] = [];

  constructor(transport: TransportKind) {
    this.#transport = transport;
  }

  async openUnix(path: string, mode: number): Promise<ListeningSocket> {
    const address = { kind: 'unix', path, mode } as const;
    const socket = await this.#open('-s/--unix-socket', path, () => openListener(this.#transport, address));
    this.addresses.push({ kind: 'unix', host: '', port: 0, path, text: path });
    return socket;
  }

  openStreams(request: SocketRequest): Promise<ListeningSocket[]> {
    const { host, reusePort, transport = this.#transport } = request;
    return this.#share(request, '', (port) =>
      openListener(transport, { kind: 'tcp', host, port }, { reusePort }),
    );
  }

  openDatagrams(request: SocketRequest): Promise<ListeningSocket[]> {
    const { host, reusePort, transport = this.#transport } = request;
    return this.#share(request, 'udp ', (port) =>
      openDatagram(transport, { kind: 'udp', host, port }, { reusePort }),
    );
  }

  /** Also after an error midway: what was opened until then is closed. */
  close(): void {
    for (const socket of this.#opened.splice(0)) closeListener(socket);
  }

  async #share(
    { host, port: wanted, count, option, shownAs }: SocketRequest,
    prefix: string,
    open: (port: number) => Promise<ListeningSocket>,
  ): Promise<ListeningSocket[]> {
    const sockets: ListeningSocket[] = [];
    let port = wanted;
    for (let index = 0; index < count; index++) {
      const socket = await this.#open(option, prefix + formatHostPort(host, port), () => open(port));
      sockets.push(socket);
      port = socket.port;
    }
    if (shownAs !== undefined)
      this.addresses.push({ kind: shownAs, host, port, path: '', text: formatHostPort(host, port) });
    return sockets;
  }

  async #open(option: string, where: string, open: () => Promise<ListeningSocket>): Promise<ListeningSocket> {
    try {
      const socket = await open();
      this.#opened.push(socket);
      return socket;
    } catch (cause) {
      const { code, message } = HostError.from(cause);
      const reason = REASONS[code] ?? message;
      throw new HostError(code, `cannot listen on ${where}: ${reason} (${option})`, { option, cause });
    }
  }
}
