/** A connection that speaks the classic text protocol, one request after the other. */
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export class RawTalk {
  readonly #socket: Socket;
  #received = '';
  #wake: () => void = () => {};

  static async connect(port: number): Promise<RawTalk> {
    const socket = connect({ host: '127.0.0.1', port });
    await once(socket, 'connect');
    return new RawTalk(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.#received += text;
      this.#wake();
    });
  }

  /** Sends a request whose answer must be `expected`. */
  async ask(request: string, expected: string): Promise<void> {
    this.#socket.write(request, 'latin1');
    await this.#until(() => this.#received.length >= expected.length);
    assert.equal(this.#received, expected);
    this.#received = '';
  }

  /** The value of a key, or undefined. */
  async value(key: string): Promise<string | undefined> {
    this.#socket.write(`get ${key}\r\n`);
    await this.#until(() => this.#received.endsWith('END\r\n'));
    const text = this.#received;
    this.#received = '';
    if (text === 'END\r\n') return undefined;
    return text.slice(text.indexOf('\r\n') + 2, -'\r\nEND\r\n'.length);
  }

  close(): void {
    this.#socket.destroy();
  }

  async #until(isDone: () => boolean): Promise<void> {
    while (!isDone()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
