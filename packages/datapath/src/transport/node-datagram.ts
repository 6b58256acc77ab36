/** Datagrams on the portable transport: Node's dgram sockets, one datagram at a time. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { DatapathError } from '../errors.ts';
import { DATAGRAM_BYTES_MAX, RECEIVE_CALL_BYTES } from '../limits.ts';
import type { Arena } from '../memory/arena.ts';
import { encodeInternetAddress } from '../sys/socket-address.ts';
import type { DatagramReplies, DatagramSource, TransportHandler, TransportStatistics } from './transport.ts';

const ADDRESS_ROOM = 16;
/** The receive buffer holds: an address, a datagram. Replies are written to their own memory. */
const DATA_BYTES_MAX: number = RECEIVE_CALL_BYTES - ADDRESS_ROOM;

export class NodeDatagrams<S> implements DatagramReplies, DatagramSource {
  family = 4;
  port = 0;
  localPort = 0;
  readonly localDescriptor: number = -1;
  readonly addressOffset: number;
  readonly #arena: Arena;
  readonly #handler: TransportHandler<S>;
  readonly #statistics: TransportStatistics;
  readonly #turn: (work: () => void) => void;
  readonly #takeReply: () => number;
  readonly #giveReply: (offset: number) => void;
  #reply = 0;
  /** References of the reply begun last. */
  #parts: Buffer[] = [];
  #owners: number[] = [];
  #referencedBytes = 0;
  #host = '';
  #socket: Socket | undefined;

  /**
   * `receiveOffset` is a buffer of RECEIVE_CALL_BYTES; replies are built in one from `takeReply` of
   * DATAGRAM_BYTES_MAX bytes.
   */
  constructor(
    arena: Arena,
    receiveOffset: number,
    handler: TransportHandler<S>,
    statistics: TransportStatistics,
    turn: (work: () => void) => void,
    takeReply: () => number,
    giveReply: (offset: number) => void,
  ) {
    this.#arena = arena;
    this.addressOffset = receiveOffset;
    this.#handler = handler;
    this.#statistics = statistics;
    this.#turn = turn;
    this.#takeReply = takeReply;
    this.#giveReply = giveReply;
  }

  bind(address: { readonly host: string; readonly port: number }, reusePort: boolean): Promise<void> {
    const type = isIPv6(address.host) ? 'udp6' : 'udp4';
    const socket = createSocket(reusePort ? { type, reusePort } : { type });
    this.#reply = this.#takeReply();
    if (this.#reply === 0) throw new DatapathError('ENOMEM', 'datagram buffers', 'no memory for replies');
    return new Promise((resolve, reject) => {
      socket.once('error', (error) => {
        this.#giveReply(this.#reply);
        socket.close();
        reject(DatapathError.from(error, 'bind'));
      });
      socket.bind({ address: address.host, port: address.port }, () => {
        socket.removeAllListeners('error');
        // An error that a peer's answer causes concerns no other datagram.
        socket.on('error', () => {});
        socket.on('message', (message, source) => this.#turn(() => this.#received(message, source)));
        this.#socket = socket;
        this.localPort = socket.address().port;
        resolve();
      });
    });
  }

  close(closed: () => void): void {
    this.#socket?.close(() => {
      this.#giveReply(this.#reply);
      closed();
    });
  }

  begin(bytes: number): number {
    if (bytes > DATAGRAM_BYTES_MAX) {
      throw new DatapathError('ARGUMENT', 'datagram', `${bytes} bytes is more than ${DATAGRAM_BYTES_MAX}`);
    }
    this.#parts = [];
    this.#referencedBytes = 0;
    return this.#reply;
  }

  reference(offset: number, bytes: number, owner: number): void {
    this.#parts.push(this.#arena.node.subarray(offset, offset + bytes));
    this.#owners.push(owner);
    this.#referencedBytes += bytes;
  }

  end(bytes: number): void {
    const sum = bytes + this.#referencedBytes;
    if (sum > DATAGRAM_BYTES_MAX) {
      throw new DatapathError('ARGUMENT', 'datagram', `${sum} bytes is more than ${DATAGRAM_BYTES_MAX}`);
    }
    // Node reads it later, when the memory holds another reply.
    const copy = Buffer.from(this.#arena.node.subarray(this.#reply, this.#reply + bytes));
    const owners = this.#owners;
    const message = this.#parts.length === 0 ? copy : [copy, ...this.#parts];
    this.#parts = [];
    this.#owners = [];
    this.#referencedBytes = 0;
    this.#statistics.systemCalls++;
    this.#socket?.send(message, this.port, this.#host, (error) => {
      if (owners.length > 0) this.#turn(() => this.#release(owners));
      if (error !== null) {
        this.#statistics.datagramsDropped++;
        return;
      }
      this.#statistics.datagramsSent++;
      this.#statistics.bytesWritten += sum;
    });
  }

  #release(owners: readonly number[]): void {
    for (const owner of owners) this.#handler.onRelease(owner);
  }

  #received(message: Buffer, source: RemoteInfo): void {
    this.#statistics.datagramsReceived++;
    if (message.length > DATA_BYTES_MAX) {
      this.#statistics.datagramsDropped++;
      return;
    }
    this.#statistics.bytesRead += message.length;
    this.#host = source.address;
    this.port = source.port;
    this.family = source.family === 'IPv6' ? 6 : 4;
    const address = encodeInternetAddress(source.address, 0);
    const addressBytes = this.family === 4 ? address.subarray(4, 8) : address.subarray(8, 24);
    this.#arena.u8.set(addressBytes, this.addressOffset);
    const start = this.addressOffset + ADDRESS_ROOM;
    this.#arena.u8.set(message, start);
    this.#handler.onDatagram?.(this, this, start, start + message.length);
    // References of a reply that was begun and not ended.
    const left = this.#owners;
    this.#parts = [];
    this.#owners = [];
    this.#referencedBytes = 0;
    this.#release(left);
  }
}
