/** An output that keeps the last answer: for codecs without sockets. References are given back at once. */
import { PAGE_BYTES, type SlabAllocator } from '@larder/datapath';
import { encode, type Memory, Message, type WireObject } from '@larder/wire';
import type { EchoCodec, EchoOutput } from '../server/echo-codec.ts';

export class MemoryOutput implements EchoOutput {
  answer: Uint8Array = new Uint8Array(0);
  readonly #allocator: SlabAllocator;
  readonly #chunk: number;
  readonly #input: number;
  #codec: EchoCodec | undefined;
  #referenced: [number, number, number][] = [];
  #copiedBytes = 0;

  constructor(allocator: SlabAllocator) {
    this.#allocator = allocator;
    this.#chunk = allocator.allocate(allocator.classFor(PAGE_BYTES / 2));
    this.#input = allocator.allocate(allocator.classFor(PAGE_BYTES / 2));
  }

  /** What the codec answers to a message that lies in the arena. */
  ask(codec: EchoCodec, memory: Memory, message: Uint8Array): Uint8Array {
    this.#codec = codec;
    this.#referenced = [];
    const start = this.#input + 16;
    memory.u8.set(message, start);
    codec.echo(new Message().over(memory, start, start + message.length), this);
    for (const [, , owner] of this.#referenced) codec.release(owner);
    return this.answer;
  }

  sendObject(object: WireObject): void {
    this.answer = encode(object);
  }

  sendBytes(bytes: Uint8Array): void {
    this.answer = new Uint8Array(bytes);
  }

  /** At an odd place, as a frame's is. */
  reserve(copiedBytesMax: number): number {
    return copiedBytesMax > PAGE_BYTES / 4 ? 0 : this.#chunk + 19;
  }

  finish(copiedBytes: number): void {
    this.#copiedBytes = copiedBytes;
    this.#join();
  }

  reference(offset: number, bytes: number, owner: number): void {
    this.#referenced.push([offset, bytes, owner]);
    this.#join();
  }

  #join(): void {
    const { u8 } = this.#allocator.arena;
    this.answer = Buffer.concat([
      u8.slice(this.#chunk + 19, this.#chunk + 19 + this.#copiedBytes),
      ...this.#referenced.map(([offset, bytes]) => u8.slice(offset, offset + bytes)),
    ]);
    if (this.#codec === undefined) throw new Error('no codec is being asked');
  }
}
