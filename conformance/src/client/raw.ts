/**
 * A raw socket client for exact byte expectations.
 *
 * Text is latin1, so that a string holds exactly the bytes that travel. Every wait has a time limit, and its
 * error shows what had arrived. `exchange` puts a sentinel (`mn`, answered by `MN`) behind the request, so
 * that it sees everything the server sends for the request: also a line too many, and also nothing at all.
 * A request whose own replies end with MN must be read by line instead.
 */
import { strict as assert } from 'node:assert';
import net from 'node:net';
import tls from 'node:tls';

/** Where a server listens: a TCP port or a Unix socket. */
export type ServerAddress = { readonly host: string; readonly port: number } | { readonly path: string };

export interface RawClientOptions {
  /** Limit of every single wait. */
  readonly timeoutMs?: number;
  /** Connect through TLS with this certificate authority. */
  readonly certificateAuthority?: string;
}

const WAIT_MS = 8_000;
const SHOWN_BYTES_MAX = 300;
const SENTINEL_REQUEST = 'mn\r\n';
const SENTINEL_REPLY = 'MN\r\n';

/** Shortens long texts for error messages and makes control characters visible. */
function visible(text: string): string {
  const cut =
    text.length > SHOWN_BYTES_MAX ? `${text.slice(0, SHOWN_BYTES_MAX)}… (${text.length} bytes)` : text;
  return JSON.stringify(cut);
}

