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
  Encoder,
  FRAGMENT_HEADER_BYTES,
  GatherBudget,
  Memory,
  type Message,
  Reassembler,
  SendMemory,
  WireError,
} from '@larder/wire';
import { FAILURE_TYPE, Failure } from '@larder/wire/rpc';
import { RPC_REASSEMBLY_BYTES_MAX, RPC_REQUEST_MARGIN_BYTES } from '../limits.ts';
import type { SessionContext } from '../session/context.ts';
import {
  CONN_BATCHES,
  CONN_YIELDS,
  GATHERED_BYTES,
  PROTOCOL_ERRORS,
  READ_BUF_OOM,
  UDP_MALFORMED,
  UDP_REFUSED,
  UDP_REQUESTS,
} from '../session/counters.ts';
import { isFromServer } from '../session/datagram-handler.ts';
import { CommandKind, type LatencyRecorder, SAMPLE_EVERY_BATCHES } from '../session/latency.ts';
import type { Session } from '../session/session.ts';
import { ItemOwners } from './item-owners.ts';
import { RequestMemory } from './request-memory.ts';
import { RpcConnection } from './rpc-connection.ts';
import { RpcDatagrams } from './rpc-datagrams.ts';
import { RpcGets, type RpcParts } from './rpc-gets.ts';
import { RpcLeases } from './rpc-leases.ts';
import type { RpcOutput } from './rpc-output.ts';
import { RpcPuts } from './rpc-puts.ts';
import { RpcRefusal } from './rpc-refusal.ts';
import { ValueReply } from './value-reply.ts';

export interface RpcOptions {
  /** Where this protocol counts, with the indices of session/counters.ts. */
  readonly counters: Float64Array;
  /** What unfinished requests of all connections of this worker may hold together. */
  readonly gatherBytesMax: number;
  /** Milliseconds; only differences matter. */
  readonly clock: () => number;
  /** Datagrams of one reply. */
  readonly datagramsMax: number;
  /** Whether a datagram's sender is answered. */
  readonly allows: (source: DatagramSource) => boolean;
  readonly requestsPerEvent: number;
}

export class RpcHandler {
  readonly #context: SessionContext;
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
  readonly #budget: GatherBudget;
  readonly #latency: LatencyRecorder;
  /** What the request that is being run counts as. */
  #kind: CommandKind = CommandKind.rpcOther;
  /** Batches until the next one that is timed, and whether this one is. */
  #untilSample: number = SAMPLE_EVERY_BATCHES;
  #isTimed = false;
  readonly #reassembler: Reassembler<string>;
  readonly #datagrams: RpcDatagrams;
  readonly #owners: ItemOwners;

