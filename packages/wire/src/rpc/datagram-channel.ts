/** Calls over UDP: a request is sent once; a reply that does not come in time is a `TIMEOUT`. */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { ViewClass } from '../decode/lists.ts';
import { Memory } from '../decode/memory.ts';
import type { View } from '../decode/view.ts';
import { Encoder } from '../encode/encoder.ts';
import type { WireObject } from '../encode/wire-object.ts';
import { Reassembler } from '../receive/reassembler.ts';
import { sendToDatagram } from '../send/datagram.ts';
import { serialize } from '../send/serialize.ts';
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

export class DatagramChannel implements RpcChannel {
  readonly encoder: Encoder = new Encoder();
  readonly #socket: Socket;
  readonly #host: string;
  readonly #port: number;
  readonly #timeoutMs: number;
  readonly #pending: PendingCalls = new PendingCalls();

  constructor({ host, port, timeoutMs = TIMEOUT_MS }: DatagramChannelOptions) {
    this.#host = host;
    this.#port = port;
    this.#timeoutMs = timeoutMs;
    this.#socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    const reassembler = new Reassembler<string>(
      (message, type, id) => {
        this.#pending.settle(message, type, id);
      },
      { clock: () => performance.now() },
    );
    this.#socket.on('message', (datagram, source) => {
      const start = datagram.byteOffset;
      const from = `${source.address} ${source.port}`;
      reassembler.push(Memory.of(datagram), start, start + datagram.length, from);
    });
    this.#socket.on('error', (cause) =>
      this.#pending.close(new RpcError('CLOSED', cause.message, { cause })),
    );
  }

  call<V extends View>(type: number, request: WireObject, reply: ViewClass<V>): Promise<V> {
    let timer: NodeJS.Timeout | undefined;
    const answered = this.#pending.call(type, reply, (id) => {
      const target = { port: this.#port, host: this.#host, type, id };
      timer = setTimeout(() => {
        this.#pending.fail(id, new RpcError('TIMEOUT', `no reply in ${this.#timeoutMs} ms`));
      }, this.#timeoutMs);
      sendToDatagram(this.#socket, serialize(request), target, {
        done: (cause) => {
          if (cause !== null) this.#pending.fail(id, new RpcError('CLOSED', cause.message, { cause }));
        },
      });
    });
    return answered.finally(() => clearTimeout(timer));
  }

  close(): void {
    this.#pending.close(new RpcError('CLOSED', 'the channel was closed'));
    this.#socket.close();
  }
}
