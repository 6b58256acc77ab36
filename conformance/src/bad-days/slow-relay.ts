/** A relay between a router and a server that holds every byte of the server's answers back for a while. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export class SlowRelay implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets: Set<Socket> = new Set();

  private constructor(server: Server) {
    this.#server = server;
  }

  static start(targetPort: number, delayMs: number): Promise<SlowRelay> {
    const server = createServer();
    const relay = new SlowRelay(server);
    server.on('connection', (client) => {
      const target = connect(targetPort, '127.0.0.1');
      for (const socket of [client, target]) {
        relay.#sockets.add(socket);
        socket.setNoDelay(true);
        socket.on('error', () => socket.destroy());
        socket.on('close', () => {
          relay.#sockets.delete(socket);
          client.destroy();
          target.destroy();
        });
      }
      client.on('data', (bytes) => target.write(bytes));
      target.on('data', (bytes) => setTimeout(() => client.write(bytes), delayMs));
    });
    return new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve(relay));
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
