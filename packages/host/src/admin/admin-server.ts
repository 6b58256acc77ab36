/**
 * The admin HTTP listener. It listens with a bare TCP server and loads HTTP, fastify and prom-client (about
 * 15 MB) only when the first connection comes: a process that nobody scrapes does not pay for it.
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { HostError } from '../errors.ts';
import { ADMIN_CONNECTIONS_MAX } from '../limits.ts';
import { formatHostPort } from '../options/listen-address.ts';
import type { AdminPages, AdminSource } from './pages.ts';

export class AdminServer {
  readonly address: { readonly host: string; readonly port: number };
  readonly #listener: Server;
  readonly #source: AdminSource;
  readonly #sockets: Set<Socket> = new Set();
  #pages: Promise<AdminPages> | undefined;

  private constructor(listener: Server, source: AdminSource) {
    const { address, port } = listener.address() as AddressInfo;
    this.address = { host: address, port };
    this.#listener = listener;
    this.#source = source;
    listener.on('connection', (socket) => this.#serve(socket));
  }

  /** Port 0: any free one. Throws a HostError with code EADDRINUSE when the port is taken. */
  static listen(host: string, port: number, source: AdminSource): Promise<AdminServer> {
    return new Promise((resolve, reject) => {
      // HTTP takes the bytes from the start, so nothing may be read before it has the socket.
      const listener = createServer({ pauseOnConnect: true });
      listener.maxConnections = ADMIN_CONNECTIONS_MAX;
      listener.once('error', (error: NodeJS.ErrnoException) => {
        const why = error.code === 'EADDRINUSE' ? 'the address is already in use' : error.message;
        const text = `cannot serve admin pages on ${formatHostPort(host, port)}: ${why}`;
        reject(new HostError(error.code ?? 'ERROR', text, { option: '--admin-port', cause: error }));
      });
      listener.listen({ host, port, exclusive: true }, () => resolve(new AdminServer(listener, source)));
    });
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#listener.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await (await this.#pages)?.close();
    await closed;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    // A peer that resets the connection while the pages are being loaded is no news.
    socket.on('error', () => socket.destroy());
    this.#pages ??= import('./pages.ts').then(({ createAdminPages }) => createAdminPages(this.#source));
    this.#pages.then(
      ({ http }) => {
        if (socket.destroyed) return;
        http.emit('connection', socket);
        socket.resume();
      },
      () => socket.destroy(),
    );
  }
}
