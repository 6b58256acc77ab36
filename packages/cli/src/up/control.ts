/**
 * How `larder up --kill` in one terminal reaches the `larder up` in another: a Unix socket (on Windows a pipe) in
 * the folder for temporary files, named by the user and the router's port. One line asks, one answers.
 */
import { readdirSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { HostError } from '@larder/host';

const PREFIX = `larder-up-${userInfo().username}-`;
const SUFFIX = '.sock';
const LINE_CHARACTERS_MAX = 1_000;
const ANSWER_MS = 30_000;

function socketPath(port: number): string {
  const name = `${PREFIX}${port}${SUFFIX}`;
  return process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : join(tmpdir(), name);
}

/** Answers lines until it is closed. */
export function listenForControl(port: number, answer: (line: string) => Promise<string>): Promise<Server> {
  const path = socketPath(port);
  // Nobody else has the port, so that a socket of that name is a leftover.
  if (process.platform !== 'win32') removeFile(path);
  const server = createServer((socket) => {
    let line = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      line += text;
      if (line.length > LINE_CHARACTERS_MAX) socket.destroy();
      if (!line.includes('\n')) return;
      answer(line.slice(0, line.indexOf('\n'))).then(
        (reply) => socket.end(`${reply}\n`),
        (error: Error) => socket.end(`error ${error.message}\n`),
      );
    });
    socket.on('error', () => socket.destroy());
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve(server));
  });
}

/** Asks the `larder up` whose router has that port, or the only one that there is; resolves with its answer. */
export async function askControl(port: number | undefined, line: string): Promise<string> {
  const ports = port === undefined ? runningPorts() : [port];
  for (const each of ports) {
    const answer = await exchange(socketPath(each), line);
    if (answer === undefined) continue;
    if (answer.startsWith('error ')) throw new HostError('ERROR', answer.slice('error '.length));
    return answer;
  }
  const where = port === undefined ? '' : ` with -p ${port}`;
  throw new HostError('ENOENT', `there is no running larder up${where}: start one in another terminal`);
}

/** Ports of what may run, the lowest first. */
function runningPorts(): number[] {
  if (process.platform === 'win32') return [11211];
  return readdirSync(tmpdir())
    .filter((name) => name.startsWith(PREFIX) && name.endsWith(SUFFIX))
    .map((name) => Number(name.slice(PREFIX.length, -SUFFIX.length)))
    .filter((port) => Number.isInteger(port))
    .sort((a, b) => a - b);
}

/** Undefined when nobody listens there. */
function exchange(path: string, line: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(path, () => socket.write(`${line}\n`));
    socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error('larder up does not answer')));
    socket.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    socket.on('end', () => resolve(text.trimEnd()));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(undefined);
      else reject(error);
    });
  });
}

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It is not there.
  }
}
