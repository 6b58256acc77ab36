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
export function watchServer({ address, onLine, signal }: WatchOptions): Promise<void> {
  const label = formatAddress(address);
  return new Promise((resolve, reject) => {
    if (signal.aborted) return resolve();
    const socket = connect(
      address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port },
    );
    const requests = [...REQUESTS];
    let isWatching = false;
    let text = '';
    let refusal = '';
    const stop = (): void => {
      socket.destroy();
      resolve();
    };
    const fail = (error: RoutingError): void => {
      signal.removeEventListener('abort', stop);
      socket.destroy();
      reject(error);
    };
    // On the same connection, because a refusal ends nothing.
    const ask = (): void => {
      const request = requests.shift();
      if (request !== undefined) socket.write(`${request}\r\n`);
      else fail(refused());
    };
    const refused = (): RoutingError =>
      new RoutingError('PROTOCOL', `${label} does not let itself be watched: ${refusal}`);
    signal.addEventListener('abort', stop, { once: true });
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => {
      if (!isWatching) fail(new RoutingError('ETIMEDOUT', `${label} does not answer`));
    });
    socket.on('connect', ask);
    socket.on('error', (error) => {
      const { code } = RoutingError.from(error);
      fail(new RoutingError(code, `cannot watch ${label}: ${error.message}`, { cause: error }));
    });
    socket.on('close', () => {
      if (signal.aborted) return;
      fail(refusal === '' ? new RoutingError('CLOSED', `${label} ended the watch`) : refused());
    });
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
        const line = text.slice(0, end).trimEnd();
        text = text.slice(end + 1);
        if (isWatching) onLine(line);
        else if (line === 'OK') {
          isWatching = true;
          refusal = '';
        } else {
          refusal = line;
          ask();
        }
      }
    });
  });
}
