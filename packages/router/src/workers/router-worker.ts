/**
 * One worker: composition only. A transport of its own, a routing of its own over links on that transport, and the
 * request loop between the two.
 *
 * ```
 *   clients ─▶ transport ─▶ RouterHandler ─▶ RequestLoop ─▶ Forwarder ─────▶ destinations ─▶ links ─▶ transport ─▶ servers
 *                                               └────────▶ GeneralPath ─▶ route handles ──┘
 * ```
 */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import {
  Arena,
  type Connection,
  createTransport,
  type ListeningSocket,
  type LoopTransport,
  MIB,
  mapArena,
  PAGE_BYTES,
  PageTable,
  SlabAllocator,
  SlabClasses,
  type Transport,
  type WakerHandle,
} from '@larder/datapath';
import { type LifeMessage, STOP_FLUSH_MS } from '@larder/host';
import {
  type Clock,
  DestinationState,
  type LinkFactory,
  nodeLinks,
  type Result,
  Routing,
  type RoutingObserver,
  systemClock,
} from '@larder/routing';
import { AdminAnswers } from '../admin-keys/admin-answers.ts';
import { RouterError } from '../errors.ts';
import { ChunkChains } from '../forwarding/chunk-chain.ts';
import { DatapathLinks } from '../forwarding/datapath-link.ts';
import { Forwarder } from '../forwarding/forwarder.ts';
import type { Peer } from '../forwarding/peer.ts';
import { GeneralPath } from '../general/general-path.ts';
import { LeaseTokens } from '../general/lease-tokens.ts';
import { WORKER_MEMORY_BYTES } from '../limits.ts';
import {
  DATAGRAM_SCRATCH_BYTES,
  KEY_SCRATCH_BYTES,
  SCRATCH_BYTES,
  SessionContext,
} from '../session/context.ts';
import { Operator } from '../session/operator.ts';
import { RequestLoop } from '../session/request-loop.ts';
import {
  CLIENTS_SHED,
  CONFIG_FAILURES,
  CONFIG_LOADED_AT,
  CONFIG_LOADS,
  SPLIT,
} from '../statistics/counters.ts';
import { failureCounter } from '../statistics/failure-counter.ts';
import { SharedStatistics } from '../statistics/shared-statistics.ts';
import { DatagramClients } from './datagram-clients.ts';
import { LinuxDatagramSender, NodeDatagramSender } from './datagram-sender.ts';
import { WorkerLoop } from './loop.ts';
import type { MessageFromWorker, MessageToWorker, WorkerInput } from './messages.ts';
import { RouterHandler } from './router-handler.ts';
import { TimerQueue } from './timer-queue.ts';
import { WorkerStatistics } from './worker-statistics.ts';

const TABLE_OFFSET = 64;
const STATE_OFFSET: number = 64 * 1024;
const SCRATCH_OFFSET: number = 512 * 1024;
const ALLOCATOR_ID = 1;
const VERBOSE_CONNECTIONS = 2;
const DRAIN_POLL_MS = 5;
/** As long as a timer can wait: a file is still watched, and a reload can be asked for. */
const NEVER_MS = 2 ** 31 - 1;

type PostMessage = (message: LifeMessage | MessageFromWorker) => void;

export class RouterWorker {
  readonly waker: WakerHandle;
  readonly #parts: WorkerParts;
  #isStopping = false;
  readonly #nodeDatagrams: Socket[] = [];

  private constructor(parts: WorkerParts) {
    this.#parts = parts;
    this.waker = parts.transport.waker;
  }

