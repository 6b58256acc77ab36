/** Calls over UDP: a request is sent once; a reply that does not come in time is a `TIMEOUT`. Only the server is listened to. */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { ViewClass } from '../decode/lists.ts';
import { Memory } from '../decode/memory.ts';
import type { View } from '../decode/view.ts';
import { Encoder } from '../encode/encoder.ts';
import type { WireObject } from '../encode/wire-object.ts';
import { Reassembler } from '../receive/reassembler.ts';
import { sendToDatagram } from '../send/datagram.ts';
import { type ScatterGatherList, serialize } from '../send/serialize.ts';
import { PendingCalls } from './pending-calls.ts';
import { RpcError } from './rpc-error.ts';
import type { RpcChannel } from './rpc-service.ts';

const TIMEOUT_MS = 1000;

export interface DatagramChannelOptions {
  readonly host: string;
  readonly port: number;
  /** How long a reply is awaited (1000). */
  readonly timeoutMs?: number;
}

interface Request {
  readonly type: number;
  readonly id: number;
  readonly list: ScatterGatherList;
}

export class DatagramChannel implements RpcChannel {
  readonly encoder: Encoder = new Encoder();
  readonly #socket: Socket;
  readonly #timeoutMs: number;
  readonly #pending: PendingCalls = new PendingCalls();
  /** What waits until the server's name is resolved; null from then on. */
  #unsent: Request[] | null = [];

  constructor({ host, port, timeoutMs = TIMEOUT_MS }: DatagramChannelOptions) {
    this.#timeoutMs = timeoutMs;
    this.#socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    const reassembler = new Reassembler<string>(
      (message, type, id) => {
        this.#pending.settle(message, type, id);
      },
      { clock: () => performance.now() },
    );
    this.#socket.on('message', (datagram) => {
      const start = datagram.byteOffset;
      reassembler.push(Memory.of(datagram), start, start + datagram.length, '');
    });
    this.#socket.on('error', (cause: NodeJS.ErrnoException) => {
      const error = new RpcError('CLOSED', cause.message, { cause });
      // Nobody listens there now; that may change.
      if (cause.code === 'ECONNREFUSED') this.#pending.failAll(error);
      else this.#pending.close(error);
    });
    this.#socket.once('connect', () => {
      const unsent = this.#unsent ?? [];
      this.#unsent = null;
      for (const request of unsent) this.#send(request);
    });
    this.#socket.once('close', () => {
      for (const { list } of this.#unsent ?? []) list.release();
      this.#unsent = null;
    });
    // Once it is connected, the kernel lets nobody else's datagrams through.
    this.#socket.connect(port, host);
  }

  call<V extends View>(type: number, request: WireObject, reply: ViewClass<V>): Promise<V> {
    let timer: NodeJS.Timeout | undefined;
    const answered = this.#pending.call(type, reply, (id) => {
      const list = serialize(request);
      timer = setTimeout(() => {
        this.#pending.fail(id, new RpcError('TIMEOUT', `no reply in ${this.#timeoutMs} ms`));
      }, this.#timeoutMs);
      if (this.#unsent === null) this.#send({ type, id, list });
      else this.#unsent.push({ type, id, list });
    });
    return answered.finally(() => clearTimeout(timer));
  }

  #send({ type, id, list }: Request): void {
    const done = (cause: Error | null): void => {
      if (cause !== null) this.#pending.fail(id, new RpcError('CLOSED', cause.message, { cause }));
    };
    sendToDatagram(this.#socket, list, { type, id }, { done });
  }

  close(): void {
    this.#pending.close(new RpcError('CLOSED', 'the channel was closed'));
    this.#socket.close();
  }
}
