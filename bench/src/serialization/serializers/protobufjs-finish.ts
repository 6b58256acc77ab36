/**
 * protobufjs as its documentation shows it: a writer per message, `finish()`, and the result copied to where it
 * is sent from. Shown beside its fastest use, since it is what most programs do.
 */
import { type GetReplyFields, larder } from '../generated/kv-protobufjs.js';
import type { ReplyOutput } from '../server/reply-output.ts';
import { ProtobufjsSerializer } from './protobufjs.ts';
import type { SerializerMemory } from './serializer.ts';

const { GetReply, PutReply } = larder.bench;

export class ProtobufjsFinishSerializer extends ProtobufjsSerializer {
  override readonly name: string = 'protobufjs-finish';
  readonly #memory: SerializerMemory;
  readonly #reply: GetReplyFields = { id: 0, vals: [] };

  constructor(memory: SerializerMemory) {
    super(memory);
    this.#memory = memory;
  }

  override writeReply(output: ReplyOutput, id: number, values: number, count: number, _bytes: number): void {
    const { arena } = this.#memory;
    const reply = this.#reply;
    reply.id = id;
    reply.vals.length = count;
    for (let index = 0; index < count; index++) {
      const pair = values + 2 * index;
      reply.vals[index] = new Uint8Array(arena.buffer, arena.i32[pair]!, arena.i32[pair + 1]!);
    }
    this.#send(output, GetReply.encode(reply).finish());
  }

  override writePutReply(output: ReplyOutput, id: number): void {
    this.#send(output, PutReply.encode({ id }).finish());
  }

  #send(output: ReplyOutput, body: Uint8Array): void {
    this.#memory.arena.u8.set(body, output.reserve(body.length));
    output.finish(body.length, 0);
  }
}
