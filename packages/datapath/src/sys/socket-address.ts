/**
 * Socket addresses as the kernel wants them.
 *
 * ```
 *   sockaddr_in    [u16 family 2 ][u16 port, big-endian][4 address bytes][8 zero]             16 bytes
 *   sockaddr_in6   [u16 family 10][u16 port, big-endian][u32 flow][16 address bytes][u32 scope]   28 bytes
 *   sockaddr_un    [u16 family 1 ][path][0]                                               up to 110 bytes
 * ```
 */
import { isIPv4, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { DatapathError } from '../errors.ts';

export const AF_UNIX: number = 1;
export const AF_INET: number = 2;
export const AF_INET6: number = 10;

/** Room for any address. */
export const SOCKET_ADDRESS_BYTES: number = 128;
const IPV4_BYTES = 16;
const IPV6_BYTES = 28;
const UNIX_PATH_BYTES_MAX = 107;

export type SocketAddress =
  | { readonly family: 'ipv4' | 'ipv6'; readonly host: string; readonly port: number }
  | { readonly family: 'unix'; readonly path: string };

/** The address family number of a literal address. */
export function familyOf(host: string): number {
  if (isIPv4(host)) return AF_INET;
  if (isIPv6(host)) return AF_INET6;
  throw new DatapathError('ARGUMENT', 'address', `${JSON.stringify(host)} is not an IPv4 or IPv6 address`);
}

/** Encodes a literal IPv4 or IPv6 address (with `%interface` where it needs one). */
export function encodeInternetAddress(host: string, port: number): Uint8Array {
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new DatapathError('ARGUMENT', 'address', `${port} is not a port`);
  }
  const isVersion4 = familyOf(host) === AF_INET;
  const bytes = new Uint8Array(isVersion4 ? IPV4_BYTES : IPV6_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, isVersion4 ? AF_INET : AF_INET6, true);
  view.setUint16(2, port, false);
  if (isVersion4) {
    bytes.set(parseIpv4(host), 4);
  } else {
    const [address = '', zone] = host.split('%');
    bytes.set(parseIpv6(address), 8);
    if (zone !== undefined) view.setUint32(24, scopeOf(zone), true);
  }
  return bytes;
}

export function encodeUnixAddress(path: string): Uint8Array {
  const encoded = Buffer.from(path);
  if (encoded.length === 0 || encoded.length > UNIX_PATH_BYTES_MAX || encoded.includes(0)) {
    throw new DatapathError(
      'ARGUMENT',
      'address',
      `a Unix socket's path has 1 to ${UNIX_PATH_BYTES_MAX} bytes: ${JSON.stringify(path)}`,
    );
  }
  const bytes = new Uint8Array(2 + encoded.length + 1);
  bytes[0] = AF_UNIX;
  bytes.set(encoded, 2);
  return bytes;
}

/** Decodes what the kernel wrote; undefined for another family. */
export function decodeSocketAddress(bytes: Uint8Array): SocketAddress | undefined {
  if (bytes.length < 2) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const family = view.getUint16(0, true);
  if (family === AF_INET && bytes.length >= 8) {
    return { family: 'ipv4', host: bytes.subarray(4, 8).join('.'), port: view.getUint16(2, false) };
  }
  if (family === AF_INET6 && bytes.length >= 24) {
    return { family: 'ipv6', host: formatIpv6(bytes.subarray(8, 24)), port: view.getUint16(2, false) };
  }
  if (family === AF_UNIX) {
    const end = bytes.indexOf(0, 2);
    return { family: 'unix', path: Buffer.from(bytes.subarray(2, end < 0 ? undefined : end)).toString() };
  }
  return undefined;
}

/** `127.0.0.1:11211`, `[::1]:11211` or `unix:/run/larder.sock`; empty for nothing. */
export function formatSocketAddress(address: SocketAddress | undefined): string {
  if (address === undefined) return '';
  if (address.family === 'unix') return `unix:${address.path}`;
  return address.family === 'ipv6' ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

function parseIpv4(host: string): number[] {
  return host.split('.').map(Number);
}

/** Sixteen bytes of an address that `isIPv6` accepted, without its zone. */
function parseIpv6(host: string): Uint8Array {
  const bytes = new Uint8Array(16);
  const [head = '', tail] = host.split('::');
  const front = groupBytes(head);
  bytes.set(front, 0);
  if (tail !== undefined) {
    const back = groupBytes(tail);
    bytes.set(back, 16 - back.length);
  }
  return bytes;
}

function groupBytes(groups: string): number[] {
  if (groups === '') return [];
  return groups.split(':').flatMap((group) => {
    if (group.includes('.')) return parseIpv4(group);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 255];
  });
}

/** The canonical text (RFC 5952): the longest run of zero groups is left out. */
function formatIpv6(bytes: Uint8Array): string {
  const groups: string[] = [];
  for (let index = 0; index < 16; index += 2) {
    groups.push(((bytes[index]! << 8) | bytes[index + 1]!).toString(16));
  }
  let best = -1;
  let bestLength = 1;
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (end < 8 && groups[end] === '0') end++;
    if (end - start > bestLength) {
      best = start;
      bestLength = end - start;
    }
  }
  if (best < 0) return groups.join(':');
  return `${groups.slice(0, best).join(':')}::${groups.slice(best + bestLength).join(':')}`;
}

function scopeOf(zone: string): number {
  if (/^\d+$/.test(zone)) return Number(zone);
  for (const address of networkInterfaces()[zone] ?? []) {
    if (address.family === 'IPv6') return address.scopeid;
  }
  throw new DatapathError('ARGUMENT', 'address', `no interface ${zone}`);
}
