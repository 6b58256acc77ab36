/** What an echo server does with a message; one codec per serializer that is compared. */
import type { Message, WireObject } from '@larder/wire';

/** Where an answer goes: a connection, or the datagrams that answer a datagram. */
export interface EchoOutput {
  /** A message of Larder's. */
  sendObject(object: WireObject): void;
  /** A message that another serializer made: the bytes are copied. */
  sendBytes(bytes: Uint8Array): void;
}

export interface EchoCodec {
  readonly name: string;
  /** Reads a message, which is valid until this returns, and answers with one of the same content. */
  echo(message: Message, output: EchoOutput): void;
  /** A transport no longer reads what was referenced. */
  release(owner: number): void;
}
