/**
 * Answers a request of the sweep as the key-value server answers a get: an entry that was not looked at for long says
 * where the buffers lie, and all of them are given to the reply at once. Whether they are copied or referenced is the
 * request's.
 */
import {
  type Connection,
  type DatagramReplies,
  type DatagramSource,
  SoloCounts,
  type TransportHandler,
} from '@larder/datapath';
import { Encoder, SendMemory } from '@larder/wire';
import { BenchError } from '../errors.ts';
import { GetReply } from '../serialization/generated/kv.larder.ts';
import {
  ConnectionOutput,
  DatagramOutput,
  FRAME_BYTES,
  type ReplyOutput,
} from '../serialization/server/reply-output.ts';
import { BODY_BYTES } from './request.ts';
import type { SweepMemory } from './sweep-memory.ts';

/** Entries that follow each other are this far apart. A prime, so that all come before one comes again. */
const STEP = 7919;

export class SweepHandler implements TransportHandler<unknown> {
  readonly #memory: SweepMemory;
  readonly #view: DataView;
  readonly #send: SendMemory;
  readonly #reply: GetReply;
  readonly #datagrams: DatagramOutput;
  #output: ConnectionOutput | undefined;
  #entry = 0;

  constructor(memory: SweepMemory) {
    this.#memory = memory;
    this.#view = memory.arena.view;
    // One thread has the buffers, as in the paper's server.
    this.#send = new SendMemory(new SoloCounts(memory.allocator));
    this.#reply = new GetReply(new Encoder(this.#send));
    this.#datagrams = new DatagramOutput(memory.arena);
  }

  onConnect(connection: Connection<unknown>): void {
    this.#output ??= new ConnectionOutput(this.#memory.arena, connection);
  }

  onData(connection: Connection<unknown>, start: number, end: number): number {
    const output = this.#output!;
    output.connection = connection;
    let at = start;
    for (; end - at >= FRAME_BYTES + BODY_BYTES; at += FRAME_BYTES + BODY_BYTES) this.#serve(output, at);
    return at;
  }

  onDatagram(replies: DatagramReplies, _source: DatagramSource, start: number): void {
    this.#datagrams.replies = replies;
    this.#serve(this.#datagrams, start);
  }

  #serve(output: ReplyOutput & { messageId: number }, at: number): void {
    const view = this.#view;
    output.messageId = view.getUint32(at + 8, true);
    const body = at + FRAME_BYTES;
    const buffers = view.getUint32(body + 4, true);
    const bytes = view.getUint32(body + 8, true);
    const entries = this.#memory.entriesOf(bytes);
    if (entries === undefined) throw new BenchError('SERVER', `no buffers of ${bytes} bytes`);
    this.#entry = (this.#entry + STEP) % Math.floor(entries.count / buffers);
    this.#send.referenceBytesMin = view.getUint32(body + 12, true) === 0 ? Number.POSITIVE_INFINITY : 1;
    const reply = this.#reply;
    reply.id = output.messageId + 1;
    reply.vals.appendAllAt(this.#memory.arena.i32, entries.first + 2 * buffers * this.#entry, buffers);
    output.sendObject(reply);
  }

  onRelease(owner: number): void {
    this.#send.complete(owner);
  }

  onClose(): void {
    // The load closes when a cell is done.
  }
}
