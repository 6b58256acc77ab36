/** A client for tests: sends bytes, reads until a text appears. Nothing of the protocol is known here. */
import { connect, type NetConnectOpts, type Socket } from 'node:net';

const WAIT_MS = 10_000;

export class Talk {
  readonly socket: Socket;
  #received = '';
  #isClosed = false;
  #check: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.#received += text;
      this.#check();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#isClosed = true;
      this.#check();
    });
  }

  static open(options: NetConnectOpts): Promise<Talk> {
    return new Promise((resolve, reject) => {
      const socket = connect(options, () => {
        socket.off('error', reject);
        resolve(new Talk(socket));
      }).once('error', reject);
    });
  }

  /** Sends `request` and returns everything received up to and including `end`. */
  async ask(request: string, end: string): Promise<string> {
    this.socket.write(request, 'latin1');
    await this.#until(() => this.#received.includes(end), `${JSON.stringify(end)}`);
    const at = this.#received.indexOf(end) + end.length;
    const reply = this.#received.slice(0, at);
    this.#received = this.#received.slice(at);
    return reply;
  }

  /** The rows of `stats` or one of its arguments. */
  async stats(argument = ''): Promise<Map<string, string>> {
    const text = await this.ask(`stats${argument === '' ? '' : ` ${argument}`}\r\n`, 'END\r\n');
    return new Map([...text.matchAll(/^STAT (\S+) (.*)\r$/gm)].map((match) => [match[1]!, match[2]!]));
  }

  /** Everything received until the server closed. */
  async rest(): Promise<string> {
    await this.#until(() => this.#isClosed, 'the end');
    return this.#received;
  }

  close(): void {
    this.socket.destroy();
  }

  #until(isReached: () => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(
          new Error(`no ${what} within ${WAIT_MS} ms in ${JSON.stringify(this.#received.slice(0, 500))}`),
        );
      }, WAIT_MS);
      this.#check = () => {
        const reached = isReached();
        if (!reached && !this.#isClosed) return;
        clearTimeout(timer);
        this.#check = () => {};
        if (reached) resolve();
        else reject(new Error(`closed before ${what}: ${JSON.stringify(this.#received.slice(0, 500))}`));
      };
      this.#check();
    });
  }
}

/** Polls until `probe` returns a value; for what another thread does a moment later. */
export async function eventually<T>(probe: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + WAIT_MS;
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (performance.now() > deadline) throw new Error(`nothing within ${WAIT_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
