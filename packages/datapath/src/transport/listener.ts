/**
 * Listening sockets and datagram sockets: bound once, by the main thread, and served by one or more
 * transports.
 */

import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { connect, createServer, isIP } from 'node:net';
import { DatapathError } from '../errors.ts';
import { LISTEN_BACKLOG } from '../limits.ts';
import {
  AF_INET6,
  AF_UNIX,
  encodeInternetAddress,
  encodeUnixAddress,
  familyOf,
} from '../sys/socket-address.ts';
import * as sockets from '../sys/sockets.ts';
import { type ConnectAddress, type ListenAddress, type ListeningSocket, TransportKind } from './transport.ts';

type TcpAddress = Extract<ListenAddress, { kind: 'tcp' }>;
type UnixAddress = Extract<ListenAddress, { kind: 'unix' }>;
type UdpAddress = Extract<ListenAddress, { kind: 'udp' }>;

export interface OpenOptions {
  /** Several sockets may be bound to the port; each gets a share (SO_REUSEPORT). */
  readonly reusePort?: boolean;
}

/**
 * Binds and listens. For the portable transport, which binds when it serves, this finds out that the address
 * can be had and, for port 0, which port it is. Host names are resolved.
 */
export async function openListener(
  kind: TransportKind,
  address: TcpAddress | UnixAddress,
  options: OpenOptions = {},
): Promise<ListeningSocket> {
  if (address.kind === 'unix') {
    await removeStaleSocket(address.path);
    return kind === TransportKind.node ? { address, port: 0, descriptor: -1 } : listenUnix(address);
  }
  const resolved = { ...address, host: await resolveHost(address.host) };
  return kind === TransportKind.node ? probePortable(resolved, options) : listenTcp(resolved, options);
}

/** Binds a UDP socket. */
export async function openDatagram(
  kind: TransportKind,
  address: UdpAddress,
  options: OpenOptions = {},
): Promise<ListeningSocket> {
  const resolved = { ...address, host: await resolveHost(address.host) };
  return kind === TransportKind.node ? probeDatagram(resolved, options) : bindDatagram(resolved, options);
}

/** Closes a socket of `openListener` or `openDatagram` that nobody serves any more. */
export function closeListener(socket: ListeningSocket): void {
  if (socket.descriptor < 0) return;
  sockets.closeDescriptor(socket.descriptor);
  if (socket.address.kind === 'unix') {
    try {
      unlinkSync(socket.address.path);
    } catch {
      // Somebody removed it before; it is gone either way.
    }
  }
}

/** The same address with its host name resolved, for `Transport.connect`. */
export async function resolveAddress(address: ConnectAddress): Promise<ConnectAddress> {
  return address.kind === 'unix' ? address : { ...address, host: await resolveHost(address.host) };
}

async function resolveHost(host: string): Promise<string> {
  if (isIP(host) !== 0) return host;
  try {
    return (await lookup(host)).address;
  } catch (error) {
    throw DatapathError.from(error, 'lookup');
  }
}

function listenTcp(address: TcpAddress, options: OpenOptions): ListeningSocket {
  const context = `${address.host}:${address.port}`;
  const family = familyOf(address.host);
  const descriptor = sockets.openSocket(family, sockets.SOCK_STREAM);
  try {
    sockets.setSocketOption(descriptor, sockets.SocketOptions.reuseAddress, 1);
    if (options.reusePort === true) sockets.setSocketOption(descriptor, sockets.SocketOptions.reusePort, 1);
    // Accepted sockets inherit these, which spares system calls for each.
    sockets.setSocketOption(descriptor, sockets.SocketOptions.noDelay, 1);
    sockets.setSocketOption(descriptor, sockets.SocketOptions.keepAlive, 1);
    if (family === AF_INET6) sockets.setSocketOption(descriptor, sockets.SocketOptions.versionSixOnly, 1);
    sockets.bindSocket(descriptor, encodeInternetAddress(address.host, address.port), context);
    sockets.listenSocket(descriptor, address.backlog ?? LISTEN_BACKLOG, context);
    return { address, port: boundPort(descriptor), descriptor };
  } catch (error) {
    sockets.closeDescriptor(descriptor);
    throw error;
  }
}

function listenUnix(address: UnixAddress): ListeningSocket {
  const encoded = encodeUnixAddress(address.path);
  const descriptor = sockets.openSocket(AF_UNIX, sockets.SOCK_STREAM);
  try {
    sockets.bindSocket(descriptor, encoded, address.path);
    if (address.mode !== undefined) chmodSync(address.path, address.mode);
    sockets.listenSocket(descriptor, address.backlog ?? LISTEN_BACKLOG, address.path);
    return { address, port: 0, descriptor };
  } catch (error) {
    sockets.closeDescriptor(descriptor);
    throw DatapathError.from(error, 'listen');
  }
}

function bindDatagram(address: UdpAddress, options: OpenOptions): ListeningSocket {
  const family = familyOf(address.host);
  const descriptor = sockets.openSocket(family, sockets.SOCK_DGRAM);
  try {
    if (options.reusePort === true) sockets.setSocketOption(descriptor, sockets.SocketOptions.reusePort, 1);
    if (family === AF_INET6) sockets.setSocketOption(descriptor, sockets.SocketOptions.versionSixOnly, 1);
    const encoded = encodeInternetAddress(address.host, address.port);
    sockets.bindSocket(descriptor, encoded, `udp ${address.host}:${address.port}`);
    return { address, port: boundPort(descriptor), descriptor };
  } catch (error) {
    sockets.closeDescriptor(descriptor);
    throw error;
  }
}

function boundPort(descriptor: number): number {
  const name = sockets.socketName(descriptor);
  return name === undefined || name.family === 'unix' ? 0 : name.port;
}

/**
 * Removes a Unix socket that nobody listens on any more: what a process leaves that was killed. A socket in
 * use is `EADDRINUSE`, and any other file there is not touched.
 */
async function removeStaleSocket(path: string): Promise<void> {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) return;
  if (!status.isSocket()) throw new DatapathError('EEXIST', 'listen', `${path} is not a socket`);
  const isServed = await new Promise<boolean>((resolve) => {
    const probe = connect(path, () => resolve(true)).on('error', () => resolve(false));
    probe.unref().on('connect', () => probe.destroy());
  });
  if (isServed) throw new DatapathError('EADDRINUSE', 'listen', path);
  unlinkSync(path);
}

function probePortable(address: TcpAddress, options: OpenOptions): Promise<ListeningSocket> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => reject(DatapathError.from(error, 'listen')));
    server.listen({ host: address.host, port: address.port }, () => {
      const bound = server.address();
      const port = bound !== null && typeof bound === 'object' ? bound.port : 0;
      server.close(() => resolve(portableSocket(address, port, options)));
    });
  });
}

function probeDatagram(address: UdpAddress, options: OpenOptions): Promise<ListeningSocket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIP(address.host) === 6 ? 'udp6' : 'udp4');
    socket.once('error', (error) => reject(DatapathError.from(error, 'bind')));
    socket.bind({ address: address.host, port: address.port }, () => {
      const { port } = socket.address();
      socket.close(() => resolve(portableSocket(address, port, options)));
    });
  });
}

function portableSocket(
  address: TcpAddress | UdpAddress,
  port: number,
  options: OpenOptions,
): ListeningSocket {
  return { address: { ...address, port }, port, descriptor: -1, reusePort: options.reusePort === true };
}
