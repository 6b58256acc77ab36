/**
 * The session handler of one worker, with what belongs to a worker and not to a session: accepted connections
 * that are handed to another worker or come from one, the table of connections, the once-a-second tick,
 * events for watchers, the order to stop.
 */
import {
  BUFFER_HEADER_BYTES,
  type CloseReason,
  type Connection,
  type DatagramReplies,
  type DatagramSource,
  type Transport,
  type WakerHandle,
  wake,
} from '@larder/datapath';
import { formatHostPort, isAddressAllowed, type LogMessage, STOP_FLUSH_MS } from '@larder/host';
import { ServerError } from '../errors.ts';
import type { SharedEventLog } from '../events/shared-event-log.ts';
import { RpcHandler } from '../rpc/rpc-handler.ts';
import type { SessionContext, SessionOptions } from '../session/context.ts';
import { RPC_COUNTERS } from '../session/counters.ts';
import { DatagramHandler, datagramGatherBytes } from '../session/datagram-handler.ts';
import { EventCategory } from '../session/event-log.ts';
import type { Session } from '../session/session.ts';
import { SessionHandler } from '../session/session-handler.ts';
import { IdleSettler } from '../settle-heap.ts';
import { connectionsGone, connectionsNow, publish } from '../statistics/published.ts';
import { AcceptBalance } from './accept-balance.ts';
import { ConnectionKind, type ConnectionTable, LISTENER_ROWS } from './connection-table.ts';
import { Control } from './control.ts';
import { Mailbox } from './mailbox.ts';
import type { WorkerInput } from './messages.ts';
import type { SharedState } from './shared-state.ts';

/** memcached's words. */
const TOO_MANY: Uint8Array = Buffer.from('ERROR Too many open connections\r\n', 'latin1');
/** Level of `-v` from which every connection is logged. */
const VERBOSE_CONNECTIONS = 2;

export interface WorkerParts {
  readonly post: (message: LogMessage) => void;
  readonly input: WorkerInput;
  readonly shared: SharedState;
  readonly events: SharedEventLog;
}

export class WorkerHandler extends SessionHandler {
  readonly #input: WorkerInput;
  readonly #control: Int32Array;
  readonly #events: SharedEventLog;
  readonly #published: Float64Array;
  readonly #table: ConnectionTable;
  readonly #datagrams: DatagramHandler | undefined;
  readonly #rpc: RpcHandler | undefined;
  readonly #rpcPort: number;
  readonly #mailbox: Mailbox;
  readonly #mailboxes: Mailbox[];
  readonly #balance: AcceptBalance;
  /** Published words of the workers that accept side by side and share one limit. */
  readonly #sharing: readonly Float64Array[];
  readonly #sharesLimit: boolean;
  /** Generation of the connection that each row of the table shows. */
  readonly #shown: number[] = [];
  #transport: Transport<Session> | undefined;
  #wakers: readonly WakerHandle[] = [];
  #tickedAt = 0;
  readonly #settler = new IdleSettler();
  /** Connections that were opened and not closed; the transport counts those that the kernel still knows. */
  #open = 0;
  readonly #post: (message: LogMessage) => void;

