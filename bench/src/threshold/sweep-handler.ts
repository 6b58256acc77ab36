/** Answers a request of the sweep with a typed reply of that many buffers, copied or referenced as it says. */
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

/** Buffers of one reply lie this far apart in the list of buffers. */
const STEP = 7919;

export class SweepHandler implements TransportHandler<unknown> {
  readonly #memory: SweepMemory;
  readonly #view: DataView;
  readonly #send: SendMemory;
  readonly #reply: GetReply;
  readonly #datagrams: DatagramOutput;
  #output: ConnectionOutput | undefined;

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
    const bytes = view.getUint32(body + 8, true);
    const buffers = this.#memory.buffersOf(bytes);
    if (buffers === undefined) throw new BenchError('SERVER', `no buffers of ${bytes} bytes`);
    this.#send.referenceBytesMin = view.getUint32(body + 12, true) === 0 ? Number.POSITIVE_INFINITY : 1;
    const reply = this.#reply;
    const { vals } = reply;
    let index = view.getUint32(body, true) % buffers.length;
    reply.id = output.messageId + 1;
    for (let left = view.getUint32(body + 4, true); left > 0; left--) {
      vals.appendAt(buffers[index]!, bytes);
      index = (index + STEP) % buffers.length;
    }
    output.sendObject(reply);
  }

  onRelease(owner: number): void {
    this.#send.complete(owner);
  }

  onClose(): void {
    // The load closes when a cell is done.
  }
}
