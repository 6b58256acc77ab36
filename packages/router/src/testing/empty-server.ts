/** A memcached for tests in which nothing ever is: every well-formed request gets its reply, sets are thrown away. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

const WORDS: Readonly<Record<string, string>> = {
  get: 'END',
  gets: 'END',
  gat: 'END',
  gats: 'END',
  delete: 'NOT_FOUND',
  incr: 'NOT_FOUND',
  decr: 'NOT_FOUND',
  touch: 'NOT_FOUND',
  mg: 'EN',
  md: 'NF',
  ma: 'NF',
  me: 'EN',
  mn: 'MN',
  version: 'VERSION 1.6.45-larder-0',
  flush_all: 'OK',
};
/** Where the length of the block stands. */
const LENGTHS: Readonly<Record<string, number>> = {
  set: 4,
  add: 4,
  replace: 4,
  append: 4,
  prepend: 4,
  cas: 4,
  ms: 2,
  'lease-set': 5,
};

export class EmptyServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets: Set<Socket> = new Set();

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => this.#serve(socket));
  }

  static start(): Promise<EmptyServer> {
    const server = createServer();
    const empty = new EmptyServer(server);
    return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(empty)));
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    let text = '';
    let block = 0;
    socket.setEncoding('latin1').on('data', (part: string) => {
      text += part;
      for (;;) {
        if (block > 0) {
          if (text.length < block) return;
          text = text.slice(block);
          block = 0;
        }
        const end = text.indexOf('\n');
        if (end < 0) return;
        const [verb = '', ...words] = text.slice(0, end).trim().split(/ +/);
        text = text.slice(end + 1);
        const place = LENGTHS[verb];
        if (place !== undefined) {
          block = Number(words[place - 1]) + 2;
          socket.write(verb === 'ms' ? 'HD\r\n' : 'STORED\r\n');
        } else if (verb === 'lease-get') {
          socket.write(`${words.map((key) => `LVALUE ${key} 7 0 0\r\n\r\n`).join('')}END\r\n`, 'latin1');
        } else socket.write(`${WORDS[verb] ?? 'ERROR'}\r\n`);
      }
    });
    socket.on('error', () => socket.destroy()).on('close', () => this.#sockets.delete(socket));
  }
}
