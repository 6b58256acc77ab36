/**
 * The typed protocol of one worker: frames of its connections and fragments of its datagrams, each a request, to
 * the store and back (docs/protocol/rpc.md). All requests of a worker share one encoder, one reply object of
 * each kind and one view of each kind, so that a request allocates nothing.
 *
 * ```
 *   bytes ─▶ FrameReader ─▶ type ─▶ operation ─▶ reply ─▶ send buffer, references to items
 *   datagrams ─▶ Reassembler ─┘                       └─▶ datagrams of the batch
 * ```
 */
import type { Store } from '@larder/cache';
import type { Connection, DatagramReplies, DatagramSource } from '@larder/datapath';
import { KeyValueTypes } from '@larder/protocol/rpc';
import {
  DATAGRAM_BYTES,
  Encoder,
  FRAGMENT_HEADER_BYTES,
  FrameReader,
  Memory,
  type Message,
  Reassembler,
  SendMemory,
  sendDatagrams,
  WireError,
  type WireObject,
} from '@larder/wire';
import { FAILURE_TYPE, Failure } from '@larder/wire/rpc';
import { RPC_REASSEMBLY_BYTES_MAX, RPC_REQUEST_MARGIN_BYTES } from '../limits.ts';
import type { SessionOptions } from '../session/context.ts';
import {
  CONN_BATCHES,
  CONN_YIELDS,
  PROTOCOL_ERRORS,
  UDP_MALFORMED,
  UDP_REFUSED,
  UDP_REQUESTS,
} from '../session/counters.ts';
import type { Session } from '../session/session.ts';
import { ItemOwners } from './item-owners.ts';
import { RequestMemory } from './request-memory.ts';
import { RpcGets, type RpcParts } from './rpc-gets.ts';
import { RpcLeases } from './rpc-leases.ts';
import type { RpcOutput, RpcStream } from './rpc-output.ts';
import { RpcPuts } from './rpc-puts.ts';
import { RpcRefusal } from './rpc-refusal.ts';
import { ValueReply } from './value-reply.ts';

/** What a datagram's header and a reply's own take of its bytes. */
const REPLY_HEADER_BYTES = 256;

export interface RpcOptions {
  /** Datagrams of one reply. */
  readonly datagramsMax: number;
  /** Whether a datagram's sender is answered. */
  readonly allows: (source: DatagramSource) => boolean;
  readonly requestsPerEvent: number;
}

/** One connection of the typed protocol. */
export class RpcConnection implements RpcOutput {
  readonly replyBytesMax: number = Number.POSITIVE_INFINITY;
  readonly replies: null = null;
  readonly reader: FrameReader;
  /** Requests until the other connections get their turn. */
  left = 0;
  readonly #connection: Connection<Session>;

  constructor(
    connection: Connection<Session>,
    memory: Memory,
    messageBytesMax: number,
    serve: (message: Message, type: number, id: number, output: RpcOutput) => void,
  ) {
    this.#connection = connection;
    this.reader = new FrameReader(
      memory,
      (message, type, id) => {
        serve(message, type, id, this);
        this.left--;
        return this.left > 0 && !connection.isCongested && connection.isOpen;
      },
      { messageBytesMax },
    );
  }

  get stream(): RpcStream {
    return this.#connection;
  }

  send(reply: WireObject, type: number, id: number): void {
    this.#connection.sendObject(reply, type, id);
  }
}

export class RpcHandler {
  readonly #counters: Float64Array;
  readonly #options: RpcOptions;
  readonly #memory: Memory;
  readonly #encoder: Encoder;
  readonly #store: Store;
  readonly #messageBytesMax: number;
  readonly #gets: RpcGets;
  readonly #puts: RpcPuts;
  readonly #leases: RpcLeases;
  readonly #failure: Failure;
  readonly #reassembler: Reassembler<string>;
  readonly #datagramOutput: DatagramRpcOutput;

