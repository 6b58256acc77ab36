/**
 * The typed protocol of one worker without sockets, on the store of a session harness, so that the text protocols
 * can be asked on the same store: connections that are fed bytes, and datagrams from made-up senders. References are
 * kept as a slow network would, until `settle`.
 */
import {
  BUFFER_HEADER_BYTES,
  type Connection,
  type DatagramReplies,
  type DatagramSource,
} from '@larder/datapath';
import {
  encode,
  FRAGMENT_HEADER_BYTES,
  FRAME_HEADER_BYTES,
  Memory,
  type Message,
  Reassembler,
  StreamReader,
  type View,
  type ViewClass,
  type WireObject,
} from '@larder/wire';
import { FAILURE_TYPE, FailureView } from '@larder/wire/rpc';
import { COUNTER_COUNT, COUNTER_NAMES } from '../../session/counters.ts';
import { Session } from '../../session/session.ts';
import { MemoryConnection } from '../../session/testing/memory-connection.ts';
import { type HarnessOptions, SessionHarness } from '../../session/testing/session-harness.ts';
import type { RpcConnection } from '../rpc-connection.ts';
import { RpcHandler } from '../rpc-handler.ts';

/** A page for each size that a reply's copied part may grow to. */
const NETWORK_PAGES = 32;
const RECEIVE_BYTES = 96 * 1024;
const PIECE_BYTES = 12_000;
const SEND_BYTES = 16_384;
const DATAGRAM_ROOM_BYTES = 2048;
const ADDRESS_BYTES = 16;

export interface RpcHarnessOptions extends HarnessOptions {
  readonly gatherBytesMax?: number;
  readonly datagramsMax?: number;
  readonly allows?: (source: DatagramSource) => boolean;
}

/** What came back: a reply, or a failure's code. */
export interface Answer {
  readonly type: number;
  readonly id: number;
  readonly message: Message;
}

export class RpcHarness {
  readonly session: SessionHarness;
  readonly rpc: RpcHandler;
  readonly counters: Float64Array = new Float64Array(COUNTER_COUNT);
  nowMs: number = 0;
  /** Owners that datagrams refer to. */
  readonly owners: number[] = [];
  readonly #receive: number;
  readonly #reply: number;
  readonly #address: number;
  readonly #connections: Set<MemoryConnection> = new Set();
  readonly #chunksAtStart: number;

  constructor(options: RpcHarnessOptions = {}) {
    this.session = new SessionHarness({ networkPages: NETWORK_PAGES, ...options });
    const network = this.session.store.networkAllocator();
    this.#receive = this.#take(RECEIVE_BYTES);
    this.#reply = this.#take(DATAGRAM_ROOM_BYTES);
    this.#address = this.#take(ADDRESS_BYTES);
    this.rpc = new RpcHandler(this.session.handler.context, {
      counters: this.counters,
      gatherBytesMax: options.gatherBytesMax ?? 64 << 20,
      clock: () => this.nowMs,
      datagramsMax: options.datagramsMax ?? 16,
      allows: options.allows ?? (() => true),
      requestsPerEvent: 1000,
    });
    // The text protocols' buffers are pooled, and the encoder keeps a block: both are there from now on.
    this.session.ask('mn\r\n');
    this.#keepBlock();
    this.#chunksAtStart = network.chunksInUse();
  }

  counter(name: string): number {
    return this.counters[COUNTER_NAMES.indexOf(name)]!;
  }

