/**
 * Addresses of `-l`: `127.0.0.1`, `host:11212`, `[::1]:11211`, `::1`, several by commas, as memcached's. Host
 * names are kept and resolved when the listener is opened.
 */
import { isIP, isIPv6 } from 'node:net';
import { HostError } from '../errors.ts';
import { PORT_MAX } from '../limits.ts';

export interface HostPort {
  readonly host: string;
  /** undefined: the port of `-p`. */
  readonly port: number | undefined;
}

/** Other names of 0.0.0.0, and of loopback without asking a resolver. */
const KNOWN_HOSTS: Readonly<Record<string, string>> = {
  '*': '0.0.0.0',
  inaddr_any: '0.0.0.0',
  localhost: '127.0.0.1',
};
const HOST_NAME = /^[a-z0-9]([a-z0-9._-]{0,252}[a-z0-9])?$/i;

export function parseListen(option: string, text: string): HostPort[] {
  return text.split(',').map((part) => parseHostPort(option, part.trim()));
}

function parseHostPort(option: string, text: string): HostPort {
  const bracketed = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(text);
  const plain = /^([^:[\]]+)(?::(\d{1,5}))?$/.exec(text);
  const host = isIPv6(text) ? text : (bracketed?.[1] ?? plain?.[1] ?? '');
  const portText = isIPv6(text) ? undefined : (bracketed?.[2] ?? plain?.[2]);
  const known = KNOWN_HOSTS[host.toLowerCase()] ?? host;
  const port = portText === undefined ? undefined : Number(portText);
  const named = isIP(known) === 0 && HOST_NAME.test(known) && !/^[\d.]+$/.test(known);
  if ((isIP(known) === 0 && !named) || (port !== undefined && port > PORT_MAX)) {
    throw new HostError(
      'OPTION',
      `${option}: ${JSON.stringify(text)} is not an address such as 127.0.0.1, 0.0.0.0:11212 or [::1]:11211`,
      { option },
    );
  }
  return { host: known, port };
}

/** `host:port`, with brackets around IPv6. */
export function formatHostPort(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether only this machine can reach an address. */
export function isLoopback(host: string): boolean {
  return host === '::1' || host.startsWith('127.');
}
