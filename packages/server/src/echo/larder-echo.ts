/**
 * The echo server of Larder's own serialization (papers/hotos21 5, papers/sosp23 6.2): a message is read field by
 * field and built again. Fields that are long enough are not copied: the answer refers to the receive buffer they
 * came in, which is held until it has been sent.
 */
import type { SlabAllocator } from '@larder/datapath';
import { Encoder, type Message, SendMemory, type SendMemoryOptions } from '@larder/wire';
import { Echo, EchoView } from './echo.larder.ts';
import type { EchoCodec, EchoOutput } from './echo-codec.ts';

export class LarderEcho implements EchoCodec {
  readonly name: string = 'larder';
  readonly memory: SendMemory;
  readonly #reply: Echo;
  readonly #view: EchoView;

  /** `allocator` is that of the transport's buffers. */
  constructor(allocator: SlabAllocator, options: SendMemoryOptions = {}) {
    this.memory = new SendMemory(allocator, options);
    this.#reply = new Echo(new Encoder(this.memory));
    this.#view = EchoView.read(Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0));
  }

  echo(message: Message, output: EchoOutput): void {
    const reply = this.#reply.reset();
    this.#fill(reply, this.#view.$over(message), message.memory === this.memory.memory);
    output.sendObject(reply);
  }

  release(owner: number): void {
    this.memory.complete(owner);
  }

  #fill(reply: Echo, view: EchoView, isInArena: boolean): void {
    const val = view.locateVal();
    if (val !== undefined) {
      if (isInArena) reply.setValAt(val.offset, val.bytes);
      else reply.val = view.val;
    }
    const { vals } = view;
    const count = vals.length;
    for (let index = 0; index < count; index++) {
      if (isInArena) {
        const { offset, bytes } = vals.locate(index);
        reply.vals.appendAt(offset, bytes);
      } else {
        reply.vals.append(vals.at(index));
      }
    }
    const { left, right } = view;
    if (left !== undefined) this.#fill(reply.initLeft(), left, isInArena);
    if (right !== undefined) this.#fill(reply.initRight(), right, isInArena);
  }
}
