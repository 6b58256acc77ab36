/**
 * A small client for the few commands that the harness itself sends: statistics and settings.
 */
import { connect, type Socket } from 'node:net';
import { BenchError } from '../errors.ts';

export interface TextAddress {
  readonly host?: string;
  readonly port?: number;
  readonly path?: string;
}

/** Sends one command on a connection of its own; resolves with everything up to and including a line of `ends`. */
export async function askServer(
  address: TextAddress,
  command: string,
  ends: readonly string[],
  timeoutMs: number,
): Promise<string> {
  const socket = connect(address as { host: string; port: number });
  try {
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new BenchError('SERVER', `no answer to "${command}" in ${timeoutMs} ms`)),
        timeoutMs,
      );
      collect(socket, ends, resolve, reject, timer);
      socket.write(`${command}\r\n`);
    });
  } finally {
    socket.destroy();
  }
}

function collect(
  socket: Socket,
  ends: readonly string[],
  resolve: (text: string) => void,
  reject: (error: Error) => void,
  timer: NodeJS.Timeout,
): void {
  let text = '';
  const settle = (): void => clearTimeout(timer);
  socket.on('data', (data) => {
    text += data.toString('latin1');
    if (!ends.some((line) => text === `${line}\r\n` || text.endsWith(`\r\n${line}\r\n`))) return;
    settle();
    resolve(text);
  });
  socket.on('error', (error) => {
    settle();
    reject(error);
  });
  socket.on('close', () => {
    settle();
    reject(new BenchError('SERVER', 'the server closed the connection'));
  });
}

/** `stats` or one of its arguments, as a map. */
export async function readStats(
  address: TextAddress,
  argument = '',
  timeoutMs = 2000,
): Promise<Map<string, string>> {
  const command = argument === '' ? 'stats' : `stats ${argument}`;
  const text = await askServer(address, command, ['END', 'ERROR', 'RESET'], timeoutMs);
  const stats = new Map<string, string>();
  for (const line of text.split('\r\n')) {
    const match = /^STAT (\S+) (.*)$/.exec(line);
    if (match !== null) stats.set(match[1]!, match[2]!);
  }
  return stats;
}
