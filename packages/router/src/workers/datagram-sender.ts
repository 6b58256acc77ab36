/**
 * Sends datagrams when a reply is there, which may be long after the datagram that it answers was received; the
 * transports' own replies have to be written before the handler returns.
 */
import type { Socket } from 'node:dgram';
import type { Arena, SlabAllocator } from '@larder/datapath';
import { BUFFER_HEADER_BYTES } from '@larder/datapath';
import {
  IOVEC_BYTES,
  libc,
  MESSAGE_HEADER_BYTES,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  putIovec,
  putMessageHeader,
} from '@larder/datapath/internal';
import { RouterError } from '../errors.ts';

export interface SocketAddress {
  /** 4 or 6. */
  readonly family: number;
  /** 4 or 16 bytes, network order. */
  readonly bytes: Buffer;
  readonly port: number;
}

export interface DatagramSender {
  send(address: SocketAddress, datagram: Buffer): void;
}

const AF_INET = 2;
const AF_INET6 = 10;
const IPV4_NAME_BYTES = 16;
const IPV6_NAME_BYTES = 28;
const NAME_AT: number = MESSAGE_HEADER_BYTES + IOVEC_BYTES + 8;
const DATA_AT: number = NAME_AT + 32;
const DATA_BYTES = 2048;

/** One `sendmsg` per datagram on a socket of the Linux transports. What the kernel has no room for is dropped. */
export class LinuxDatagramSender implements DatagramSender {
  readonly #arena: Arena;
  readonly #descriptor: number;
  /** Header, iovec, name, data. */
  readonly #offset: number;

  constructor(arena: Arena, allocator: SlabAllocator, descriptor: number) {
    const chunk = allocator.allocate(allocator.classFor(BUFFER_HEADER_BYTES + DATA_AT + DATA_BYTES));
    if (chunk === 0) throw new RouterError('ENOMEM', 'no memory to send datagrams from');
    this.#arena = arena;
    this.#descriptor = descriptor;
    this.#offset = chunk + BUFFER_HEADER_BYTES;
  }

  send(address: SocketAddress, datagram: Buffer): void {
    const { u8, i32, view, address: base } = this.#arena;
    const at = this.#offset;
    const name = at + NAME_AT;
    u8.fill(0, name, name + IPV6_NAME_BYTES);
    view.setUint16(name, address.family === 4 ? AF_INET : AF_INET6, true);
    view.setUint16(name + 2, address.port, false);
    u8.set(address.bytes, name + (address.family === 4 ? 4 : 8));
    u8.set(datagram, at + DATA_AT);
    putIovec(i32, (at + MESSAGE_HEADER_BYTES) / 4, base + at + DATA_AT, datagram.length);
    const nameBytes = address.family === 4 ? IPV4_NAME_BYTES : IPV6_NAME_BYTES;
    putMessageHeader(i32, at / 4, base + at + MESSAGE_HEADER_BYTES, 1, base + name, nameBytes);
    libc().sendmsg(this.#descriptor, base + at, MSG_DONTWAIT | MSG_NOSIGNAL);
  }
}

/** A socket of Node's own, for the portable transport. */
export class NodeDatagramSender implements DatagramSender {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  send(address: SocketAddress, datagram: Buffer): void {
    const host =
      address.family === 4
        ? address.bytes.join('.')
        : (address.bytes.toString('hex').match(/.{4}/g) ?? []).join(':');
    this.#socket.send(datagram, address.port, host);
  }
}
