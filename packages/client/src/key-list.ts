/**
 * The keys that servers hold, by `lru_crawler metadump all`, which memcached and Larder both answer:
 *
 * ```
 *   request   lru_crawler metadump all\r\n
 *   reply     key=<URL-encoded key> exp=… la=… cas=… fetch=… cls=… size=…\n  …  END\r\n
 * ```
 *
 * It walks everything a server has: for tools and tests. A connection of its own for each server.
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Destination } from '@larder/routing';
import { CacheError, CacheErrorCode } from './errors.ts';

const COMMAND = 'lru_crawler metadump all\r\n';
const BUSY_RETRY_MS = 50;
const BUSY_RETRIES_MAX = 100;

function open(destination: Destination): Socket {
  const { address, options } = destination;
  if (address.kind === 'unix') return connectTcp({ path: address.path });
  const { host, port } = address;
  if (options.tls === undefined) return connectTcp({ host, port });
  const { serverName, ...tls } = options.tls;
  return connectTls({ host, port, servername: serverName ?? address.serverName, ...tls });
}

/** The lines of a server's dump, without their ends. */
async function* linesOf(destination: Destination): AsyncGenerator<string, void> {
  const socket = open(destination);
  const { credentials } = destination.options;
  try {
    if (credentials !== undefined) {
      const secret = `${credentials.user} ${credentials.password}`;
      socket.write(`set auth 0 0 ${Buffer.byteLength(secret)}\r\n${secret}\r\n`);
    }
    socket.write(COMMAND);
    let rest = '';
    for await (const chunk of socket) {
      const lines = (rest + (chunk as Buffer).toString('latin1')).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const text = line.trimEnd();
        if (text === 'END') return;
        if (text !== 'STORED') yield text;
      }
    }
    throw new CacheError(CacheErrorCode.connection, 'the connection ended within the list of keys');
  } finally {
    socket.destroy();
  }
}

/** A router has no keys, and knows no command that asks its servers for theirs. */
function refusal(server: string, line: string): CacheError {
  const message =
    `${server} does not list its keys: ${line}. A router does not; nothing can list keys through one. ` +
    "Make a cache for this purpose whose `servers` or `config` name the cache servers themselves, with the router's " +
    'own configuration for instance';
  return new CacheError(CacheErrorCode.unsupported, message, { server });
}

async function* keysOf(destination: Destination, prefix: string): AsyncGenerator<string, void> {
  for (let attempt = 0; ; attempt++) {
    let isBusy = false;
    for await (const line of linesOf(destination)) {
      if (line.startsWith('BUSY') && attempt < BUSY_RETRIES_MAX) {
        isBusy = true;
        break;
      }
      const match = /^key=(\S+) /.exec(line);
      if (match === null) {
        throw refusal(destination.label, line);
      }
      const key = decodeURIComponent(match[1]!);
      if (key.startsWith(prefix)) yield key;
    }
    if (!isBusy) return;
    await new Promise((resolve) => setTimeout(resolve, BUSY_RETRY_MS));
  }
}

/** The keys that begin with `prefix`, server by server; a key on several servers appears once. */
export async function* listKeys(
  destinations: Iterable<Destination>,
  prefix: string,
): AsyncGenerator<string, void> {
  const seen = new Set<string>();
  for (const destination of destinations) {
    for await (const key of keysOf(destination, prefix)) {
      if (seen.has(key)) continue;
      seen.add(key);
      yield key;
    }
  }
}