  constructor(options: SessionOptions, { input, shared, events, post }: WorkerParts) {
    super(options);
    this.#post = post;
    this.#datagrams = createDatagramHandler(this, options, input);
    this.#rpcPort = input.rpcPort;
    this.#rpc = createRpcHandler(this.context, input);
    options.store.evictionObserver = (item, slabClass) => this.#logEviction(item, slabClass);
    this.#input = input;
    this.#control = shared.control;
    this.#events = events;
    this.#published = shared.published(input.index);
    this.#table = shared.connectionTable(input.index);
    const { buffer } = shared.plan;
    this.#mailbox = new Mailbox(buffer, shared.mailboxOffset(input.index));
    this.#sharing = input.sharesLimitWith.map((worker) => shared.published(worker));
    this.#sharesLimit = this.#sharing.length > 1;
    this.#mailboxes = input.handOffTo.map(({ worker }) => new Mailbox(buffer, shared.mailboxOffset(worker)));
    this.#balance = new AcceptBalance(
      input.handOffTo.map(({ worker, connectionsMax }) => {
        const published = shared.published(worker);
        return { connectionsMax, gone: () => connectionsGone(published) };
      }),
    );
  }

  /** The transport and everybody's wakers exist only after the handler. */
  connect(transport: Transport<Session>, wakers: readonly WakerHandle[]): void {
    this.#transport = transport;
    this.#wakers = wakers;
    this.#events.connectWakers(wakers);
  }

  /** Copies this thread's numbers to where others can read them. */
  publish(): void {
    if (this.#transport === undefined) return;
    publish(this.#published, this.#transport.statistics, this.#open, this.#events.counts);
  }

  /**
   * A connection was accepted: true when it was handed to another worker, false to keep it. On Linux
   * transports only, by the worker that accepts.
   */
  handOff(descriptor: number): boolean {
    const targets = this.#input.handOffTo;
    if (targets.length < 2) return false;
    const index = this.#balance.choose();
    const { worker } = targets[index]!;
    if (worker === this.#input.index) return false;
    if (!this.#mailboxes[index]!.put(descriptor)) {
      this.#balance.correct(index, 0);
      return false;
    }
    wake(this.#wakers[worker]!);
    return true;
  }

  /** Shows the listening sockets in `stats conns`, in the last rows. */
  listenersServed(): void {
    const sockets = [...this.#input.listeners, ...this.#input.datagrams];
    for (const [index, { address, port }] of sockets.slice(0, LISTENER_ROWS).entries()) {
      const row = this.#table.rows - 1 - index;
      const isUdp = address.kind === 'udp';
      const text = address.kind === 'unix' ? `unix:${address.path}` : formatHostPort(address.host, port);
      const kind = isUdp ? ConnectionKind.udp : ConnectionKind.listening;
      this.#table.open(row, kind, address.kind === 'unix' ? text : `${isUdp ? 'udp' : 'tcp'}:${text}`, 0);
    }
    this.publish();
  }

  override onConnect(connection: Connection<Session>): void {
    super.onConnect(connection);
    if (this.#rpc !== undefined && this.#isRpc(connection))
      connection.session.rpc = this.#rpc.open(connection);
    this.#open++;
    this.publish();
    // The portable transport's workers accept each for themselves; what they have together is limited here.
    if (this.#sharesLimit && this.#connections() > this.#input.settings.connectionsMax)
      this.#refuse(connection);
    if (this.#isVerbose) this.#logConnection(connection, 'connection opened', '');
  }

  override onData(connection: Connection<Session>, start: number, end: number): number {
    const { rpc } = connection.session;
    if (rpc !== null) return this.#rpc!.onData(connection, rpc, start, end);
    return super.onData(connection, start, end);
  }

  override onRelease(owner: number): void {
    if (this.#rpc === undefined) super.onRelease(owner);
    else this.#rpc.onRelease(owner);
  }

  onRefuse(): Uint8Array {
    this.publish();
    return TOO_MANY;
  }

  onDatagram(replies: DatagramReplies, source: DatagramSource, start: number, end: number): void {
    if (this.#rpc !== undefined && source.localPort === this.#rpcPort)
      this.#rpc.onDatagram(replies, source, start, end);
    else this.#datagrams?.onDatagram(replies, source, start, end);
  }

  override onClose(connection: Connection<Session>, reason: CloseReason, error?: Error): void {
    super.onClose(connection, reason);
    // A connection that failed before it was opened has no session.
    const session = connection.session as Session | undefined;
    if (session !== undefined) this.#open--;
    if (session !== undefined && session.rpc !== null) this.#rpc!.onClose(session.rpc);
    if (connection.id < this.#table.rows - LISTENER_ROWS) {
      this.#table.close(connection.id);
      this.#shown[connection.id] = -1;
    }
    this.publish();
    if (this.#isVerbose)
      this.#logConnection(connection, 'connection closed', error === undefined ? reason : error.message);
  }

  onWake(): void {
    const transport = this.#transport;
    if (transport === undefined) return;
    for (let descriptor = this.#mailbox.take(); descriptor >= 0; descriptor = this.#mailbox.take()) {
      transport.adopt(descriptor);
    }
    this.#events.deliver();
    const second = Atomics.load(this.#control, Control.uptimeSeconds);
    if (second !== this.#tickedAt) {
      this.#tickedAt = second;
      this.publish();
      this.publishConnections();
      this.#settler.tick(transport.statistics.bytesRead);
    }
    if (Atomics.load(this.#control, Control.stop) === 1) transport.stop(STOP_FLUSH_MS);
  }

  /** Brings this worker's rows of the table of connections up to date. */
  publishConnections(): void {
    const second = Atomics.load(this.#control, Control.uptimeSeconds);
    const nowMs = performance.now();
    const rows = this.#table.rows - LISTENER_ROWS;
    for (const connection of this.#transport?.connections() ?? []) {
      const { id } = connection;
      if (id >= rows) continue;
      const active = second - Math.floor((nowMs - connection.lastActiveAt) / 1000);
      if (this.#shown[id] === connection.generation) {
        this.#table.touch(id, active);
        continue;
      }
      this.#shown[id] = connection.generation;
      const isUnix = connection.kind === 'unix';
      const address = isUnix ? 'unix' : `tcp:${connection.remoteAddress()}`;
      this.#table.open(id, isUnix ? ConnectionKind.unix : ConnectionKind.tcp, address, active);
    }
  }

  /** Accepted connections are told apart by the port they came to, which also the worker that adopts them sees. */
  #isRpc(connection: Connection<Session>): boolean {
    return connection.kind === 'tcp' && connection.localAddress().endsWith(`:${this.#rpcPort}`);
  }

  get #isVerbose(): boolean {
    const level = this.#control[Control.verbosity]!;
    return (level === 0 ? this.#input.settings.verbose : level - 1) >= VERBOSE_CONNECTIONS;
  }

  #logConnection(connection: Connection<Session>, text: string, reason: string): void {
    const fields = {
      worker: this.#input.index,
      connection: connection.id,
      address: connection.remoteAddress(),
    };
    this.#post({ type: 'log', level: 'debug', fields: reason === '' ? fields : { ...fields, reason }, text });
  }

  /** Connections of all workers that share the limit. */
  #connections(): number {
    let sum = 0;
    for (const words of this.#sharing) sum += connectionsNow(words);
    return sum;
  }

  #refuse(connection: Connection<Session>): void {
    this.#transport!.statistics.connectionsRefused++;
    connection.writeBytes(TOO_MANY);
    connection.end();
  }

  #logEviction(item: number, slabClass: number): void {
    const { context } = this;
    const { events } = context.options;
    if ((events.wanted() & EventCategory.evictions) === 0) return;
    const { store } = context;
    const key = context.keyText(store.keyOffset(item), store.keyBytes(item));
    const expiry = store.expiry(item);
    const ttl = expiry === 0 ? -1 : expiry - store.now();
    const fetched = store.isFetched(item) ? 'yes' : 'no';
    const age = store.now() - store.lastAccess(item);
    events.write(
      EventCategory.evictions,
      `type=eviction key=${key} fetch=${fetched} ttl=${ttl} la=${age} clsid=${slabClass} size=${store.valueBytes(item)}`,
    );
  }
}

/** Undefined when there is no port for the typed protocol. */
function createRpcHandler(
  context: SessionContext,
  { rpcPort, settings }: WorkerInput,
): RpcHandler | undefined {
  if (rpcPort === 0) return undefined;
  const { u8 } = context;
  const { udpNetworks, udpDatagramsMax, requestsPerEvent, readBufferBytesMax, threads } = settings;
  return new RpcHandler(context, {
    counters: context.counters.subarray(RPC_COUNTERS),
    // As in memcached, every worker has its share.
    gatherBytesMax: readBufferBytesMax / threads,
    clock: () => performance.now(),
    datagramsMax: udpDatagramsMax,
    allows: (source) => isAddressAllowed(udpNetworks, u8, source.addressOffset, source.family),
    requestsPerEvent,
  });
}

/** Undefined when this worker answers no UDP. */
function createDatagramHandler(
  handler: SessionHandler,
  { arena, store }: SessionOptions,
  { datagrams, rpcPort, settings }: WorkerInput,
): DatagramHandler | undefined {
  if (datagrams.every((socket) => socket.port === rpcPort)) return undefined;
  const allocator = store.networkAllocator();
  const bytes = datagramGatherBytes(settings.udpDatagramsMax);
  const chunk = allocator.allocate(allocator.classFor(bytes + BUFFER_HEADER_BYTES));
  if (chunk === 0) throw new ServerError('ENOMEM', 'no memory for UDP replies');
  const networks = settings.udpNetworks;
  return new DatagramHandler(handler, {
    allows: (source) => isAddressAllowed(networks, arena.u8, source.addressOffset, source.family),
    datagramsMax: settings.udpDatagramsMax,
    gatherOffset: chunk + BUFFER_HEADER_BYTES,
  });
}