  constructor(context: SessionContext, options: RpcOptions) {
    const { arena, store } = context;
    const { counters, clock } = options;
    this.#context = context;
    this.#latency = context.options.latency;
    this.#counters = counters;
    this.#options = options;
    this.#memory = Memory.ofArena(arena);
    const allocator = store.networkAllocator();
    const { itemBytesMax } = store.options;
    const owners = new ItemOwners(arena, store, allocator);
    // A connection takes any number of references, and sends them with as many calls as it needs.
    const policy = { referenceBytesMin: store.copyBytesMax, referencesMax: Number.POSITIVE_INFINITY };
    const encoder = new Encoder(new SendMemory(owners, policy));
    this.#owners = owners;
    const request = new RequestMemory(arena, store, allocator);
    const values = new ValueReply(store, encoder, arena.view);
    const parts: RpcParts = { context, store, counters, encoder, request, values };
    this.#encoder = encoder;
    this.#store = store;
    this.#messageBytesMax = itemBytesMax + RPC_REQUEST_MARGIN_BYTES;
    // However little was allowed, a request of the largest size finds room when there is no other.
    const bytesMax = Math.max(options.gatherBytesMax, this.#messageBytesMax);
    this.#budget = new GatherBudget({ bytesMax, clock });
    this.#gets = new RpcGets(parts);
    this.#puts = new RpcPuts(parts);
    this.#leases = new RpcLeases(parts);
    this.#failure = new Failure(encoder);
    this.#datagrams = new RpcDatagrams(options.datagramsMax);
    this.#reassembler = new Reassembler<string>(
      (message, type, id) => {
        if (type === FAILURE_TYPE) {
          // An answer, which some server was made to send here: see `isFromServer`.
          this.#counters[UDP_MALFORMED]! += 1;
          return;
        }
        this.#counters[UDP_REQUESTS]! += 1;
        this.serve(message, type, id, this.#datagrams);
      },
      {
        clock,
        messageBytesMax: Math.min(this.#messageBytesMax, RPC_REASSEMBLY_BYTES_MAX),
        bytesMax: RPC_REASSEMBLY_BYTES_MAX,
      },
    );
  }

  /** The state of a new connection. */
  open(connection: Connection<Session>): RpcConnection {
    return new RpcConnection(connection, {
      memory: this.#memory,
      messageBytesMax: this.#messageBytesMax,
      budget: this.#budget,
      serve: (message, type, id, output) => this.serve(message, type, id, output),
      refuse: (id, output) => this.#refuse(id, output),
    });
  }

  onData(connection: Connection<Session>, rpc: RpcConnection, start: number, end: number): number {
    this.#counters[CONN_BATCHES]! += 1;
    this.#beginBatch();
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
    } finally {
      this.#counters[GATHERED_BYTES] = this.#budget.bytes;
    }
  }

  onClose(rpc: RpcConnection): void {
    rpc.reader.close();
    this.#counters[GATHERED_BYTES] = this.#budget.bytes;
  }

  onDatagram(replies: DatagramReplies, source: DatagramSource, start: number, end: number): void {
    if (isFromServer(source) || !this.#options.allows(source)) {
      this.#counters[UDP_REFUSED]! += 1;
      return;
    }
    this.#beginBatch();
    this.#datagrams.answer(replies);
    const dropped = this.#reassembler.datagramsDropped;
    this.#reassembler.push(this.#memory, start, end, this.#sourceName(source, start, end));
    if (this.#reassembler.datagramsDropped !== dropped) this.#counters[UDP_MALFORMED]! += 1;
  }

  /** A transport no longer reads what it was given by this protocol or by another. */
  onRelease(owner: number): void {
    this.#owners.complete(owner);
  }

  /** Looks once at what may change at any time: who watches, and from what size on replies are referenced. */
  #beginBatch(): void {
    this.#context.beginBatch();
    this.#encoder.policy.referenceBytesMin = this.#store.copyBytesMax + 1;
    this.#isTimed = --this.#untilSample === 0;
    if (this.#isTimed) this.#untilSample = SAMPLE_EVERY_BATCHES;
  }

  /** Runs one request. */
  serve(message: Message, type: number, id: number, output: RpcOutput): void {
    const before = this.#isTimed ? this.#latency.now() : 0;
    try {
      this.#dispatch(message, type, id, output);
    } catch (error) {
      // Whatever the reply had so far is given back.
      this.#encoder.reset();
      if (error instanceof RpcRefusal) this.#fail(error.code, error.message, id, output);
      else if (error instanceof WireError) this.#fail('BAD_MESSAGE', error.message, id, output);
      else throw error;
    }
    if (this.#isTimed) this.#latency.record(this.#kind, this.#latency.now() - before);
  }

  #dispatch(message: Message, type: number, id: number, output: RpcOutput): void {
    switch (type) {
      case KeyValueTypes.get:
        this.#kind = CommandKind.rpcGet;
        this.#gets.get(message, type, id, output);
        break;
      case KeyValueTypes.getM:
        this.#kind = CommandKind.rpcGet;
        this.#gets.getM(message, type, id, output);
        break;
      case KeyValueTypes.put:
        this.#kind = CommandKind.rpcSet;
        this.#puts.put(message, type, id, output);
        break;
      case KeyValueTypes.getFromList:
        this.#kind = CommandKind.rpcGet;
        this.#gets.getFromList(message, type, id, output);
        break;
      case KeyValueTypes.getList:
        this.#kind = CommandKind.rpcGet;
        this.#gets.getList(message, type, id, output);
        break;
      case KeyValueTypes.leaseGet:
        this.#kind = CommandKind.rpcLease;
        this.#leases.leaseGet(message, type, id, output);
        break;
      case KeyValueTypes.leaseSet:
        this.#kind = CommandKind.rpcLease;
        this.#leases.leaseSet(message, type, id, output);
        break;
      case KeyValueTypes.putM:
        this.#kind = CommandKind.rpcSet;
        this.#puts.putM(message, type, id, output);
        break;
      case KeyValueTypes.putList:
        this.#kind = CommandKind.rpcSet;
        this.#puts.putList(message, type, id, output);
        break;
      case KeyValueTypes.append:
        this.#kind = CommandKind.rpcSet;
        this.#puts.append(message, type, id, output);
        break;
      case KeyValueTypes.delete:
        this.#kind = CommandKind.rpcDelete;
        this.#puts.delete(message, type, id, output);
        break;
      default:
        this.#kind = CommandKind.rpcOther;
        throw new RpcRefusal('UNKNOWN_METHOD', `no method has type ${type}`);
    }
  }

  /** A long request found no memory; the rest of it is thrown away as it comes. */
  #refuse(id: number, output: RpcOutput): void {
    this.#counters[READ_BUF_OOM]! += 1;
    this.#fail('SERVER_BUSY', 'no memory for a request of this size now; ask again', id, output);
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