export class RawClient implements AsyncDisposable {
  readonly #socket: net.Socket;
  readonly #timeoutMs: number;
  #chunks: Buffer[] = [];
  #joined = '';
  #ended = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  private constructor(socket: net.Socket, timeoutMs: number) {
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#wake?.();
    });
    socket.on('close', () => {
      this.#ended = true;
      this.#wake?.();
    });
    socket.on('end', () => {
      this.#ended = true;
      this.#wake?.();
    });
    socket.on('error', (error) => {
      this.#failure = error;
      this.#wake?.();
    });
  }

  static async connect(address: ServerAddress, options: RawClientOptions = {}): Promise<RawClient> {
    const timeoutMs = options.timeoutMs ?? WAIT_MS;
    const secure = options.certificateAuthority !== undefined;
    const socket = secure
      ? tls.connect({ ...address, ca: options.certificateAuthority, servername: 'localhost' })
      : net.connect(address);
    const client = new RawClient(socket, timeoutMs);
    const ready = secure ? 'secureConnect' : 'connect';
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        socket.destroy();
        reject(new Error(`no connection to ${JSON.stringify(address)} within ${timeoutMs} ms`));
      }, timeoutMs);
      socket.once(ready, () => {
        clearTimeout(timer);
        resolve();
      });
      socket.once('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
    });
    if (!secure) socket.setNoDelay(true);
    return client;
  }

  /** The socket, for tests that must stop reading or measure what was sent. */
  get socket(): net.Socket {
    return this.#socket;
  }

  /** True when the server has closed the connection and everything it sent was taken. */
  get closed(): boolean {
    return this.#ended;
  }

  write(data: string | Uint8Array): void {
    this.#socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
  }

  /** Writes and resolves when the bytes have been handed to the kernel (rejects when the peer closed). */
  writeAll(data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  }

  #take(): string {
    if (this.#chunks.length > 0) {
      this.#joined += Buffer.concat(this.#chunks).toString('latin1');
      this.#chunks = [];
    }
    return this.#joined;
  }

  /** Waits until `ready` finds enough in what has arrived; it returns the number of bytes to take, or -1. */
  async #until(what: string, ready: (received: string) => number): Promise<string> {
    const deadline = Date.now() + this.#timeoutMs;
    for (;;) {
      const received = this.#take();
      const length = ready(received);
      if (length >= 0) {
        this.#joined = received.slice(length);
        return received.slice(0, length);
      }
      if (this.#ended || this.#failure) {
        const cause = this.#failure ? ` (${this.#failure.message})` : '';
        throw new Error(`connection closed${cause} while waiting for ${what}; received ${visible(received)}`);
      }
      const leftMs = deadline - Date.now();
      if (leftMs <= 0) {
        throw new Error(`no ${what} within ${this.#timeoutMs} ms; received ${visible(received)}`);
      }
      await this.#event(leftMs);
    }
  }

  #event(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#wake = undefined;
        resolve();
      }, waitMs);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
    });
  }

  /** What has arrived and was not taken yet. */
  received(): string {
    return this.#take();
  }

  /** The next line, without its CRLF. */
  async readLine(): Promise<string> {
    const line = await this.#until('line', (received) => {
      const index = received.indexOf('\r\n');
      return index < 0 ? -1 : index + 2;
    });
    return line.slice(0, -2);
  }

  /** Everything up to and including `text`. */
  readThrough(text: string): Promise<string> {
    return this.#until(visible(text), (received) => {
      const index = received.indexOf(text);
      return index < 0 ? -1 : index + text.length;
    });
  }

  /** Exactly `count` bytes, as they arrive, without joining them into one string first. */
  async readBytes(count: number): Promise<Buffer> {
    const parts: Buffer[] = [Buffer.from(this.#joined, 'latin1')];
    let bytes = this.#joined.length;
    this.#joined = '';
    let deadline = Date.now() + this.#timeoutMs;
    while (bytes < count) {
      if (this.#chunks.length > 0) {
        for (const chunk of this.#chunks) {
          parts.push(chunk);
          bytes += chunk.length;
        }
        this.#chunks = [];
        deadline = Date.now() + this.#timeoutMs;
        continue;
      }
      if (this.#ended) throw new Error(`connection closed after ${bytes} of ${count} bytes`);
      const leftMs = deadline - Date.now();
      if (leftMs <= 0) throw new Error(`${bytes} of ${count} bytes, and no more for ${this.#timeoutMs} ms`);
      await this.#event(leftMs);
    }
    const all = Buffer.concat(parts);
    this.#joined = all.subarray(count).toString('latin1');
    return all.subarray(0, count);
  }

  /** Sends the request and returns everything the server sent for it. */
  async exchange(request: string | Uint8Array): Promise<string> {
    this.write(request);
    this.write(SENTINEL_REQUEST);
    const reply = await this.#until('sentinel MN', (received) =>
      received.endsWith(SENTINEL_REPLY) ? received.length : -1,
    );
    return reply.slice(0, -SENTINEL_REPLY.length);
  }

  /** Sends the request; the reply must be exactly `expected`, byte for byte. */
  async expect(request: string, expected: string): Promise<void> {
    const reply = await this.exchange(request);
    if (reply !== expected) {
      assert.fail(`to ${visible(request)}\n  expected ${visible(expected)}\n  received ${visible(reply)}`);
    }
  }

  /** Sends the request; the whole reply must match. Returns the groups. */
  async match(request: string, pattern: RegExp): Promise<RegExpMatchArray> {
    const reply = await this.exchange(request);
    const found = reply.match(pattern);
    if (!found || found[0] !== reply) {
      assert.fail(`to ${visible(request)}\n  expected ${pattern}\n  received ${visible(reply)}`);
    }
    return found;
  }

  /** Resolves with everything sent before the server closed the connection; rejects when it stays open. */
  async untilClosed(): Promise<string> {
    const deadline = Date.now() + this.#timeoutMs;
    while (!this.#ended) {
      const leftMs = deadline - Date.now();
      if (leftMs <= 0) {
        throw new Error(
          `connection still open after ${this.#timeoutMs} ms; received ${visible(this.#take())}`,
        );
      }
      await this.#event(leftMs);
    }
    const received = this.#take();
    this.#joined = '';
    return received;
  }

  /** Half close: the server sees the end of input and may still answer. */
  endInput(): void {
    this.#socket.end();
  }

  close(): Promise<void> {
    if (this.#socket.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#socket.once('close', () => resolve());
      this.#socket.destroy();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
