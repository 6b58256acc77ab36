/**
 * Socket calls. Those here are made once per socket or connection; they take and return ordinary values and
 * throw a `DatapathError` that names the errno, the call and what it was about.
 */

import { checked, libc } from './libc.ts';
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  decodeSocketAddress,
  SOCKET_ADDRESS_BYTES,
  type SocketAddress,
} from './socket-address.ts';

export const SOCK_STREAM: number = 1;
export const SOCK_DGRAM: number = 2;
export const SOCK_NONBLOCK: number = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const IPPROTO_IPV6 = 41;
const IPPROTO_TCP = 6;

export const MSG_DONTWAIT: number = 0x40;
export const MSG_WAITALL: number = 0x100;
export const MSG_NOSIGNAL: number = 0x4000;

export const SHUT_WR: number = 1;
export const SHUT_RDWR: number = 2;

/** A socket option: its level and number. */
export interface SocketOption {
  readonly level: number;
  readonly option: number;
  readonly name: string;
}

export const SocketOptions: {
  readonly reuseAddress: SocketOption;
  readonly reusePort: SocketOption;
  readonly error: SocketOption;
  readonly keepAlive: SocketOption;
  readonly sendBuffer: SocketOption;
  readonly receiveBuffer: SocketOption;
  readonly noDelay: SocketOption;
  readonly versionSixOnly: SocketOption;
} = {
  reuseAddress: { level: SOL_SOCKET, option: 2, name: 'SO_REUSEADDR' },
  error: { level: SOL_SOCKET, option: 4, name: 'SO_ERROR' },
  sendBuffer: { level: SOL_SOCKET, option: 7, name: 'SO_SNDBUF' },
  receiveBuffer: { level: SOL_SOCKET, option: 8, name: 'SO_RCVBUF' },
  keepAlive: { level: SOL_SOCKET, option: 9, name: 'SO_KEEPALIVE' },
  reusePort: { level: SOL_SOCKET, option: 15, name: 'SO_REUSEPORT' },
  noDelay: { level: IPPROTO_TCP, option: 1, name: 'TCP_NODELAY' },
  versionSixOnly: { level: IPPROTO_IPV6, option: 26, name: 'IPV6_V6ONLY' },
};

/** A new socket of the family `AF_INET`, `AF_INET6` or `AF_UNIX`. */
export function openSocket(family: number, type: number): number {
  return checked(libc().socket(family, type | SOCK_CLOEXEC, 0), 'socket', familyName(family));
}

export function bindSocket(descriptor: number, address: Uint8Array, context: string): void {
  checked(libc().bind(descriptor, address, address.length), 'bind', context);
}

export function listenSocket(descriptor: number, backlog: number, context: string): void {
  checked(libc().listen(descriptor, backlog), 'listen', context);
}

export function setSocketOption(descriptor: number, option: SocketOption, value: number): void {
  const bytes = new Uint8Array(Int32Array.of(value).buffer);
  checked(
    libc().setsockopt(descriptor, option.level, option.option, bytes, bytes.length),
    'setsockopt',
    option.name,
  );
}

export function getSocketOption(descriptor: number, option: SocketOption): number {
  const value = new Int32Array(1);
  const bytes = new Uint8Array(Uint32Array.of(4).buffer);
  checked(
    libc().getsockopt(descriptor, option.level, option.option, new Uint8Array(value.buffer), bytes),
    'getsockopt',
    option.name,
  );
  return value[0]!;
}

/** The address a socket is bound to. */
export function socketName(descriptor: number): SocketAddress | undefined {
  const address = new Uint8Array(SOCKET_ADDRESS_BYTES);
  const length = Uint32Array.of(address.length);
  checked(
    libc().getsockname(descriptor, address, new Uint8Array(length.buffer)),
    'getsockname',
    `descriptor ${descriptor}`,
  );
  return decodeSocketAddress(address.subarray(0, length[0]));
}

/** The address of the peer; undefined when the socket is not (or no longer) connected. */
export function peerName(descriptor: number): SocketAddress | undefined {
  const address = new Uint8Array(SOCKET_ADDRESS_BYTES);
  const length = Uint32Array.of(address.length);
  if (libc().getpeername(descriptor, address, new Uint8Array(length.buffer)) !== 0) return undefined;
  return decodeSocketAddress(address.subarray(0, length[0]));
}

/** Closes a descriptor; the descriptor is gone whatever the kernel says. */
export function closeDescriptor(descriptor: number): void {
  libc().close(descriptor);
}

function familyName(family: number): string {
  if (family === AF_INET) return 'IPv4';
  if (family === AF_INET6) return 'IPv6';
  return family === AF_UNIX ? 'Unix' : `family ${family}`;
}
