/**
 * Amazon ElastiCache's auto-discovery, which Google Memorystore speaks as well: a configuration endpoint lists the
 * nodes of the cluster.
 *
 * ```
 *   request   config get cluster\r\n
 *   reply     CONFIG cluster 0 <bytes>\r\n
 *             <version>\n<host>|<ip>|<port> <host>|<ip>|<port> …\n\r\n
 *             END\r\n
 * ```
 *
 * Engines before 1.4.14 answer ERROR; there the same text is the value of the key `AmazonElastiCache:cluster`.
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { parseAddress } from '@larder/routing';
import { type Duration, durationMs } from '../duration.ts';
import { CacheError, CacheErrorCode } from '../errors.ts';
import type { Discovery } from './discovery.ts';

export interface ElastiCacheOptions {
  /** The configuration endpoint, `host:port`. */
  readonly endpoint: string;
  /** How long until the next look. 60 s by default. */
  readonly interval?: Duration;
  /** 5 s by default. */
  readonly timeout?: Duration;
  /** In-transit encryption. */
  readonly tls?: boolean;
}

const INTERVAL_MS_DEFAULT = 60_000;
const TIMEOUT_MS_DEFAULT = 5000;
const REPLY_BYTES_MAX = 1024 * 1024;
const NODES_MAX = 10_000;
const LEGACY_KEY = 'AmazonElastiCache:cluster';

/** A node list as `host:port`; by the literal address where there is one, except with TLS, which wants the name. */
export function parseClusterText(text: string, isTls: boolean): readonly string[] {
  const lines = text.split(/\r?\n/);
  if (!/^\d+$/.test(lines[0]?.trim() ?? '')) throw wrong(`no version number in "${text.slice(0, 80)}"`);
  const nodes = (lines[1] ?? '').trim().split(/\s+/);
  if (nodes.length > NODES_MAX) throw wrong(`${nodes.length} nodes`);
  return nodes.map((node) => {
    const [host, ip, port, ...rest] = node.split('|');
    const address = isTls || ip === undefined || ip === '' ? host : ip;
    const isSound =
      rest.length === 0 && address !== undefined && address !== '' && /^\d{1,5}$/.test(port ?? '');
    if (!isSound) throw wrong(`"${node}" is not host|ip|port`);
    return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  });
}

function wrong(what: string): CacheError {
  return new CacheError(
    CacheErrorCode.discovery,
    `the configuration endpoint's list of nodes makes no sense: ${what}`,
  );
}

/** The block of a reply, `undefined` while some of it is missing, `null` for ERROR. */
function blockOf(reply: string): string | null | undefined {
  if (/^ERROR\r\n/.test(reply)) return null;
  const head = /^(?:CONFIG|VALUE) \S+ \d+ (\d+)\r\n/.exec(reply);
  if (head === null) {
    if (!reply.includes('\r\n')) return undefined;
    throw wrong(`it answered "${reply.slice(0, 80).trim()}"`);
  }
  const start = head[0].length;
  const bytes = Number(head[1]);
  return reply.length < start + bytes + 2 ? undefined : reply.slice(start, start + bytes);
}

function ask(socket: Socket, command: string): Promise<string | null> {
  return new Promise((resolve, reject) => {
    let reply = '';
    const finish = (settle: () => void): void => {
      socket.off('data', onData).off('error', onError).off('close', onClose);
      settle();
    };
    const onData = (chunk: Buffer): void => {
      reply += chunk.toString('latin1');
      try {
        if (reply.length > REPLY_BYTES_MAX) throw wrong('it is longer than 1 MiB');
        const block = blockOf(reply);
        if (block !== undefined) finish(() => resolve(block));
      } catch (thrown) {
        finish(() => reject(thrown));
      }
    };
    const onError = (error: Error): void => finish(() => reject(error));
    const onClose = (): void => finish(() => reject(wrong('it closed the connection')));
    socket.on('data', onData).on('error', onError).on('close', onClose);
    socket.write(`${command}\r\n`);
  });
}

/** Finds the nodes of a cluster through its configuration endpoint. */
export function elastiCache(options: ElastiCacheOptions): Discovery {
  const { address } = parseAddress(options.endpoint);
  if (address.kind !== 'tcp') {
    throw new CacheError(CacheErrorCode.invalidConfig, 'a configuration endpoint is host:port');
  }
  const { host, port } = address;
  const isTls = options.tls ?? false;
  const timeoutMs = options.timeout === undefined ? TIMEOUT_MS_DEFAULT : durationMs(options.timeout);
  return {
    name: `ElastiCache ${options.endpoint}`,
    intervalMs: options.interval === undefined ? INTERVAL_MS_DEFAULT : durationMs(options.interval),
    async find(signal: AbortSignal): Promise<readonly string[]> {
      const socket = isTls ? connectTls({ host, port, servername: host }) : connectTcp({ host, port });
      const both = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      const stop = (): void => void socket.destroy(new Error(`no answer within ${timeoutMs} ms`));
      both.addEventListener('abort', stop, { once: true });
      try {
        const text = (await ask(socket, 'config get cluster')) ?? (await ask(socket, `get ${LEGACY_KEY}`));
        if (text === null) throw wrong('it knows neither config nor the key of old engines');
        return parseClusterText(text, isTls);
      } finally {
        both.removeEventListener('abort', stop);
        // Whatever the connection still has to say is of no interest.
        socket.on('error', () => {});
        socket.destroy();
      }
    },
  };
}
