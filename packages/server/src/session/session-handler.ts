/**
 * The server's side of a transport: connections' bytes in, replies out. One handler per worker thread; it owns
 * the sessions of that worker's connections and gives back the items that the transport has sent.
 */
import type { CloseReason, Connection, TransportHandler } from '@larder/datapath';
import { SessionContext, type SessionOptions } from './context.ts';
import { CONN_BATCHES, CONN_YIELDS } from './counters.ts';
import { EventCategory } from './event-log.ts';
import type { SessionOutput } from './output.ts';
import { RequestLoop } from './request-loop.ts';
import { Session } from './session.ts';

export class SessionHandler implements TransportHandler<Session> {
  readonly context: SessionContext;
  readonly loop: RequestLoop;
  readonly #counters: Float64Array;
  readonly #isOpen: boolean;
  readonly #requestsPerEvent: number;

  constructor(options: SessionOptions) {
    this.context = new SessionContext(options);
    this.#counters = options.counters;
    this.#isOpen = options.authenticator === undefined;
    this.#requestsPerEvent = options.requestsPerEvent;
    this.loop = new RequestLoop(this.context, (output, mask) => this.#watch(output, mask));
  }

  onConnect(connection: Connection<Session>): void {
    connection.session = new Session(this.#isOpen, false);
    if ((this.context.options.events.wanted() & EventCategory.connevents) === 0) return;
    this.#logConnection(connection, 'conn_new', '');
  }

  onData(connection: Connection<Session>, start: number, end: number): number {
    this.#counters[CONN_BATCHES]! += 1;
    const consumed = this.loop.run(connection.session, connection, start, end, this.#requestsPerEvent);
    if (this.loop.hasYielded) {
      this.#counters[CONN_YIELDS]! += 1;
      // What was not consumed is given again after the other connections had their turn.
      connection.resume();
    }
    return consumed;
  }

  onClose(connection: Connection<Session>, reason: CloseReason): void {
    const session = connection.session as Session | undefined;
    if (session === undefined) return;
    this.loop.storage.drop(session);
    const { events } = this.context.options;
    if (session.watching !== 0) events.unwatch(connection);
    if ((events.wanted() & EventCategory.connevents) === 0) return;
    this.#logConnection(connection, 'conn_close', ` reason=${reason === 'peer' ? 'normal' : reason}`);
  }

  /** The kernel no longer reads a referenced item. */
  onRelease(owner: number): void {
    this.context.store.release(owner);
  }

  /** Only connections can watch; a datagram's output never gets here. */
  #watch(output: SessionOutput, mask: number): ReturnType<SessionOptions['events']['watch']> {
    return this.context.options.events.watch(output as Connection<Session>, mask);
  }

  #logConnection(connection: Connection<Session>, type: string, rest: string): void {
    const address = connection.remoteAddress();
    const colon = address.lastIndexOf(':');
    const host = connection.kind === 'unix' || colon < 0 ? '' : address.slice(0, colon);
    const port = connection.kind === 'unix' || colon < 0 ? '0' : address.slice(colon + 1);
    this.context.options.events.write(
      EventCategory.connevents,
      `type=${type} rip=${host} rport=${port} transport=${connection.kind}${rest} cfd=${connection.id}`,
    );
  }
}
