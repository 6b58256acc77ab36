/**
 * Watches the traffic of a server, memcached or Larder: connects, says `watch`, and hands on every line. Old
 * memcacheds do not know all categories; it asks for fewer until one is accepted. A watch that a server ends, which
 * memcached does now and then, is begun again.
 */
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type Address, formatAddress } from '../destination/address.ts';
import { RoutingError } from '../errors.ts';

/** From what tells most to what every server with `watch` knows. */
const REQUESTS: readonly string[] = [
  'watch fetchers mutations deletions connevents',
  'watch fetchers mutations connevents',
  'watch fetchers mutations',
];
const CONNECT_TIMEOUT_MS = 5000;
/** How often in a row an ended watch is begun again, and after which pause. */
const AGAIN_MAX = 5;
const AGAIN_MS = 50;

export interface WatchOptions {
  readonly address: Address;
  readonly onLine: (line: string) => void;
  /** Ends the watch. */
  readonly signal: AbortSignal;
}

/** Watches until the signal; rejects with a RoutingError if the server cannot be watched or goes away. */
export async function watchServer(options: WatchOptions): Promise<void> {
  /** How often it was ended since the last line came. */
  let ends = 0;
  while (!options.signal.aborted) {
    const onLine = (line: string): void => {
      ends = 0;
      options.onLine(line);
    };
    try {
      return await watchOnce({ ...options, onLine });
    } catch (error) {
      if (!(error instanceof RoutingError)) throw error;
      // Of a server that has gone it is told that it has, and not that it refuses connections now.
      if (ends > 0 && error.code !== 'CLOSED') throw gone(options.address, error);
      if (error.code !== 'CLOSED' || ends === AGAIN_MAX) throw error;
      ends++;
    }
    await delay(AGAIN_MS, undefined, { signal: options.signal }).catch(() => undefined);
  }
}

function gone(address: Address, cause?: Error): RoutingError {
  return new RoutingError('CLOSED', `${formatAddress(address)} ended the watch`, { cause });
}

function watchOnce({ address, onLine, signal }: WatchOptions): Promise<void> {
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
      fail(refusal === '' ? gone(address) : refused());
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
