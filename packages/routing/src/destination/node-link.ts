/**
 * A link of Node's own sockets: TCP, TLS and Unix, for services that live on the event loop.
 *
 * ```
 *   reserve/commit, write ─▶ output (64 KiB, used again) ─┐
 *   writeOwned ─────────────▶ parts ──────────────────────┴─ once a turn of the event loop ─▶ socket
 *   socket ─▶ one shared input buffer ─▶ onData
 * ```
 *
 * Output leaves in the check phase (`setImmediate`): after all sockets that were readable in this turn have been
 * read and their readers have asked anew, so that a turn costs one write per server. Without TLS input is read
 * into a buffer that all links share, because it is read and dealt with in one go; on Windows reads are begun
 * before there is anything to read, and every link has its own.
 */
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { LINK_QUEUED_BYTES_HIGH, LINK_QUEUED_BYTES_LOW, LINK_RESERVE_BYTES_MAX } from '../limits.ts';
import type { Address } from './address.ts';
import type { Link, LinkFactory, LinkHandler, LinkOptions } from './link.ts';

const OUTPUT_BYTES = 64 * 1024;
const INPUT_BYTES = 64 * 1024;

let sharedInput: Buffer | undefined;
const dirtyLinks: NodeLink[] = [];
let isFlushScheduled = false;

/** Makes links of Node's sockets. */
export const nodeLinks: LinkFactory = {
  isOnEventLoop: true,
  open: (address: Address, options: LinkOptions, handler: LinkHandler): Link =>
    new NodeLink(address, options, handler),
};

class NodeLink implements Link {
  output: Buffer;
  readonly #handler: LinkHandler;
  readonly #socket: Socket | TLSSocket;
  /** What is in `output` from #start to #cursor has not been given to the socket. */
  #start: number = 0;
  #cursor: number = 0;
  /** Full outputs and owned values in front of that. */
  #parts: Buffer[] = [];
  #partBytes: number = 0;
  #isDirty: boolean = false;
  #isClosed: boolean = false;
  #isCongested: boolean = false;
  #error: Error | undefined = undefined;

