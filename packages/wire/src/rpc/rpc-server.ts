/**
 * Serves a generated service on one of Node's stream sockets: for services of one's own. (The cache server's
 * own service runs on datapath transports.)
 */
import type { Socket } from 'node:net';
import type { Message } from '../decode/message.ts';
import { Encoder } from '../encode/encoder.ts';
import type { WireObject } from '../encode/wire-object.ts';
import { WireError } from '../errors.ts';
import { MESSAGE_BYTES_MAX, RPC_REQUESTS_MAX } from '../limits.ts';
import { Failure } from './failure.larder.ts';
import { type Answer, RpcConnection } from './rpc-connection.ts';
import { FAILURE_TYPE, RpcError } from './rpc-error.ts';
import type { RpcMethod, RpcService } from './rpc-service.ts';

export interface RpcServerOptions {
  /** Given to every method. */
  readonly context?: unknown;
  /** A longer request ends its connection. */
  readonly messageBytesMax?: number;
  /** Methods of one connection that have not returned, above which its next requests wait (128). */
  readonly requestsMax?: number;
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
    const { messageBytesMax = MESSAGE_BYTES_MAX, requestsMax = RPC_REQUESTS_MAX } = this.#options;
    const answer: Answer = (message, type, _id, send) => this.#answer(message, type, send);
    new RpcConnection(socket, { messageBytesMax, requestsMax, answer, describe });
  }

  /** Calls a method; replies at once, or when its promise is settled. */
  #answer(
    message: Message,
    type: number,
    send: (object: WireObject, type: number) => void,
  ): Promise<void> | undefined {
    const fail = (error: unknown): void => send(describe(error), FAILURE_TYPE);
    const succeed = (reply: WireObject): void => {
      try {
        send(reply, type);
      } catch (error) {
        fail(error);
      }
    };
    try {
      const method = this.#methods.get(type);
      if (method === undefined) throw new RpcError('UNKNOWN_METHOD', `no method has type ${type}`);
      const reply = method.serve(this.#server, message, new Encoder(), this.#options.context);
      if (reply instanceof Promise) return reply.then(succeed, fail);
      succeed(reply);
    } catch (error) {
      fail(error);
    }
    return undefined;
  }
}

/** Errors that are meant for the caller keep their code; of others it learns only that there was one. */
function describe(error: unknown): Failure {
  const code =
    error instanceof RpcError ? error.code : error instanceof WireError ? 'BAD_MESSAGE' : 'INTERNAL';
  const text = error instanceof RpcError || error instanceof WireError ? error.message : 'the method failed';
  return Failure.from({ code, text });
}
