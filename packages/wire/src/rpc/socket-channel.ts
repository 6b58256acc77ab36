/** Calls over one of Node's stream sockets: many at once, answered in any order. */
import { connect, type Socket, type TcpNetConnectOpts } from 'node:net';
import type { ViewClass } from '../decode/lists.ts';
import type { View } from '../decode/view.ts';
import { Encoder } from '../encode/encoder.ts';
import type { WireObject } from '../encode/wire-object.ts';
import { StreamReader } from '../receive/frame-reader.ts';
import { serialize } from '../send/serialize.ts';
import { writeToSocket } from '../send/socket.ts';
import { PendingCalls } from './pending-calls.ts';
import { RpcError } from './rpc-error.ts';
import type { RpcChannel } from './rpc-service.ts';

export class SocketChannel implements RpcChannel {
  readonly encoder: Encoder = new Encoder();
  readonly #socket: Socket;
  readonly #pending: PendingCalls = new PendingCalls();

  /** Takes over a socket that is connected or connecting. */
  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    const reader = new StreamReader((message, type, id) => {
      this.#pending.settle(message, type, id);
      return true;
    });
    socket.on('data', (chunk) => {
      try {
        reader.push(chunk);
      } catch (cause) {
        this.#pending.close(new RpcError('BAD_REPLY', 'the server sent no frame', { cause }));
        socket.destroy();
      }
    });
    socket.on('error', (cause) => this.#pending.close(new RpcError('CLOSED', cause.message, { cause })));
    socket.on('close', () => this.#pending.close(new RpcError('CLOSED', 'the connection ended')));
  }

  /** Connects; rejects with `RpcError` `CLOSED` when that fails. */
  static async connect(options: TcpNetConnectOpts): Promise<SocketChannel> {
    const socket = connect(options);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', (cause) => reject(new RpcError('CLOSED', cause.message, { cause })));
    });
    return new SocketChannel(socket);
  }

  /** Calls without a reply so far. */
  get pending(): number {
    return this.#pending.size;
  }

  call<V extends View>(type: number, request: WireObject, reply: ViewClass<V>): Promise<V> {
    return this.#pending.call(type, reply, (id) => {
      writeToSocket(this.#socket, serialize(request, { type, id }));
    });
  }

  /** Ends the connection; calls that are waiting fail. */
  close(): void {
    this.#socket.end();
    this.#pending.close(new RpcError('CLOSED', 'the channel was closed'));
    this.#socket.destroySoon();
  }
}