  static async create(input: WorkerInput, post: PostMessage): Promise<RouterWorker> {
    const isLoop = input.transport !== 'node';
    const allocator = layOutMemory(isLoop);
    const { arena } = allocator;
    const timers = new TimerQueue();
    const clock: Clock = isLoop ? timers : systemClock;
    let loop: WorkerLoop | undefined;
    const wantEventLoop = (): void => loop?.wantEventLoop();
    const chains = new ChunkChains(arena, allocator);
    const shared = new SharedStatistics(input.shared);
    const counters = shared.counters(input.index);
    const handler = new RouterHandler({
      allocator,
      chains,
      connectionsMax: input.connectionsMax,
      onWake: wantEventLoop,
      onConnection: connectionLog(input, post),
      onShed: shedLog(input, counters, post),
    });
    const transport = await createTransport<Peer>(input.transport, {
      arena,
      allocator,
      handler,
      clock: () => performance.now(),
    });
    // The portable transport is Node's sockets, and so are the links of who embeds the routing.
    const links = isLoop ? new DatapathLinks(arena.node, clock, wantEventLoop, transport) : nodeLinks;
    const routing = await openRouting(input, clock, links, counters, post);
    const onFailed = (result: Result): void => {
      counters[failureCounter(result)]! += 1;
    };
    const { missOnGetErrors } = input.settings;
    const statistics = new WorkerStatistics({ input, shared, handler, transport, routing, post });
    const general = new GeneralPath({
      routes: routing,
      admin: new AdminAnswers(routing, input, statistics),
      tokens: new LeaseTokens(input.shared, 0, () => routing.destinations()),
      counters,
      missOnGetErrors,
      onFailed,
    });
    const context = new SessionContext({
      arena,
      routes: routing,
      forwarder: new Forwarder(arena, { missOnGetErrors, onFailed }),
      general,
      counters,
      valueBytesMax: input.settings.valueBytesMax,
      flushEnabled: input.settings.flushEnabled,
      version: input.version,
      notice: (text, fields) =>
        post({ type: 'log', level: 'warn', fields: { worker: input.index, ...fields }, text }),
      scratchOffset: SCRATCH_OFFSET,
    });
    const operator = new Operator(context, statistics, (session) => handler.endClient(session));
    const requests = new RequestLoop(context, operator);
    handler.connect(requests);
    const parts = { input, post, transport, handler, routing, statistics, clock, context, requests, chains };
    if (isLoop) {
      loop = new WorkerLoop({
        transport: transport as LoopTransport<Peer>,
        timers,
        pending: () => general.pending,
        events: () => handler.events,
        splits: () => counters[SPLIT]!,
        clients: () => handler.clients.size,
      });
    }
    return new RouterWorker({ ...parts, allocator, loop });
  }

  /** Serves until it is told to stop. */
  async run(): Promise<void> {
    const { input, transport, statistics, loop, post } = this.#parts;
    for (const socket of input.streams) await transport.serve(socket);
    await this.#serveDatagrams();
    statistics.start(this.#parts.clock);
    globalThis.gc?.();
    post({ type: 'serving' });
    if (loop === undefined) await transport.run();
    else await loop.run();
    await this.#parts.routing.close();
  }

  receive(message: MessageToWorker): void {
    if (message.type === 'stop') this.#stop();
    else {
      void this.#parts.routing.reload();
      this.#parts.loop?.wantEventLoop();
    }
  }

  /** No more clients; each one that there is ends when it has been answered, all of them a little later. */
  #stop(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    const { input, transport, handler, clock } = this.#parts;
    for (const socket of [...input.streams, ...input.datagrams]) transport.unserve(socket);
    for (const socket of this.#nodeDatagrams) socket.close();
    for (const client of handler.clients) client.end();
    const giveUpAt = clock.now() + STOP_FLUSH_MS;
    const look = (): void => {
      if (handler.clients.size === 0 || clock.now() >= giveUpAt) transport.stop(STOP_FLUSH_MS);
      else clock.setTimer(DRAIN_POLL_MS, look);
    };
    look();
  }

  async #serveDatagrams(): Promise<void> {
    const { input, transport, allocator, handler, context, requests, chains } = this.#parts;
    if (input.datagrams.length === 0) return;
    const { udpDatagramsMax: datagramsMax, udpNetworks: networks } = input.settings;
    const clients = new DatagramClients({ context, loop: requests, chains, networks, datagramsMax });
    for (const socket of input.datagrams) {
      if (input.transport === 'node') await this.#serveNodeDatagrams(socket, clients);
      else {
        const { descriptor } = socket;
        clients.connect(descriptor, new LinuxDatagramSender(allocator.arena, allocator, descriptor));
        await transport.serve(socket);
      }
    }
    handler.connectDatagrams(clients);
  }

  async #serveNodeDatagrams(socket: ListeningSocket, clients: DatagramClients): Promise<void> {
    const { address } = socket;
    if (address.kind !== 'udp') return;
    const type = isIPv6(address.host) ? 'udp6' : 'udp4';
    const node = createSocket({ type, reusePort: socket.reusePort === true });
    await new Promise<void>((resolve, reject) => {
      node.once('error', reject);
      node.bind({ address: address.host, port: socket.port }, resolve);
    });
    const sender = new NodeDatagramSender(node);
    node
      .on('error', () => undefined)
      .on('message', (message, from) => clients.onMessage(sender, message, from));
    this.#nodeDatagrams.push(node);
  }
}

