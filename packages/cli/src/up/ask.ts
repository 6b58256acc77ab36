/** Asks a server or the router of `larder up` something over TCP. */
import { connect } from 'node:net';

const ASK_MS = 2_000;

/** Sends a request and resolves with everything up to and including `end`. */
export function ask(host: string, port: number, request: string, end: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(port, host, () => socket.write(request));
    const settle = (work: () => void): void => {
      clearTimeout(timer);
      socket.destroy();
      work();
    };
    const timer = setTimeout(() => settle(() => reject(new Error('no answer'))), ASK_MS);
    socket.setEncoding('latin1').on('data', (part: string) => {
      text += part;
      if (end.test(text)) settle(() => resolve(text));
    });
    socket.on('error', (error) => settle(() => reject(error)));
    socket.on('close', () => settle(() => reject(new Error('the connection was closed'))));
  });
}

/** `stats` of a server, as numbers; undefined when it does not answer. */
export async function readStatistics(
  host: string,
  port: number,
): Promise<ReadonlyMap<string, number> | undefined> {
  try {
    const text = await ask(host, port, 'stats\r\n', /(^|\n)END\r\n$/);
    const rows = [...text.matchAll(/^STAT (\S+) (\S+)/gm)];
    return new Map(rows.map(([, name = '', value]) => [name, Number(value)]));
  } catch {
    return undefined;
  }
}
