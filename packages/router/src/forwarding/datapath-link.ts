/**
 * A link of a destination on a datapath connection: what the server sent is handed on where it lies in the arena,
 * what is to be sent is written to the connection's own output and leaves with the turn, together with everything
 * else that was written for this server in it.
 */
import type { Connection, Transport } from '@larder/datapath';
import {
  type Address,
  type Clock,
  type Link,
  type LinkFactory,
  type LinkHandler,
  type LinkOptions,
  nodeLinks,
} from '@larder/routing';
import type { Peer } from './peer.ts';

/** `Connection.sendMode` of a connection that sends nothing now. */
const NO_SEND = 0;

/** Links through a transport; TLS, which the transports do not speak, through Node's sockets. */
export class DatapathLinks implements LinkFactory {
  readonly #node: Buffer;
  readonly #clock: Clock;
  readonly #onActivity: () => void;
  readonly #transport: Transport<Peer>;

  /** `onActivity` is called when Node's event loop should get a turn soon: promises may have been resolved. */
  constructor(node: Buffer, clock: Clock, onActivity: () => void, transport: Transport<Peer>) {
    this.#node = node;
    this.#clock = clock;
    this.#onActivity = onActivity;
    this.#transport = transport;
  }

  open(address: Address, options: LinkOptions, handler: LinkHandler): Link {
    if (options.tls !== undefined) return nodeLinks.open(address, options, handler);
    const link = new DatapathLink(this.#node, handler, this.#onActivity);
    try {
      const connection = this.#transport.connect(
        address.kind === 'unix' ? address : { kind: 'tcp', host: address.host, port: address.port },
      );
      connection.session = link;
      link.attach(connection);
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      this.#clock.setTimer(0, () => link.closed(error));
    }
    return link;
  }
}

class DatapathLink implements Link, Peer {
  readonly output: Buffer;
  readonly #handler: LinkHandler;
  readonly #onActivity: () => void;
  #connection: Connection<Peer> | undefined;
  #isClosed = false;
  #wasClosedHere = false;

  constructor(node: Buffer, handler: LinkHandler, onActivity: () => void) {
    this.output = node;
    this.#handler = handler;
    this.#onActivity = onActivity;
  }

  attach(connection: Connection<Peer>): void {
    this.#connection = connection;
  }

  get queuedBytes(): number {
    return this.#connection?.queuedBytes ?? 0;
  }

  reserve(bytes: number): number {
    const offset = this.#connection?.reserve(bytes) ?? 0;
    return offset === 0 ? -1 : offset;
  }

  commit(bytes: number): void {
    this.#connection!.cursor += bytes;
  }

  /** Only bytes of which the kernel has seen nothing: none while a send is under way. */
  retract(bytes: number): boolean {
    const connection = this.#connection;
    if (connection === undefined || connection.sendMode !== NO_SEND) return false;
    if (connection.cursor - bytes < connection.segmentStart) return false;
    connection.cursor -= bytes;
    return true;
  }

  write(bytes: Buffer, start: number, end: number): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    if (bytes === this.output) connection.copy(start, end - start);
    else connection.writeBytes(bytes.subarray(start, end));
  }

  writeOwned(bytes: Buffer): void {
    this.#connection?.writeBytes(bytes);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#wasClosedHere = true;
    this.#connection?.destroy();
  }

  opened(): void {
    this.#onActivity();
    this.#handler.onOpen();
  }

  received(start: number, end: number): number {
    this.#handler.onData(this.output, start, end, false);
    return end;
  }

  drained(): void {
    this.#handler.onDrain();
  }

  closed(error: Error | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#onActivity();
    if (this.#wasClosedHere) this.#handler.onClose(undefined);
    else this.#handler.onClose(error ?? new Error('the server closed the connection'));
  }
}
