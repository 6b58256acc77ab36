/**
 * Watches the traffic of a server, memcached or Larder: connects, says `watch`, and hands on every line. Old
 * memcacheds do not know all categories; it asks for fewer until one is accepted.
 */
import { connect } from 'node:net';
import { type Address, formatAddress } from '../destination/address.ts';
import { RoutingError } from '../errors.ts';

/** From what tells most to what every server with `watch` knows. */
const REQUESTS: readonly string[] = [
  'watch fetchers mutations deletions connevents',
  'watch fetchers mutations connevents',
  'watch fetchers mutations',
];
const CONNECT_TIMEOUT_MS = 5000;

export interface WatchOptions {
  readonly address: Address;
  readonly onLine: (line: string) => void;
  /** Ends the watch. */
  readonly signal: AbortSignal;
}

/** Watches until the signal; rejects with a RoutingError if the server cannot be watched or goes away. */
export async function watchServer(options: WatchOptions): Promise<void> {
  const refusals: string[] = [];
  for (const request of REQUESTS) {
    const refusal = await watchWith(request, options);
    if (refusal === undefined) return;
    refusals.push(refusal);
  }
  const label = formatAddress(options.address);
  throw new RoutingError('PROTOCOL', `${label} does not let itself be watched: ${refusals.at(-1)}`);
}

/** Resolves with what the server answered instead of OK, or with undefined after the watch. */
function watchWith(request: string, options: WatchOptions): Promise<string | undefined> {
  const { address, onLine, signal } = options;
  const label = formatAddress(address);
  return new Promise((resolve, reject) => {
    const socket = connect(
      address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port },
    );
    let isWatching = false;
    let text = '';
    const stop = (): void => {
      socket.destroy();
      resolve(undefined);
    };
    const fail = (error: RoutingError): void => {
      signal.removeEventListener('abort', stop);
      socket.destroy();
      reject(error);
    };
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => {
      if (!isWatching) fail(new RoutingError('ETIMEDOUT', `${label} does not answer`));
    });
    socket.on('connect', () => socket.write(`${request}\r\n`));
    socket.on('error', (error) => {
      const { code } = RoutingError.from(error);
      fail(new RoutingError(code, `cannot watch ${label}: ${error.message}`, { cause: error }));
    });
    socket.on('close', () => {
      if (!signal.aborted) fail(new RoutingError('CLOSED', `${label} ended the watch`));
    });
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
        const line = text.slice(0, end).trimEnd();
        text = text.slice(end + 1);
        if (isWatching) {
          onLine(line);
          continue;
        }
        isWatching = line === 'OK';
        if (isWatching) continue;
        signal.removeEventListener('abort', stop);
        socket.removeAllListeners('close');
        socket.destroy();
        resolve(line);
        return;
      }
    });
  });
}
