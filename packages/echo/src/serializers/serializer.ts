/**
 * What this package needs of a serializer: messages to bytes and back for the load, and a codec for the server.
 * Most peers make objects of a message and bytes of objects; their codecs are here, so that a peer's own file holds
 * nothing but its calls.
 */
import type { SlabAllocator } from '@larder/datapath';
import type { Message } from '@larder/wire';
import { checkDepth, type EchoTree } from '../echo-tree.ts';
import { EchoError } from '../errors.ts';
import { PEER_MESSAGE_BYTES_MAX } from '../limits.ts';
import type { EchoCodec, EchoOutput } from '../server/echo-codec.ts';

/** What msgpackr wants to be free behind a message that it does not allocate itself. */
const SCRATCH_ROOM_BYTES = 4096;

export interface EchoSerializer {
  readonly name: string;
  /** A message in memory of its own. */
  encode(tree: EchoTree): Uint8Array;
  /** Buffers of the result may lie in `bytes`. Throws for what is no message. */
  decode(bytes: Uint8Array): EchoTree;
  /** A server's codec over the memory that its transport receives into and sends from. */
  makeCodec(allocator: SlabAllocator): EchoCodec;
}

/** Calls of a library that makes bytes in memory of its own. */
export type TreeFormat = Pick<EchoSerializer, 'name' | 'encode' | 'decode'>;

/** A library refuses messages by errors of any kind. */
function read(format: TreeFormat, message: Message): EchoTree {
  try {
    const tree = format.decode(message.toUint8Array());
    checkDepth(tree);
    return tree;
  } catch (cause) {
    if (cause instanceof EchoError) throw cause;
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new EchoError('MALFORMED', `no message of ${format.name}: ${text}`, { cause });
  }
}

/**
 * A codec that makes objects of the message and hands them to `write`, which sends the answer. Without it the answer
 * is made in memory of the library's own and copied to where it is sent from.
 */
export function treeCodec(
  format: TreeFormat,
  write: (tree: EchoTree, output: EchoOutput) => void = (tree, output) =>
    output.sendBytes(format.encode(tree)),
): EchoCodec {
  return {
    name: format.name,
    messageBytesMax: PEER_MESSAGE_BYTES_MAX,
    echo: (message, output) => write(read(format, message), output),
    // Peers copy: nothing is referenced, nothing comes back.
    release: () => {
      throw new Error(`${format.name} references nothing`);
    },
  };
}

/** Where a message is made that no send buffer holds; used again, and as long as the longest so far. */
let scratch: Buffer = Buffer.alloc(0);

/**
 * Sends what `write` puts at a place of a buffer, at most `bytesMax` bytes, and returns the number of: straight into
 * the send buffer `node`, or, when it does not fit there, elsewhere first.
 */
export function sendInPlace<T>(
  output: EchoOutput,
  node: Buffer,
  value: T,
  bytesMax: number,
  write: (value: T, node: Buffer, at: number) => number,
): void {
  const at = output.reserve(bytesMax, 0);
  if (at !== 0) {
    output.finish(write(value, node, at));
    return;
  }
  if (scratch.length < bytesMax + SCRATCH_ROOM_BYTES) {
    scratch = Buffer.alloc(2 * bytesMax + SCRATCH_ROOM_BYTES);
  }
  output.sendBytes(scratch.subarray(0, write(value, scratch, 0)));
}
