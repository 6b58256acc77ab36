/** A server for tests that says what it is told to: to each line that matches, an answer. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

export type Script = (line: string, socket: Socket) => string | undefined;

export class ScriptedServer implements AsyncDisposable {
  /** Every line that came. */
  readonly lines: string[] = [];
  readonly #server: Server;
  readonly #sockets: Set<Socket> = new Set();

  private constructor(server: Server) {
    this.#server = server;
  }

  /** The script answers each line; undefined says nothing. Every connection's `version` is answered as Larder's. */
  static start(script: Script, port = 0): Promise<ScriptedServer> {
    const server = createServer();
    const scripted = new ScriptedServer(server);
    server.on('connection', (socket) => {
      scripted.#sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => scripted.#sockets.delete(socket));
      let text = '';
      socket.setEncoding('latin1').on('data', (part: string) => {
        text += part;
        for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n')) {
          const line = text.slice(0, end);
          text = text.slice(end + 2);
          scripted.lines.push(line);
          const answer = line === 'version' ? 'VERSION 1.6.45-larder-0\r\n' : script(line, socket);
          if (answer !== undefined) socket.write(answer, 'latin1');
        }
      });
    });
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => resolve(scripted));
    });
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** A little memcached: get, set, delete and leases, enough for a router in front of it. */
export function tinyCache(): Script {
  const values = new Map<string, string>();
  let awaited: string | undefined;
  let tokens = 100;
  return (line) => {
    if (awaited !== undefined) {
      values.set(awaited, line);
      awaited = undefined;
      return 'STORED\r\n';
    }
    const [verb = '', ...words] = line.split(' ');
    const value = (key: string): string =>
      values.has(key) ? `VALUE ${key} 0 ${values.get(key)!.length}\r\n${values.get(key)}\r\n` : '';
    if (verb === 'get') return `${words.map(value).join('')}END\r\n`;
    if (verb === 'lease-get') {
      return `${words.map((key) => value(key) || `LVALUE ${key} ${++tokens} 0 0\r\n\r\n`).join('')}END\r\n`;
    }
    if (verb === 'set' || verb === 'lease-set') {
      awaited = words[0];
      return undefined;
    }
    if (verb === 'delete') return values.delete(words[0] ?? '') ? 'DELETED\r\n' : 'NOT_FOUND\r\n';
    return 'ERROR\r\n';
  };
}
