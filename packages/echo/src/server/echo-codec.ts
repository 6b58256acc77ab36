/** What an echo server does with a message; every serializer has one, and a program may bring its own. */
import type { Message, WireObject } from '@larder/wire';

/** Where an answer goes: a connection, or the datagrams that answer a datagram. */
export interface EchoOutput {
  /** A message of Larder's, serialized while it is sent. */
  sendObject(object: WireObject): void;
  /** A message that lies somewhere else: the bytes are copied. */
  sendBytes(bytes: Uint8Array): void;
  /**
   * Room in the memory that is sent from, for a message of at most `copiedBytesMax` bytes with `referencedBytes`
   * behind them: an offset in the arena, to be followed by `finish` and then by references of exactly that many
   * bytes. 0 when the message does not fit one piece; `sendBytes` takes it then.
   */
  reserve(copiedBytesMax: number, referencedBytes: number): number;
  /** So many bytes were written to what `reserve` gave. */
  finish(copiedBytes: number): void;
  /** Bytes of the arena, not copied: the codec's `release` is called with `owner` when nobody reads them any more. */
  reference(offset: number, bytes: number, owner: number): void;
}

export interface EchoCodec {
  readonly name: string;
  /** Longer messages are refused. */
  readonly messageBytesMax: number;
  /**
   * Reads a message, which is valid until this returns, and answers with one of the same content. Throws an
   * `EchoError` `MALFORMED` or a `WireError` for what is none.
   */
  echo(message: Message, output: EchoOutput): void;
  /** A transport no longer reads what was referenced. */
  release(owner: number): void;
}
