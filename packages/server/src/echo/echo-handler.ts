/** Frames and datagrams of an echo server, to its codec and back. */
import type {
  CloseReason,
  Connection,
  DatagramReplies,
  DatagramSource,
  TransportHandler,
} from '@larder/datapath';
import {
  DATAGRAM_BYTES,
  FRAGMENT_HEADER_BYTES,
  FRAME_HEADER_BYTES,
  FrameReader,
  type Memory,
  putFrameHeader,
  Reassembler,
  sendDatagrams,
  WireError,
  type WireObject,
} from '@larder/wire';
import type { EchoCodec, EchoOutput } from './echo-codec.ts';

/** One connection: its reader, and the frame that is being answered. */
class EchoConnection implements EchoOutput {
  readonly reader: FrameReader;
  readonly #connection: Connection<EchoConnection>;
  readonly #memory: Memory;
  #type = 0;
  #id = 0;

  constructor(connection: Connection<EchoConnection>, memory: Memory, codec: EchoCodec) {
    this.#connection = connection;
    this.#memory = memory;
    this.reader = new FrameReader(memory, (message, type, id) => {
      this.#type = type;
      this.#id = id;
      codec.echo(message, this);
      return !connection.isCongested;
    });
  }

  sendObject(object: WireObject): void {
    this.#connection.sendObject(object, this.#type, this.#id);
  }

  sendBytes(bytes: Uint8Array): void {
    const connection = this.#connection;
    const at = connection.reserve(FRAME_HEADER_BYTES);
    if (at === 0) return;
    putFrameHeader(this.#memory.view, at, bytes.length, this.#type, this.#id);
    connection.cursor = at + FRAME_HEADER_BYTES;
    connection.writeBytes(bytes);
  }
}

/** The datagrams that answer the message that is being answered. */
class EchoDatagrams implements EchoOutput {
  readonly #memory: Memory;
  replies: DatagramReplies | null = null;
  type = 0;
  id = 0;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  sendObject(object: WireObject): void {
    if (this.replies !== null) sendDatagrams(this.replies, object, this.type, this.id);
  }

  sendBytes(bytes: Uint8Array): void {
    const { replies } = this;
    if (replies === null) return;
    const { view, u8 } = this.#memory;
    const count = Math.max(1, Math.ceil(bytes.length / (DATAGRAM_BYTES - FRAGMENT_HEADER_BYTES)));
    const partBytes = Math.ceil(bytes.length / count);
    for (let index = 0; index < count; index++) {
      const part = bytes.subarray(index * partBytes, (index + 1) * partBytes);
      const at = replies.begin(FRAGMENT_HEADER_BYTES + part.length);
      view.setUint32(at, this.id, true);
      view.setUint32(at + 4, this.type, true);
      view.setUint32(at + 8, bytes.length, true);
      view.setUint16(at + 12, index, true);
      view.setUint16(at + 14, count, true);
      u8.set(part, at + FRAGMENT_HEADER_BYTES);
      replies.end(FRAGMENT_HEADER_BYTES + part.length);
    }
  }
}

export class EchoHandler implements TransportHandler<EchoConnection> {
  /** Messages answered, and those that were none. */
  echoed = 0;
  refused = 0;
  readonly #memory: Memory;
  readonly #codec: EchoCodec;
  readonly #datagrams: EchoDatagrams;
  readonly #reassembler: Reassembler<string>;

  constructor(memory: Memory, codec: EchoCodec) {
    this.#memory = memory;
    this.#codec = {
      name: codec.name,
      echo: (message, output) => {
        codec.echo(message, output);
        this.echoed++;
      },
      release: (owner) => codec.release(owner),
    };
    this.#datagrams = new EchoDatagrams(memory);
    this.#reassembler = new Reassembler<string>(
      (message, type, id) => {
        this.#datagrams.type = type;
        this.#datagrams.id = id;
        this.#codec.echo(message, this.#datagrams);
      },
      { clock: () => performance.now() },
    );
  }

  onConnect(connection: Connection<EchoConnection>): void {
    connection.session = new EchoConnection(connection, this.#memory, this.#codec);
  }

  onData(connection: Connection<EchoConnection>, start: number, end: number): number {
    try {
      return connection.session.reader.push(start, end);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.refused++;
      connection.end();
      return end;
    }
  }

  onClose(_connection: Connection<EchoConnection>, _reason: CloseReason): void {}

  onRelease(owner: number): void {
    this.#codec.release(owner);
  }

  onDatagram(replies: DatagramReplies, source: DatagramSource, start: number, end: number): void {
    this.#datagrams.replies = replies;
    const { u8 } = this.#memory;
    const address = u8.subarray(source.addressOffset, source.addressOffset + (source.family === 4 ? 4 : 16));
    try {
      this.#reassembler.push(this.#memory, start, end, `${address.join('.')} ${source.port}`);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.refused++;
    }
  }
}
