/** The seam between generated service code and whatever carries its messages. */
import type { ViewClass } from '../decode/lists.ts';
import type { Message } from '../decode/message.ts';
import type { View } from '../decode/view.ts';
import type { Encoder } from '../encode/encoder.ts';
import type { WireObject } from '../encode/wire-object.ts';

/** What a generated client calls. */
export interface RpcChannel {
  /** For requests that are given as plain objects. */
  readonly encoder: Encoder;
  /**
   * Sends a request, which is written before this returns, and waits for its reply. Rejects with `RpcError`.
   * The reply is the caller's: it stays until nobody refers to it.
   */
  call<V extends View>(type: number, request: WireObject, reply: ViewClass<V>): Promise<V>;
}

/** One method of a service. */
export interface RpcMethod<Server> {
  readonly name: string;
  /** The number that stands for it in a frame. */
  readonly type: number;
  /** Has the server answer a request; the reply is made with `encoder`. */
  readonly serve: (
    server: Server,
    request: Message,
    encoder: Encoder,
    context: unknown,
  ) => WireObject | Promise<WireObject>;
}

export interface RpcService<Server> {
  readonly typeName: string;
  readonly methods: readonly RpcMethod<Server>[];
}
