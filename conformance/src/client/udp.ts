/**
 * A UDP client of memcache frames: request id, sequence number, total, 0 (u16 each, big-endian), then text.
 * Replies are put together from their datagrams by request id.
 */
import dgram from 'node:dgram';

const FRAME_HEAD_BYTES = 8;
const WAIT_MS = 8_000;

/** A request datagram with its frame head. */
export function udpFrame(requestId: number, sequence: number, total: number, text: string): Buffer {
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head.writeUInt16BE(requestId, 0);
  head.writeUInt16BE(sequence, 2);
  head.writeUInt16BE(total, 4);
  return Buffer.concat([head, Buffer.from(text, 'latin1')]);
}

/** A complete reply and how it was cut. */
export interface UdpReply {
  readonly text: string;
  readonly datagrams: number;
  /** The largest datagram of the reply, frame head included. */
  readonly datagramBytesMax: number;
}

interface Pending {
  readonly parts: (Buffer | undefined)[];
  received: number;
}

export class UdpClient implements AsyncDisposable {
  readonly #socket: dgram.Socket;
  readonly #pending = new Map<number, Pending>();
  readonly #complete = new Map<number, UdpReply>();
  #wake: (() => void) | undefined;
  #nextId = 0x1234;

  private constructor(socket: dgram.Socket) {
    this.#socket = socket;
    socket.on('message', (datagram) => this.#receive(datagram));
  }

  static async connect(port: number): Promise<UdpClient> {
    const socket = dgram.createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.connect(port, '127.0.0.1', () => {
        socket.off('error', reject);
        resolve();
      });
    });
    socket.on('error', () => undefined);
    return new UdpClient(socket);
  }

  #receive(datagram: Buffer): void {
    const requestId = datagram.readUInt16BE(0);
    const sequence = datagram.readUInt16BE(2);
    const total = datagram.readUInt16BE(4);
    const reserved = datagram.readUInt16BE(6);
    if (reserved !== 0 || sequence >= total)
      throw new Error(`bad frame head: ${datagram.toString('hex', 0, 8)}`);
    let pending = this.#pending.get(requestId);
    if (!pending) {
      pending = { parts: new Array<Buffer | undefined>(total).fill(undefined), received: 0 };
      this.#pending.set(requestId, pending);
    }
    if (pending.parts.length !== total) throw new Error('the total changed within one reply');
    if (pending.parts[sequence]) throw new Error(`datagram ${sequence} came twice`);
    pending.parts[sequence] = datagram;
    pending.received += 1;
    if (pending.received < total) return;
    this.#pending.delete(requestId);
    const parts = pending.parts.filter((part) => part !== undefined);
    this.#complete.set(requestId, {
      text: parts.map((part) => part.toString('latin1', FRAME_HEAD_BYTES)).join(''),
      datagrams: total,
      datagramBytesMax: Math.max(...parts.map((part) => part.length)),
    });
    this.#wake?.();
  }

  /** A request id that this client has not used yet. */
  takeId(): number {
    this.#nextId = (this.#nextId + 1) & 0xffff;
    return this.#nextId;
  }

  sendDatagram(datagram: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.send(datagram, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** The reply to `requestId`, once all its datagrams are here; undefined when none came within `waitMs`. */
  async reply(requestId: number, waitMs: number = WAIT_MS): Promise<UdpReply | undefined> {
    const deadline = Date.now() + waitMs;
    for (;;) {
      const reply = this.#complete.get(requestId);
      if (reply) {
        this.#complete.delete(requestId);
        return reply;
      }
      const leftMs = deadline - Date.now();
      if (leftMs <= 0) return undefined;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Sends `text` as a request of one datagram and returns the whole reply. */
  async exchange(text: string): Promise<UdpReply> {
    const requestId = this.takeId();
    await this.sendDatagram(udpFrame(requestId, 0, 1, text));
    const reply = await this.reply(requestId);
    if (!reply) throw new Error(`no UDP reply to ${JSON.stringify(text.slice(0, 100))} within ${WAIT_MS} ms`);
    return reply;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }
}
