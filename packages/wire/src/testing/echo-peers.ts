/**
 * A server that echoes getM replies and a client that sends them, both on datapath transports of this thread: over
 * real sockets, with values that are never copied by either of them. The server's replies reference the receive
 * buffers that the requests lie in.
 */
import {
  type Arena,
  type Connection,
  closeListener,
  createTransport,
  type ListenAddress,
  type ListeningSocket,
  type LoopTransport,
  openListener,
  type SlabAllocator,
  type Transport,
  type TransportHandler,
  type TransportKind,
} from '@larder/datapath';
import { Encoder, FrameReader, Memory, type Message, ReceiveHolds, SendMemory } from '../index.ts';
import { GetMReply, GetMReplyView } from './get-m.larder.ts';

/** Receive buffers that retained messages hold before they get copies. */
export const HOLDS_MAX: number = 6;

type OnMessage = (connection: Connection<FrameReader>, message: Message, type: number, id: number) => void;

/** One end: its transport, its memory, and how many references it has in flight. */
export class EchoPeer implements TransportHandler<FrameReader> {
  readonly allocator: SlabAllocator;
  readonly memory: SendMemory;
  /** For messages that a test retains. */
  readonly holds: ReceiveHolds;
  readonly encoder: Encoder;
  readonly reply: GetMReply;
  referencesCompleted = 0;
  failure: Error | undefined;
  #transport: Transport<FrameReader> | undefined;
  readonly #arena: Memory;
  readonly #onMessage: OnMessage;
  readonly #sockets: ListeningSocket[] = [];
  #running: Promise<void> | undefined;
  #isRunning = true;

  constructor(allocator: SlabAllocator, referenceBytesMin: number, onMessage: OnMessage) {
    this.allocator = allocator;
    this.memory = new SendMemory(allocator, { referenceBytesMin });
    this.holds = new ReceiveHolds(allocator, HOLDS_MAX);
    this.encoder = new Encoder(this.memory);
    this.reply = new GetMReply(this.encoder);
    this.#arena = Memory.ofArena(allocator.arena);
    this.#onMessage = onMessage;
  }

  get arena(): Arena {
    return this.allocator.arena;
  }

  get transport(): Transport<FrameReader> {
    return this.#transport!;
  }

  async start(kind: TransportKind): Promise<void> {
    const { allocator } = this;
    this.#transport = await createTransport<FrameReader>(kind, {
      arena: allocator.arena,
      allocator,
      handler: this,
      clock: () => performance.now(),
    });
    if (kind === 'node') this.#running = this.transport.run() as Promise<void>;
  }

  async listen(
    kind: TransportKind,
    address: Exclude<ListenAddress, { kind: 'udp' }>,
  ): Promise<ListeningSocket> {
    const socket = await openListener(kind, address);
    this.#sockets.push(socket);
    await this.transport.serve(socket);
    return socket;
  }

  /** One turn of a Linux transport; the portable one turns by itself. */
  turn(): void {
    if (this.#running !== undefined) return;
    this.#isRunning = (this.transport as LoopTransport<FrameReader>).turn(0);
  }

  async stop(): Promise<void> {
    this.transport.stop();
    if (this.#running !== undefined) await this.#running;
    while (this.#running === undefined && this.#isRunning) this.turn();
    for (const socket of this.#sockets) closeListener(socket);
    this.encoder.dispose();
  }

  onConnect(connection: Connection<FrameReader>): void {
    const onFrame = (message: Message, type: number, id: number): boolean => {
      this.#onMessage(connection, message, type, id);
      return !connection.isCongested;
    };
    connection.session = new FrameReader(this.#arena, onFrame, { holds: this.holds });
  }

  onData(connection: Connection<FrameReader>, start: number, end: number): number {
    return connection.session.push(start, end);
  }

  onRelease(owner: number): void {
    this.referencesCompleted++;
    this.memory.complete(owner);
  }

  onClose(_connection: Connection<FrameReader>, _reason: string, error?: Error): void {
    this.failure ??= error;
  }
}

/** A server that sends back what it gets, out of the buffers that it got it in. */
export function makeEchoServer(allocator: SlabAllocator, referenceBytesMin: number): EchoPeer {
  const server: EchoPeer = new EchoPeer(allocator, referenceBytesMin, (connection, message, type, id) => {
    const view = new GetMReplyView(message);
    const { reply } = server;
    reply.id = view.id;
    const { vals } = view;
    const isInArena = message.memory.buffer === allocator.arena.buffer;
    for (let index = 0; index < vals.length; index++) {
      if (isInArena) {
        const range = vals.locate(index);
        reply.vals.appendAt(range.offset, range.bytes);
      } else {
        reply.vals.append(vals.at(index));
      }
    }
    connection.sendObject(reply, type, id);
  });
  return server;
}
