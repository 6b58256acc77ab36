/** Frames and datagrams of an echo server, to its codec and back. */
import {
  type CloseReason,
  type Connection,
  type DatagramReplies,
  type DatagramSource,
  SEND_BUFFER_BYTES,
  type TransportHandler,
} from '@larder/datapath';
import {
  FRAGMENT_HEADER_BYTES,
  FRAME_HEADER_BYTES,
  FrameReader,
  type Memory,
  type Message,
  putFrameHeader,
  REASSEMBLY_MESSAGE_BYTES_MAX,
  Reassembler,
  sendDatagrams,
  WireError,
  type WireObject,
} from '@larder/wire';
import { EchoError } from '../errors.ts';
import type { EchoCodec, EchoOutput } from './echo-codec.ts';
import { FRAGMENT_BYTES_MAX, fragmentsOf, putFragmentHeader } from './fragments.ts';

/** One connection: its reader, and the frame that is being answered. */
class EchoConnection implements EchoOutput {
  readonly reader: FrameReader;
  readonly #connection: Connection<EchoConnection>;
  readonly #memory: Memory;
  #type = 0;
  #id = 0;
  #at = 0;
  #referencedBytes = 0;

  constructor(
    connection: Connection<EchoConnection>,
    memory: Memory,
    messageBytesMax: number,
    echo: (message: Message, output: EchoOutput) => void,
  ) {
    this.#connection = connection;
    this.#memory = memory;
    const onFrame = (message: Message, type: number, id: number): boolean => {
      this.#type = type;
      this.#id = id;
      echo(message, this);
      return !connection.isCongested;
    };
    this.reader = new FrameReader(memory, onFrame, { messageBytesMax });
  }

  sendObject(object: WireObject): void {
    this.#connection.sendObject(object, this.#type, this.#id);
  }

  sendBytes(bytes: Uint8Array): void {
    if (this.#reserveFrame(0, bytes.length) === 0) return;
    this.finish(0);
    this.#connection.writeBytes(bytes);
  }

  reserve(copiedBytesMax: number, referencedBytes: number): number {
    return copiedBytesMax > SEND_BUFFER_BYTES - FRAME_HEADER_BYTES
      ? 0
      : this.#reserveFrame(copiedBytesMax, referencedBytes);
  }

  /** 0 also when the connection is ending. */
  #reserveFrame(bytes: number, bytesBehind: number): number {
    const at = this.#connection.reserve(FRAME_HEADER_BYTES + bytes);
    this.#at = at;
    this.#referencedBytes = bytesBehind;
    return at === 0 ? 0 : at + FRAME_HEADER_BYTES;
  }

  finish(copiedBytes: number): void {
    putFrameHeader(this.#memory.view, this.#at, copiedBytes + this.#referencedBytes, this.#type, this.#id);
    this.#connection.cursor = this.#at + FRAME_HEADER_BYTES + copiedBytes;
  }

  reference(offset: number, bytes: number, owner: number): void {
    this.#connection.reference(offset, bytes, owner);
  }
}

/** The datagrams that answer the message that is being answered. */
class EchoDatagrams implements EchoOutput {
  readonly #memory: Memory;
  replies: DatagramReplies | null = null;
  type = 0;
  id = 0;
  #at = 0;
  #copiedBytes = 0;
  #referencedBytes = 0;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  sendObject(object: WireObject): void {
    sendDatagrams(this.replies!, object, this.type, this.id);
  }

  sendBytes(bytes: Uint8Array): void {
    const replies = this.replies!;
    const { view, u8 } = this.#memory;
    const parts = fragmentsOf(bytes);
    for (const [index, part] of parts.entries()) {
      const at = replies.begin(FRAGMENT_HEADER_BYTES + part.length);
      putFragmentHeader(view, at, this.id, this.type, bytes.length, index, parts.length);
      u8.set(part, at + FRAGMENT_HEADER_BYTES);
      replies.end(FRAGMENT_HEADER_BYTES + part.length);
    }
  }

  reserve(copiedBytesMax: number, referencedBytes: number): number {
    if (copiedBytesMax + referencedBytes > FRAGMENT_BYTES_MAX) return 0;
    this.#referencedBytes = referencedBytes;
    this.#at = this.replies!.begin(FRAGMENT_HEADER_BYTES + copiedBytesMax);
    return this.#at + FRAGMENT_HEADER_BYTES;
  }

  finish(copiedBytes: number): void {
    const bytes = copiedBytes + this.#referencedBytes;
    putFragmentHeader(this.#memory.view, this.#at, this.id, this.type, bytes, 0, 1);
    this.#copiedBytes = copiedBytes;
    this.#endWhenWhole();
  }

  reference(offset: number, bytes: number, owner: number): void {
    this.replies!.reference(offset, bytes, owner);
    this.#referencedBytes -= bytes;
    this.#endWhenWhole();
  }

  #endWhenWhole(): void {
    if (this.#referencedBytes === 0) this.replies!.end(FRAGMENT_HEADER_BYTES + this.#copiedBytes);
  }
}

export class EchoHandler implements TransportHandler<EchoConnection> {
  /** Messages answered. */
  echoed = 0;
  readonly #memory: Memory;
  readonly #codec: EchoCodec;
  readonly #echo: (message: Message, output: EchoOutput) => void;
  readonly #datagrams: EchoDatagrams;
  readonly #reassembler: Reassembler<string>;
  #refused = 0;

  constructor(memory: Memory, codec: EchoCodec) {
    this.#memory = memory;
    this.#codec = codec;
    this.#datagrams = new EchoDatagrams(memory);
    this.#echo = (message, output) => {
      codec.echo(message, output);
      this.echoed++;
    };
    this.#reassembler = new Reassembler<string>(
      (message, type, id) => {
        this.#datagrams.type = type;
        this.#datagrams.id = id;
        this.#echo(message, this.#datagrams);
      },
      {
        clock: () => performance.now(),
        messageBytesMax: Math.min(codec.messageBytesMax, REASSEMBLY_MESSAGE_BYTES_MAX),
      },
    );
  }

  /** Messages that were none: each ended its connection, or was a datagram that was dropped. */
  get refused(): number {
    return this.#refused + this.#reassembler.datagramsDropped;
  }

  onConnect(connection: Connection<EchoConnection>): void {
    const { messageBytesMax } = this.#codec;
    connection.session = new EchoConnection(connection, this.#memory, messageBytesMax, this.#echo);
  }

  onData(connection: Connection<EchoConnection>, start: number, end: number): number {
    try {
      return connection.session.reader.push(start, end);
    } catch (error) {
      this.#refuse(error);
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
      this.#refuse(error);
    }
  }

  /** What is not the message's fault is a defect of this program. */
  #refuse(error: unknown): void {
    const isMessage =
      error instanceof WireError || (error instanceof EchoError && error.code === 'MALFORMED');
    if (!isMessage) throw error;
    this.#refused++;
  }
}
