/** Talks to a router over one connection: exact bytes, until it is asked to end. */
import { connect } from 'node:net';

const WAIT_MS = 10_000;

/** Everything that is answered to `request`; the client's side ends with it. */
export function talk(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let reply = '';
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () =>
      socket.end(request, 'latin1'),
    );
    const timer = setTimeout(() => socket.destroy(new Error(`no end of the reply: ${reply}`)), WAIT_MS);
    socket.setEncoding('latin1').on('data', (part: string) => {
      reply += part;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // An end that came before everything was read.
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
    });
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(reply);
    });
  });
}