interface WorkerParts {
  readonly input: WorkerInput;
  readonly post: PostMessage;
  readonly transport: Transport<Peer>;
  readonly handler: RouterHandler;
  readonly routing: Routing;
  readonly statistics: WorkerStatistics;
  readonly clock: Clock;
  readonly context: SessionContext;
  readonly requests: RequestLoop;
  readonly chains: ChunkChains;
  readonly allocator: SlabAllocator;
  readonly loop: WorkerLoop | undefined;
}

/** An arena with scratch memory on its first page, and pages for buffers behind it. */
function layOutMemory(isMapped: boolean): SlabAllocator {
  const bytes = WORKER_MEMORY_BYTES + PAGE_BYTES;
  const arena = isMapped ? mapArena(bytes).arena : Arena.portable(bytes);
  const allocator = new SlabAllocator(
    new PageTable(arena, TABLE_OFFSET, 1),
    STATE_OFFSET,
    ALLOCATOR_ID,
    new SlabClasses(),
  );
  allocator.setPageLimit(WORKER_MEMORY_BYTES / PAGE_BYTES);
  return allocator;
}

async function openRouting(
  input: WorkerInput,
  clock: Clock,
  links: LinkFactory,
  counters: Float64Array,
  post: PostMessage,
): Promise<Routing> {
  const { settings } = input;
  const { config, spoolFolder } = settings;
  return Routing.open({
    config: 'text' in config ? config.text : config,
    links,
    pollMs: settings.reloadMs === 0 ? NEVER_MS : settings.reloadMs,
    observer: observerOf(input, counters, post),
    services: {
      clock,
      // Shared by all workers: what one leaves behind another delivers.
      spoolFolder: spoolFolder === '' ? undefined : spoolFolder,
      notice: (text) => post({ type: 'log', level: 'warn', fields: { worker: input.index }, text }),
    },
    defaults: {
      timeoutMs: settings.serverTimeoutMs,
      connectTimeoutMs: settings.connectTimeoutMs,
      failuresUntilTko: settings.failuresUntilTko,
      probeDelayInitialMs: settings.probeDelayMs,
    },
  });
}

/** What happens to servers and configurations, as log lines and counters. */
function observerOf(input: WorkerInput, counters: Float64Array, post: PostMessage): RoutingObserver {
  const log = (level: 'info' | 'warn', text: string, fields: object): void =>
    post({ type: 'log', level, fields: { worker: input.index, ...fields }, text });
  return {
    onDestination(state, destination) {
      if (state === DestinationState.tko) {
        const error = destination.lastError?.message ?? '';
        log('warn', 'a server is given up and probed', { server: destination.label, error });
      } else log('info', `a server is ${state}`, { server: destination.label });
    },
    onConfiguration({ source, generation, loadedAt }) {
      counters[CONFIG_LOADS]! += 1;
      counters[CONFIG_LOADED_AT] = loadedAt;
      if (generation > 1) log('info', 'another configuration is in use', { source, generation });
    },
    onConfigurationError(error) {
      counters[CONFIG_FAILURES]! += 1;
      log('warn', 'a new configuration is refused, the old one stays', { error: error.message });
    },
  };
}

function shedLog(
  input: WorkerInput,
  counters: Float64Array,
  post: PostMessage,
): (address: string, waitingBytes: number) => void {
  return (client, waitingBytes) => {
    counters[CLIENTS_SHED]! += 1;
    const fields = { worker: input.index, client, waitingBytes };
    post({ type: 'log', level: 'warn', fields, text: 'a client is closed: too much waits for it' });
  };
}

function connectionLog(
  input: WorkerInput,
  post: PostMessage,
): (text: string, connection: Connection<Peer>) => void {
  if (input.settings.verbose < VERBOSE_CONNECTIONS) return () => undefined;
  return (text, connection) => {
    const fields = { worker: input.index, connection: connection.id, address: connection.remoteAddress() };
    post({ type: 'log', level: 'debug', fields, text });
  };
}

assertScratchFits();

/** The scratch memory lies between the allocator's state and the first page of buffers. */
function assertScratchFits(): void {
  const end = SCRATCH_OFFSET + SCRATCH_BYTES + KEY_SCRATCH_BYTES + DATAGRAM_SCRATCH_BYTES;
  if (end > PAGE_BYTES) throw new RouterError('ERROR', 'router limits: the scratch memory fits its page');
  if (MIB !== PAGE_BYTES) throw new RouterError('ERROR', 'router limits: a page is a mebibyte');
}
