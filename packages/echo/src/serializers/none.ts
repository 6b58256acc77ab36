/**
 * No serialization, the upper limit: the answer is the bytes of the message, which nobody looks at. Short ones are
 * copied, long ones are sent from the receive buffer that they came in.
 */
import type { SlabAllocator } from '@larder/datapath';
import { MESSAGE_BYTES_MAX, type Message } from '@larder/wire';
import type { EchoTree } from '../echo-tree.ts';
import { REFERENCE_BYTES_MIN } from '../limits.ts';
import type { EchoCodec, EchoOutput } from '../server/echo-codec.ts';
import type { EchoSerializer } from './serializer.ts';

class RawCodec implements EchoCodec {
  readonly name: string = 'none';
  readonly messageBytesMax: number = MESSAGE_BYTES_MAX;
  readonly #allocator: SlabAllocator;

  constructor(allocator: SlabAllocator) {
    this.#allocator = allocator;
  }

  echo(message: Message, output: EchoOutput): void {
    const { arena } = this.#allocator;
    const { base, bytes } = message;
    const isInArena = message.memory.buffer === arena.buffer;
    if (isInArena && bytes >= REFERENCE_BYTES_MIN && this.#refer(base, bytes, output)) return;
    const at = isInArena ? output.reserve(bytes, 0) : 0;
    if (at === 0) {
      output.sendBytes(message.toUint8Array());
      return;
    }
    arena.u8.copyWithin(at, base, base + bytes);
    output.finish(bytes);
  }

  #refer(offset: number, bytes: number, output: EchoOutput): boolean {
    const owner = this.#allocator.recover(offset, bytes);
    if (owner < 0 || output.reserve(0, bytes) === 0) return false;
    output.finish(0);
    this.#allocator.retain(owner);
    output.reference(offset, bytes, owner);
    return true;
  }

  release(owner: number): void {
    this.#allocator.release(owner);
  }
}

function buffersOf({ val, vals, left, right }: EchoTree): Uint8Array[] {
  return [
    ...(val ? [val] : []),
    ...(vals ?? []),
    ...(left ? buffersOf(left) : []),
    ...(right ? buffersOf(right) : []),
  ];
}

export const none: EchoSerializer = {
  name: 'none',
  encode: (tree) => Buffer.concat(buffersOf(tree)),
  /** Nobody can tell the buffers apart. */
  decode: (bytes) => ({ val: bytes }),
  makeCodec: (allocator) => new RawCodec(allocator),
};
