/**
 * Where a server is.
 *
 * ```
 *   host:port                       10.0.0.1:11211   cache-1.example:11211   localhost (port 11211)
 *   [IPv6]:port                     [::1]:11211; mcrouter puts names and IPv4 into brackets, too
 *   host:port:ascii[:plain|:ssl]    mcrouter's long form; the only protocol is ascii
 *   unix:/path/of/socket
 * ```
 */
import { isIP } from 'node:net';
import { RoutingError } from '../errors.ts';
import { PORT_DEFAULT } from '../limits.ts';

export type Address =
  | {
      readonly kind: 'tcp';
      /** A literal address or a name. */
      readonly host: string;
      readonly port: number;
      /** The name that `host` was resolved from, for certificates and for people; '' when there was none. */
      readonly serverName: string;
    }
  | { readonly kind: 'unix'; readonly path: string };

export interface ParsedAddress {
  readonly address: Address;
  /** From mcrouter's long form; undefined when the address does not say. */
  readonly isTls: boolean | undefined;
}

/** Reads an address; throws a RoutingError ADDRESS that says what was expected. */
export function parseAddress(text: string): ParsedAddress {
  if (text.startsWith('unix:')) {
    const path = text.slice(5);
    if (path === '') throw wrong(text, 'no path behind unix:');
    if (path.includes('\0')) throw wrong(text, 'a path has no NUL');
    return { address: { kind: 'unix', path }, isTls: undefined };
  }
  const match =
    /^(?:\[([^[\]\s\p{Cc}]+)\]|([^:[\]\s\p{Cc}]+))(?::(\d{1,5}))?(?::([a-z]+))?(?::([a-z0-9_]+))?$/u.exec(
      text,
    );
  if (match === null) throw wrong(text, 'expected host:port, [IPv6]:port or unix:/path');
  const [, bracketed, bare, portText, protocol, security] = match;
  const host = bracketed ?? bare ?? '';
  if (host.includes(':') && isIP(host.replace(/%.*$/, '')) !== 6) {
    throw wrong(text, 'what stands in brackets is not an IPv6 address');
  }
  const port = portText === undefined ? PORT_DEFAULT : Number(portText);
  if (port < 1 || port > 0xffff) throw wrong(text, `port ${portText} is not between 1 and 65535`);
  if (protocol !== undefined && protocol !== 'ascii') {
    throw wrong(text, `protocol ${protocol} is not supported, only ascii is`);
  }
  if (security !== undefined && security !== 'plain' && security !== 'ssl' && security !== 'tls') {
    throw wrong(text, `security ${security} is not supported, only plain, ssl and tls are`);
  }
  return {
    address: { kind: 'tcp', host, port, serverName: '' },
    isTls: security === undefined ? undefined : security !== 'plain',
  };
}

/** The address as it is written. */
export function formatAddress(address: Address): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** Whether the host is a name that has to be resolved. */
export function needsResolving(address: Address): boolean {
  return address.kind === 'tcp' && isIP(address.host.replace(/%.*$/, '')) === 0;
}

function wrong(text: string, reason: string): RoutingError {
  return new RoutingError('ADDRESS', `"${text}" is not a server's address: ${reason}`);
}