  connect(): RpcTestClient {
    const connection = new MemoryConnection(this.session.arena, this.#take(SEND_BYTES), SEND_BYTES);
    this.#connections.add(connection);
    return new RpcTestClient(this, connection);
  }

  /** A connection is gone, with all that it had to send. */
  forget(connection: MemoryConnection): void {
    this.release(connection.owners);
    this.session.store.networkAllocator().release(connection.buffer - BUFFER_HEADER_BYTES);
    this.#connections.delete(connection);
  }

  /** Puts bytes where a transport would. What was there before must not be needed. */
  receive(bytes: Uint8Array): number {
    if (bytes.length > RECEIVE_BYTES) throw new Error('more than the receive buffer holds');
    this.session.arena.u8.fill(0xee, this.#receive, this.#receive + RECEIVE_BYTES);
    this.session.arena.u8.set(bytes, this.#receive);
    return this.#receive;
  }

  /** Gives one datagram to the server; returns those that it answers with. */
  datagram(bytes: Uint8Array, port: number = 40_000, localPort: number = 11_212): Buffer[] {
    const { arena } = this.session;
    arena.u8.set([127, 0, 0, 1], this.#address);
    const sent: Buffer[] = [];
    let parts: Buffer[] = [];
    const replies: DatagramReplies = {
      begin: () => this.#reply,
      reference: (offset, length, owner) => {
        parts.push(Buffer.from(arena.node.subarray(offset, offset + length)));
        this.owners.push(owner);
      },
      end: (length) => {
        sent.push(Buffer.concat([arena.node.subarray(this.#reply, this.#reply + length), ...parts]));
        parts = [];
      },
    };
    const source: DatagramSource = {
      family: 4,
      addressOffset: this.#address,
      port,
      localPort,
      localDescriptor: -1,
    };
    const start = this.receive(bytes);
    this.rpc.onDatagram(replies, source, start, start + bytes.length);
    return sent;
  }

  /** A request in datagrams, and the reply put together from its datagrams in reverse order. */
  askByDatagrams<V extends View>(type: number, request: WireObject, view: ViewClass<V>): V {
    const sent = fragmentsOf(encode(request), type, 7).flatMap((each) => this.datagram(each));
    const answers: Answer[] = [];
    const reassembler = new Reassembler<string>(
      (message, replyType, replyId) => {
        message.retain();
        answers.push({ type: replyType, id: replyId, message });
      },
      { clock: () => 0 },
    );
    for (const each of sent.reverse())
      reassembler.push(Memory.of(each), each.byteOffset, each.byteOffset + each.length, '');
    return viewOf(answers, view);
  }

  /** The network is through with everything. */
  settle(): void {
    for (const connection of this.#connections) this.release(connection.owners);
    this.release(this.owners);
  }

  /** Gives owners back as a transport does. */
  release(owners: number[]): void {
    for (const owner of owners.splice(0)) this.rpc.onRelease(owner);
  }

  /** Chunks of items that are in use. */
  itemChunks(): number {
    return this.session.store.slabStatistics().reduce((sum, { usedChunks }) => sum + usedChunks, 0);
  }

  /** Chunks that are in use although every item was removed: references that nobody gave back. */
  leakedChunks(): number {
    const { store } = this.session;
    this.session.ask('flush_all\r\n');
    this.session.advance(2);
    this.#keepBlock();
    const buffers = this.#connections.size;
    return this.itemChunks() + store.networkAllocator().chunksInUse() - this.#chunksAtStart - buffers;
  }

  /** A failure is written with the encoder, which keeps its block, unless it was given away before. */
  #keepBlock(): void {
    this.datagram(fragmentsOf(new Uint8Array(8), 1, 0)[0]!);
  }

  #take(bytes: number): number {
    const network = this.session.store.networkAllocator();
    return network.allocate(network.classFor(bytes + BUFFER_HEADER_BYTES)) + BUFFER_HEADER_BYTES;
  }
}

export class RpcTestClient {
  readonly connection: MemoryConnection;
  readonly rpc: RpcConnection;
  readonly #harness: RpcHarness;
  #rest: Buffer = Buffer.alloc(0);

  constructor(harness: RpcHarness, connection: MemoryConnection) {
    this.#harness = harness;
    this.connection = connection;
    connection.session = new Session(true, false);
    this.rpc = harness.rpc.open(this.#asConnection());
    connection.session.rpc = this.rpc;
  }

  /** Delivers bytes in pieces as a transport does, as long as the connection is not ended. */
  deliver(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && !this.connection.isEnded; at += PIECE_BYTES) {
      let whole = Buffer.concat([this.#rest, bytes.subarray(at, at + PIECE_BYTES)]);
      do {
        this.connection.isResumed = false;
        const start = this.#harness.receive(whole);
        const consumed = this.#harness.rpc.onData(
          this.#asConnection(),
          this.rpc,
          start,
          start + whole.length,
        );
        whole = whole.subarray(consumed - start);
      } while (this.connection.isResumed);
      this.#rest = Buffer.from(whole);
    }
  }

  /** Bytes that were written since the last call. */
  output(): Buffer {
    return Buffer.from(this.connection.take(), 'latin1');
  }

  /** The frames of an output. */
  answers(output: Buffer = this.output()): Answer[] {
    const answers: Answer[] = [];
    const reader = new StreamReader((message, type, id) => {
      message.retain();
      answers.push({ type, id, message });
      return true;
    });
    reader.push(output);
    return answers;
  }

  ask<V extends View>(type: number, request: WireObject, view: ViewClass<V>): V {
    this.deliver(frameOf(encode(request), type, 7));
    return viewOf(this.answers(), view);
  }

  close(): void {
    this.#harness.rpc.onClose(this.rpc);
    this.#harness.forget(this.connection);
  }

  #asConnection(): Connection<Session> {
    return this.connection as unknown as Connection<Session>;
  }
}

/** The one answer that there must be; throws a failure's code. */
function viewOf<V extends View>(answers: readonly Answer[], view: ViewClass<V>): V {
  const [answer] = answers;
  if (answers.length !== 1 || answer === undefined) throw new Error(`${answers.length} answers`);
  if (answer.type === FAILURE_TYPE) throw new Error(new FailureView(answer.message).code);
  return new view(answer.message, 0, 0);
}

/** A message behind its header. */
export function frameOf(
  message: Uint8Array,
  type: number,
  id: number,
  claimed: number = message.length,
): Buffer {
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + message.length);
  frame.writeUInt32LE(claimed, 0);
  frame.writeUInt32LE(type, 4);
  frame.writeUInt32LE(id, 8);
  frame.set(message, FRAME_HEADER_BYTES);
  return frame;
}

/** A message in datagrams of at most `partBytes` bytes of it. */
export function fragmentsOf(
  message: Uint8Array,
  type: number,
  id: number,
  partBytes: number = 1400,
): Buffer[] {
  const count = Math.max(1, Math.ceil(message.length / partBytes));
  return Array.from({ length: count }, (_, index) => {
    const header = Buffer.alloc(FRAGMENT_HEADER_BYTES);
    header.writeUInt32LE(id, 0);
    header.writeUInt32LE(type, 4);
    header.writeUInt32LE(message.length, 8);
    header.writeUInt16LE(index, 12);
    header.writeUInt16LE(count, 14);
    return Buffer.concat([header, message.subarray(index * partBytes, (index + 1) * partBytes)]);
  });
}