  constructor(
    { arena, store, counters }: Pick<SessionOptions, 'arena' | 'store' | 'counters'>,
    options: RpcOptions,
  ) {
    this.#counters = counters;
    this.#options = options;
    this.#memory = Memory.ofArena(arena);
    const allocator = store.networkAllocator();
    const { itemBytesMax } = store.options;
    const owners = new ItemOwners(arena, store, allocator);
    // A connection takes any number of references, and sends them with as many calls as it needs.
    const policy = { referenceBytesMin: store.copyBytesMax, referencesMax: Number.POSITIVE_INFINITY };
    const encoder = new Encoder(new SendMemory(owners, policy));
    const request = new RequestMemory(arena, store, allocator);
    const values = new ValueReply(store, encoder, arena.view);
    const parts: RpcParts = { store, counters, encoder, request, values };
    this.#encoder = encoder;
    this.#store = store;
    this.#followThreshold();
    this.#messageBytesMax = itemBytesMax + RPC_REQUEST_MARGIN_BYTES;
    this.#gets = new RpcGets(parts);
    this.#puts = new RpcPuts(parts);
    this.#leases = new RpcLeases(parts);
    this.#failure = new Failure(encoder);
    this.#datagramOutput = new DatagramRpcOutput(options.datagramsMax);
    this.#reassembler = new Reassembler<string>(
      (message, type, id) => {
        this.#counters[UDP_REQUESTS]! += 1;
        this.serve(message, type, id, this.#datagramOutput);
      },
      {
        clock: () => performance.now(),
        messageBytesMax: Math.min(this.#messageBytesMax, RPC_REASSEMBLY_BYTES_MAX),
        bytesMax: RPC_REASSEMBLY_BYTES_MAX,
      },
    );
  }

  /** The state of a new connection. */
  open(connection: Connection<Session>): RpcConnection {
    return new RpcConnection(connection, this.#memory, this.#messageBytesMax, (message, type, id, output) =>
      this.serve(message, type, id, output),
    );
  }

  onData(connection: Connection<Session>, rpc: RpcConnection, start: number, end: number): number {
    this.#counters[CONN_BATCHES]! += 1;
    this.#followThreshold();
    rpc.left = this.#options.requestsPerEvent;
    try {
      const consumed = rpc.reader.push(start, end);
      if (rpc.left === 0) {
        this.#counters[CONN_YIELDS]! += 1;
        // What was not consumed is given again after the other connections had their turn.
        connection.resume();
      }
      return consumed;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      // Where the next frame begins is not known any more.
      this.#fail('BAD_MESSAGE', error.message, 0, rpc);
      connection.end();
      return end;
    }
  }

  onDatagram(replies: DatagramReplies, source: DatagramSource, start: number, end: number): void {
    if (!this.#options.allows(source)) {
      this.#counters[UDP_REFUSED]! += 1;
      return;
    }
    this.#datagramOutput.replies = replies;
    const dropped = this.#reassembler.datagramsDropped;
    this.#reassembler.push(this.#memory, start, end, this.#sourceName(source, start, end));
    if (this.#reassembler.datagramsDropped !== dropped) this.#counters[UDP_MALFORMED]! += 1;
  }

  /** Copies and references as the text protocols do, whose threshold may be measured anew at any time. */
  #followThreshold(): void {
    this.#encoder.policy.referenceBytesMin = this.#store.copyBytesMax + 1;
  }

  /** Runs one request. */
  serve(message: Message, type: number, id: number, output: RpcOutput): void {
    try {
      this.#dispatch(message, type, id, output);
    } catch (error) {
      // Whatever the reply had so far is given back.
      this.#encoder.reset();
      if (error instanceof RpcRefusal) this.#fail(error.code, error.message, id, output);
      else if (error instanceof WireError) this.#fail('BAD_MESSAGE', error.message, id, output);
      else throw error;
    }
  }

  #dispatch(message: Message, type: number, id: number, output: RpcOutput): void {
    switch (type) {
      case KeyValueTypes.get:
        this.#gets.get(message, type, id, output);
        break;
      case KeyValueTypes.getM:
        this.#gets.getM(message, type, id, output);
        break;
      case KeyValueTypes.put:
        this.#puts.put(message, type, id, output);
        break;
      case KeyValueTypes.getFromList:
        this.#gets.getFromList(message, type, id, output);
        break;
      case KeyValueTypes.getList:
        this.#gets.getList(message, type, id, output);
        break;
      case KeyValueTypes.leaseGet:
        this.#leases.leaseGet(message, type, id, output);
        break;
      case KeyValueTypes.leaseSet:
        this.#leases.leaseSet(message, type, id, output);
        break;
      case KeyValueTypes.putM:
        this.#puts.putM(message, type, id, output);
        break;
      case KeyValueTypes.putList:
        this.#puts.putList(message, type, id, output);
        break;
      case KeyValueTypes.append:
        this.#puts.append(message, type, id, output);
        break;
      case KeyValueTypes.delete:
        this.#puts.delete(message, type, id, output);
        break;
      default:
        throw new RpcRefusal('UNKNOWN_METHOD', `no method has type ${type}`);
    }
  }

  #fail(code: string, text: string, id: number, output: RpcOutput): void {
    this.#counters[PROTOCOL_ERRORS]! += 1;
    const failure = this.#failure.reset();
    failure.code = code;
    failure.text = text;
    output.send(failure, FAILURE_TYPE, id);
  }

  /** Who sent a fragment; a request that is whole in its datagram needs no name. */
  #sourceName(source: DatagramSource, start: number, end: number): string {
    const isWhole = end - start < FRAGMENT_HEADER_BYTES || this.#memory.view.getUint16(start + 14, true) <= 1;
    if (isWhole) return '';
    const bytes = source.family === 4 ? 4 : 16;
    const { addressOffset, port } = source;
    return `${this.#memory.node.toString('hex', addressOffset, addressOffset + bytes)} ${port}`;
  }
}

/** The datagrams that answer the one that is being handled. */
class DatagramRpcOutput implements RpcOutput {
  readonly stream: null = null;
  readonly replyBytesMax: number;
  replies: DatagramReplies | null = null;

  constructor(datagramsMax: number) {
    this.replyBytesMax = datagramsMax * (DATAGRAM_BYTES - FRAGMENT_HEADER_BYTES) - REPLY_HEADER_BYTES;
  }

  send(reply: WireObject, type: number, id: number): void {
    if (this.replies !== null) sendDatagrams(this.replies, reply, type, id);
  }
}
