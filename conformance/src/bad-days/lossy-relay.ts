/** A UDP relay that loses, repeats and reorders datagrams, always the same ones for the same seed. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';

export interface LossyRelayOptions {
  readonly seed: number;
  /** Shares of datagrams, 0 to 1. */
  readonly lost: number;
  readonly repeated: number;
  readonly reordered: number;
}

/** How long a reordered datagram is held back; others overtake it. */
const HELD_MS = 8;

export class LossyRelay implements AsyncDisposable {
  lost = 0;
  repeated = 0;
  reordered = 0;
  readonly #socket: Socket;
  readonly #options: LossyRelayOptions;
  readonly #targetPort: number;
  /** A socket to the server for each client, so that answers find their way back. */
  readonly #clients: Map<string, Socket> = new Map();
  #state: number;

  private constructor(socket: Socket, targetPort: number, options: LossyRelayOptions) {
    this.#socket = socket;
    this.#targetPort = targetPort;
    this.#options = options;
    this.#state = options.seed >>> 0;
    socket.on('message', (bytes, from) => this.#pass(bytes, (copy) => this.#toServer(copy, from)));
  }

  static async start(targetPort: number, options: LossyRelayOptions): Promise<LossyRelay> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return new LossyRelay(socket, targetPort, options);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of [this.#socket, ...this.#clients.values()]) {
      await new Promise<void>((resolve) => socket.close(() => resolve()));
    }
    this.#clients.clear();
  }

  #toServer(bytes: Buffer, from: RemoteInfo): void {
    const name = `${from.address}:${from.port}`;
    let socket = this.#clients.get(name);
    if (socket === undefined) {
      socket = createSocket('udp4');
      socket.on('error', () => undefined);
      socket.on('message', (answer) =>
        this.#pass(answer, (copy) => this.#socket.send(copy, from.port, from.address)),
      );
      this.#clients.set(name, socket);
    }
    socket.send(bytes, this.#targetPort, '127.0.0.1');
  }

  #pass(bytes: Buffer, send: (bytes: Buffer) => void): void {
    const { lost, repeated, reordered } = this.#options;
    const chance = this.#random();
    if (chance < lost) {
      this.lost++;
      return;
    }
    if (chance < lost + reordered) {
      this.reordered++;
      setTimeout(() => this.#isOpen() && send(bytes), HELD_MS);
      return;
    }
    send(bytes);
    if (chance < lost + reordered + repeated) {
      this.repeated++;
      send(bytes);
    }
  }

  #isOpen(): boolean {
    try {
      return this.#socket.address().port > 0;
    } catch {
      return false;
    }
  }

  #random(): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#state / 2 ** 32;
  }
}
