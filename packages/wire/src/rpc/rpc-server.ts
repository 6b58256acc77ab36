/**
 * Serves a generated service on one of Node's stream sockets: for services of one's own. (The cache server's
 * own service runs on datapath transports.)
 */
import type { Socket } from 'node:net';
import type { Message } from '../decode/message.ts';
import { Encoder } from '../encode/encoder.ts';
import type { WireObject } from '../encode/wire-object.ts';
import { WireError } from '../errors.ts';
import { StreamReader } from '../receive/frame-reader.ts';
import { serialize } from '../send/serialize.ts';
import { writeToSocket } from '../send/socket.ts';
import { Failure } from './failure.larder.ts';
import { FAILURE_TYPE, RpcError } from './rpc-error.ts';
import type { RpcMethod, RpcService } from './rpc-service.ts';

export interface RpcServerOptions {
  /** Given to every method. */
  readonly context?: unknown;
  /** A longer request ends its connection. */
  readonly messageBytesMax?: number;
}

export class RpcServer<Server> {
  readonly #methods: Map<number, RpcMethod<Server>>;
  readonly #server: Server;
  readonly #options: RpcServerOptions;

  constructor(service: RpcService<Server>, server: Server, options: RpcServerOptions = {}) {
    this.#methods = new Map(service.methods.map((method) => [method.type, method]));
    this.#server = server;
    this.#options = options;
  }

  /** Serves one connection, as `net.createServer`'s listener for example. */
  accept(socket: Socket): void {
    const { messageBytesMax } = this.#options;
    const reader = new StreamReader(
      (message, type, id) => {
        void this.#serve(socket, message, type, id);
        return true;
      },
      messageBytesMax === undefined ? {} : { messageBytesMax },
    );
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      try {
        reader.push(chunk);
      } catch (error) {
        // Where the next frame begins is not known any more.
        this.#fail(socket, 0, error);
        socket.end();
      }
    });
    // Whoever is gone is not waiting for an answer.
    socket.on('error', () => socket.destroy());
  }

  async #serve(socket: Socket, message: Message, type: number, id: number): Promise<void> {
    try {
      const method = this.#methods.get(type);
      if (method === undefined) throw new RpcError('UNKNOWN_METHOD', `no method has type ${type}`);
      const reply = method.serve(this.#server, message, new Encoder(), this.#options.context);
      this.#send(socket, reply instanceof Promise ? await reply : reply, type, id);
    } catch (error) {
      this.#fail(socket, id, error);
    }
  }

  #send(socket: Socket, object: WireObject, type: number, id: number): void {
    const list = serialize(object, { type, id });
    if (socket.writable) writeToSocket(socket, list);
    else list.release();
  }

  /** Errors that are meant for the caller keep their code; of others it learns only that there was one. */
  #fail(socket: Socket, id: number, error: unknown): void {
    const code =
      error instanceof RpcError ? error.code : error instanceof WireError ? 'BAD_MESSAGE' : 'INTERNAL';
    const text =
      error instanceof RpcError || error instanceof WireError ? error.message : 'the method failed';
    this.#send(socket, Failure.from({ code, text }), FAILURE_TYPE, id);
  }
}
