/**
 * The transport's handler in one worker: accepted connections become clients, connections that a link opened are
 * servers', datagrams are clients of one request each.
 */
import type {
  CloseReason,
  Connection,
  DatagramReplies,
  DatagramSource,
  SlabAllocator,
  TransportHandler,
} from '@larder/datapath';
import type { ChunkChains } from '../forwarding/chunk-chain.ts';
import type { Peer } from '../forwarding/peer.ts';
import type { ClientSession } from '../session/client-session.ts';
import type { RequestLoop } from '../session/request-loop.ts';
import { ClientShedding } from './client-shedding.ts';
import { ConnectionClient } from './connection-client.ts';
import type { DatagramClients } from './datagram-clients.ts';

/** memcached's words. */
const TOO_MANY: Uint8Array = Buffer.from('ERROR Too many open connections\r\n', 'latin1');

export interface RouterHandlerParts {
  readonly allocator: SlabAllocator;
  readonly chains: ChunkChains;
  readonly connectionsMax: number;
  readonly onWake: () => void;
  /** A client was closed because too much waited for it. */
  readonly onShed: (address: string, waitingBytes: number) => void;
  readonly onConnection: (text: string, connection: Connection<Peer>) => void;
}

export class RouterHandler implements TransportHandler<Peer> {
  /** Clients on connections, ever and now, and those that were refused. */
  accepted = 0;
  refused = 0;
  /** Pieces of input, of clients and servers. */
  events = 0;
  readonly clients: Set<ConnectionClient> = new Set();
  readonly shedding: ClientShedding<ConnectionClient>;
  readonly #parts: RouterHandlerParts;
  #loop: RequestLoop | undefined;
  #datagrams: DatagramClients | undefined;
  readonly #closed = (client: ConnectionClient): void => {
    this.clients.delete(client);
  };

  constructor(parts: RouterHandlerParts) {
    this.#parts = parts;
    this.shedding = new ClientShedding(this.clients, parts.onShed);
  }

  /** The request loop and the clients by datagram exist only after the handler. */
  connect(loop: RequestLoop): void {
    this.#loop = loop;
  }

  connectDatagrams(datagrams: DatagramClients): void {
    this.#datagrams = datagrams;
  }

  onConnect(connection: Connection<Peer>): void {
    const peer = connection.session as Peer | undefined;
    if (peer !== undefined) {
      peer.opened();
      return;
    }
    if (this.clients.size >= this.#parts.connectionsMax) {
      this.refused++;
      connection.session = REFUSED;
      connection.writeBytes(TOO_MANY);
      connection.end();
      return;
    }
    this.accepted++;
    const client = new ConnectionClient(connection, this.#parts.chains, this.#loop!, this.#closed);
    connection.session = client;
    this.clients.add(client);
    this.#parts.onConnection('connection opened', connection);
  }

  onData(connection: Connection<Peer>, start: number, end: number): number {
    this.events++;
    this.shedding.received(end - start);
    return connection.session.received(start, end);
  }

  onDrain(connection: Connection<Peer>): void {
    connection.session.drained();
  }

  onClose(connection: Connection<Peer>, _reason: CloseReason, error?: Error): void {
    const peer = connection.session as Peer | undefined;
    if (peer instanceof ConnectionClient) this.#parts.onConnection('connection closed', connection);
    peer?.closed(error);
  }

  onRelease(owner: number): void {
    this.#parts.allocator.release(owner);
  }

  onDatagram(_replies: DatagramReplies, source: DatagramSource, start: number, end: number): void {
    this.#datagrams?.onDatagram(source, start, end);
  }

  onWake(): void {
    this.#parts.onWake();
  }

  /** A client's connection ends behind its last reply. */
  endClient(session: ClientSession): void {
    for (const client of this.clients) {
      if (client.session === session) {
        client.end();
        return;
      }
    }
  }
}

/** A connection beyond the limit: it has been told so. */
const REFUSED: Peer = {
  opened: () => undefined,
  received: (_start, end) => end,
  drained: () => undefined,
  closed: () => undefined,
};
