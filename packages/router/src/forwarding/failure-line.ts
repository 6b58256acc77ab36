/** What a client is told when a request failed: one line that names the server and what happened. */
import { type Destination, RESULT_NAMES, Result } from '@larder/routing';

/** `SERVER_ERROR …`, without its end. */
export function failureLine(
  result: Result,
  destination: Destination | undefined,
  message: string = '',
): string {
  const what = message === '' ? describe(result, destination) : message;
  const code = result === Result.clientError ? 'CLIENT_ERROR' : 'SERVER_ERROR';
  // What a server answered itself is passed on as it is.
  if (what === 'unknown command') return 'ERROR';
  if (result === Result.clientError || result === Result.serverError) return oneLine(`${code} ${what}`);
  const where = destination === undefined || what.includes(destination.label) ? '' : `${destination.label}: `;
  return oneLine(`${code} ${where}${what}`);
}

/** Whether a failure may be told as a miss: the server did not answer, as opposed to refusing the request. */
export function isFailedRetrievalMissed(result: Result): boolean {
  return result >= Result.serverError;
}

function describe(result: Result, destination: Destination | undefined): string {
  const reason = destination?.lastError === undefined ? '' : ` (${destination.lastError.message})`;
  switch (result) {
    case Result.timeout:
      return `no reply within ${destination?.options.timeoutMs ?? 0} ms`;
    case Result.connectTimeout:
      return `no connection within ${destination?.options.connectTimeoutMs ?? 0} ms`;
    case Result.connectError:
      return `cannot connect${reason}`;
    case Result.tko:
      return `the server is down and probed from time to time${reason}`;
    case Result.busy:
      return 'too many requests are waiting for this server';
    case Result.aborted:
      return `the connection ended before the reply${reason}`;
    case Result.shutdown:
      return 'the router is shutting down';
    default:
      return RESULT_NAMES[result] ?? `error ${result}`;
  }
}

function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ').slice(0, 1024);
}
