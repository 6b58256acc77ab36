/**
 * The server of the benchmark: frames in, the store, frames out. It is the same for every serializer; one
 * process has one serializer and one kind of transport, so that every call here is to one class.
 */
import type {
  Arena,
  CloseReason,
  Connection,
  DatagramReplies,
  DatagramSource,
  TransportHandler,
} from '@larder/datapath';
import { BenchError } from '../../errors.ts';
import { KvRequest, type Serializer } from '../serializers/serializer.ts';
import type { KvStore } from '../store/kv-store.ts';
import { ConnectionOutput, DatagramOutput, FRAME_BYTES, KIND_PUT, type ReplyOutput } from './reply-output.ts';

export class KvHandler implements TransportHandler<unknown> {
  /** Requests answered since the beginning. */
  answered = 0;
  readonly #store: KvStore;
  readonly #serializer: Serializer;
  readonly #arena: Arena;
  readonly #view: DataView;
  readonly #i32: Int32Array;
  readonly #request: KvRequest = new KvRequest();
  readonly #datagrams: DatagramOutput;
  #output: ConnectionOutput | undefined;

  constructor(store: KvStore, serializer: Serializer) {
    this.#store = store;
    this.#serializer = serializer;
    this.#arena = store.arena;
    this.#view = store.arena.view;
    this.#i32 = store.arena.i32;
    this.#datagrams = new DatagramOutput(store.arena);
  }

  onConnect(connection: Connection<unknown>): void {
    this.#output ??= new ConnectionOutput(this.#arena, connection);
  }

  onData(connection: Connection<unknown>, start: number, end: number): number {
    const output = this.#output!;
    output.connection = connection;
    const view = this.#view;
    let at = start;
    while (end - at >= FRAME_BYTES) {
      const next = at + FRAME_BYTES + view.getUint32(at, true);
      if (next > end) break;
      output.messageId = view.getUint32(at + 8, true);
      this.#serve(output, view.getUint32(at + 4, true), at + FRAME_BYTES, next);
      at = next;
    }
    return at;
  }

  onDatagram(replies: DatagramReplies, _source: DatagramSource, start: number, end: number): void {
    const output = this.#datagrams;
    output.replies = replies;
    output.messageId = this.#view.getUint32(start + 8, true);
    this.#serve(output, this.#view.getUint32(start + 4, true), start + FRAME_BYTES, end);
  }

  onRelease(owner: number): void {
    this.#serializer.onRelease(owner);
  }

  onClose(_connection: Connection<unknown>, _reason: CloseReason, _error?: Error): void {
    // The load closes its connections when it has enough.
  }

  #serve(output: ReplyOutput, kind: number, start: number, end: number): void {
    const request = this.#request;
    const store = this.#store;
    this.answered++;
    if (kind === KIND_PUT) {
      this.#serializer.readPut(start, end, request);
      this.#find(request);
      store.replace(request.valueOffset, request.valueBytes);
      this.#serializer.writePutReply(output, request.id);
      return;
    }
    this.#serializer.readGet(start, end, request);
    this.#find(request);
    const i32 = this.#i32;
    if (request.segment > 0) {
      const pair = store.values + 2 * (request.segment - 1);
      this.#serializer.writeReply(output, request.id, pair, 1, i32[pair + 1]!);
      return;
    }
    const { values, count } = store;
    let bytes = 0;
    for (let index = 0; index < count; index++) bytes += i32[values + 2 * index + 1]!;
    this.#serializer.writeReply(output, request.id, values, count, bytes);
  }

  #find(request: KvRequest): void {
    if (!this.#store.find(request.keyOffset, request.keyBytes)) {
      throw new BenchError('SERVER', `no such key in request ${request.id}`);
    }
  }
}
