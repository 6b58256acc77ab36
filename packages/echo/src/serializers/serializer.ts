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
