/** A client on a connection of the transport. */
import { CloseReason, type Connection } from '@larder/datapath';
import type { ChunkChains } from '../forwarding/chunk-chain.ts';
import { Client } from '../forwarding/client.ts';
import type { Peer } from '../forwarding/peer.ts';
import { ClientSession } from '../session/client-session.ts';
import type { RequestLoop } from '../session/request-loop.ts';

/** A blocked client's input from here on stays in the kernel. */
const BLOCKED_INPUT_BYTES = 256 * 1024;

export class ConnectionClient implements Peer {
  readonly session: ClientSession;
  readonly #connection: Connection<Peer>;
  readonly #loop: RequestLoop;
  readonly #onClosed: (client: ConnectionClient) => void;
  #isPaused = false;
  #isShed = false;

  constructor(
    connection: Connection<Peer>,
    chains: ChunkChains,
    loop: RequestLoop,
    onClosed: (client: ConnectionClient) => void,
  ) {
    this.#connection = connection;
    this.#loop = loop;
    this.#onClosed = onClosed;
    const client = new Client(
      connection,
      chains,
      () => hostOf(connection.remoteAddress()),
      () => this.#drained(),
    );
    this.session = new ClientSession(client, false);
  }

  /** `tcp:host:port` or `unix:`, as `stats conns` shows it. */
  get address(): string {
    const isUnix = this.#connection.kind === 'unix';
    return isUnix ? 'unix:' : `tcp:${this.#connection.remoteAddress()}`;
  }

  /** Bytes that wait for this client: to be read by it, to have their turn, or to come whole. */
  get waitingBytes(): number {
    if (this.#isShed) return 0;
    const { client, collecting } = this.session;
    return this.#connection.queuedBytes + client.heldBytes + (collecting?.filled ?? 0);
  }

  /** Ends it at once, with everything that waits. */
  shed(): void {
    this.#isShed = true;
    this.session.client.close();
    this.#connection.destroy(CloseReason.slowReader);
  }

  opened(): void {
    // A client's connection is open when it is made.
  }

  received(start: number, end: number): number {
    const { client } = this.session;
    if (client.isBlocked) return this.#hold(start, end);
    const consumed = this.#loop.run(this.session, start, end);
    if (client.isBlocked && client.pending === 0) this.#drained();
    return client.isBlocked ? this.#hold(consumed, end) : consumed;
  }

  drained(): void {
    // The transport gives what was left again by itself.
  }

  closed(): void {
    this.session.client.close();
    this.#onClosed(this);
  }

  /** Nothing more is read; the connection ends when everything pending has been answered. */
  end(): void {
    const { client } = this.session;
    this.session.hasEnded = true;
    client.isEnding = true;
    if (client.pending === 0) this.#connection.end();
  }

  #hold(start: number, end: number): number {
    if (end - start > BLOCKED_INPUT_BYTES && !this.#isPaused) {
      this.#isPaused = true;
      this.#connection.pause();
    }
    return start;
  }

  #drained(): void {
    const { client } = this.session;
    if (client.isClosed) return;
    if (client.isEnding) {
      this.#connection.end();
      return;
    }
    client.isBlocked = false;
    this.#isPaused = false;
    // What was left is given again.
    this.#connection.resume();
  }
}

/** The address without its port. */
function hostOf(address: string): string {
  const colon = address.lastIndexOf(':');
  return colon < 0 ? address : address.slice(0, colon);
}