  constructor(address: Address, options: LinkOptions, handler: LinkHandler) {
    this.#handler = handler;
    this.output = Buffer.allocUnsafeSlow(OUTPUT_BYTES);
    this.#socket = openSocket(address, options, (bytes, input) => {
      handler.onData(input, 0, bytes, false);
    });
    const socket = this.#socket;
    socket.once(options.tls === undefined ? 'connect' : 'secureConnect', () => {
      if (!this.#isClosed) handler.onOpen();
    });
    // Plain sockets deliver through `onread`; there is no such thing for TLS, whose chunks are its own.
    if (options.tls !== undefined) {
      socket.on('data', (chunk: Buffer) => handler.onData(chunk, 0, chunk.length, true));
    }
    socket.on('error', (error) => {
      this.#error = error;
    });
    socket.on('drain', () => this.#drained());
    socket.once('close', () => {
      const error = this.#isClosed ? undefined : this.#error;
      this.#isClosed = true;
      handler.onClose(error);
    });
  }

  get queuedBytes(): number {
    return this.#socket.writableLength + this.#partBytes + this.#cursor - this.#start;
  }

  reserve(bytes: number): number {
    if (this.#isClosed) return -1;
    if (this.#cursor + bytes > this.output.length) this.#nextOutput();
    return this.#cursor;
  }

  commit(bytes: number): void {
    this.#cursor += bytes;
    if (!this.#isDirty) this.#markDirty();
  }

  retract(bytes: number): boolean {
    if (this.#cursor - bytes < this.#start) return false;
    this.#cursor -= bytes;
    return true;
  }

  write(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end && !this.#isClosed) {
      if (this.#cursor === this.output.length) this.#nextOutput();
      const count = Math.min(end - at, this.output.length - this.#cursor);
      bytes.copy(this.output, this.#cursor, at, at + count);
      at += count;
      this.commit(count);
    }
  }

  writeOwned(bytes: Buffer): void {
    if (this.#isClosed) return;
    this.#seal();
    this.#parts.push(bytes);
    this.#partBytes += bytes.length;
    if (!this.#isDirty) this.#markDirty();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#parts = [];
    this.#partBytes = 0;
    this.#cursor = this.#start;
    this.#socket.destroy();
  }

  /** Gives the socket what was written in this turn. */
  flush(): void {
    this.#isDirty = false;
    if (this.#isClosed) return;
    const socket = this.#socket;
    if (this.#parts.length === 0) {
      if (this.#cursor > this.#start) this.#writeOutput();
    } else {
      socket.cork();
      for (const part of this.#parts) socket.write(part);
      this.#parts = [];
      this.#partBytes = 0;
      if (this.#cursor > this.#start) this.#writeOutput();
      socket.uncork();
    }
    if (this.queuedBytes > LINK_QUEUED_BYTES_HIGH) this.#isCongested = true;
  }

  /** The socket has the output until it says so; meanwhile another buffer is written, or the rest of this one. */
  #writeOutput(): void {
    const { output } = this;
    const start = this.#start;
    const end = this.#cursor;
    const isWhole = start === 0;
    this.#socket.write(output.subarray(start, end), () => {
      // Nothing was added meanwhile: the buffer can be filled from its beginning again.
      if (isWhole && output === this.output && this.#cursor === end && this.#start === end) {
        this.#start = 0;
        this.#cursor = 0;
      }
    });
    this.#start = end;
    if (output.length - end < LINK_RESERVE_BYTES_MAX) this.#nextOutput();
  }

  /** What is in the output becomes a part, so that something else can follow it. */
  #seal(): void {
    if (this.#cursor === this.#start) return;
    this.#parts.push(this.output.subarray(this.#start, this.#cursor));
    this.#partBytes += this.#cursor - this.#start;
    this.#start = this.#cursor;
  }

  #nextOutput(): void {
    this.#seal();
    this.output = Buffer.allocUnsafeSlow(OUTPUT_BYTES);
    this.#start = 0;
    this.#cursor = 0;
  }

  #markDirty(): void {
    this.#isDirty = true;
    dirtyLinks.push(this);
    if (isFlushScheduled) return;
    isFlushScheduled = true;
    setImmediate(flushAll);
  }

  #drained(): void {
    if (!this.#isCongested || this.queuedBytes > LINK_QUEUED_BYTES_LOW) return;
    this.#isCongested = false;
    this.#handler.onDrain();
  }
}

function flushAll(): void {
  isFlushScheduled = false;
  const links = dirtyLinks.splice(0);
  for (const link of links) link.flush();
}

function openSocket(
  address: Address,
  options: LinkOptions,
  onInput: (bytes: number, input: Buffer) => void,
): Socket | TLSSocket {
  const target =
    address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port };
  const keepAlive = { keepAlive: options.keepAliveMs > 0, keepAliveInitialDelay: options.keepAliveMs };
  const { tls } = options;
  if (tls !== undefined) {
    const named = address.kind === 'tcp' ? address.serverName || address.host : 'localhost';
    const servername = tls.serverName ?? named;
    const socket = connectTls({
      ...target,
      // An address is no name that TLS could be asked for.
      servername: /^[\d.]+$|:/.test(servername) ? '' : servername,
      rejectUnauthorized: tls.rejectUnauthorized,
      ...(tls.ca === undefined ? undefined : { ca: tls.ca }),
      ...(tls.cert === undefined ? undefined : { cert: tls.cert }),
      ...(tls.key === undefined ? undefined : { key: tls.key }),
    });
    socket.setNoDelay(true);
    socket.setKeepAlive(keepAlive.keepAlive, keepAlive.keepAliveInitialDelay);
    return socket;
  }
  const input = inputBuffer();
  return connectPlain({
    ...target,
    ...keepAlive,
    noDelay: true,
    onread: {
      buffer: input,
      callback: (bytes) => {
        onInput(bytes, input);
        return true;
      },
    },
  });
}

function inputBuffer(): Buffer {
  if (process.platform === 'win32') return Buffer.allocUnsafeSlow(INPUT_BYTES);
  sharedInput ??= Buffer.allocUnsafeSlow(INPUT_BYTES);
  return sharedInput;
}
