/** Requests whose replies are awaited, by their id. */
import type { ViewClass } from '../decode/lists.ts';
import type { Message } from '../decode/message.ts';
import type { View } from '../decode/view.ts';
import { FailureView } from './failure.larder.ts';
import { FAILURE_TYPE, RpcError } from './rpc-error.ts';

interface PendingCall {
  readonly type: number;
  readonly resolve: (message: Message) => void;
  readonly reject: (error: RpcError) => void;
}

/** No call has it: a failure with this id is the whole connection's. */
const CONNECTION_ID = 0;

export class PendingCalls {
  readonly #calls: Map<number, PendingCall> = new Map();
  #nextId = 1;
  #closed: RpcError | undefined;

  get size(): number {
    return this.#calls.size;
  }

  /**
   * Sends a request through `send` with an id of its own, and gives its reply. The reply is kept: a view of
   * received memory that the channel would use again must be retained by `send`'s counterpart before `settle`.
   */
  async call<V extends View>(type: number, reply: ViewClass<V>, send: (id: number) => void): Promise<V> {
    if (this.#closed !== undefined) throw this.#closed;
    const id = this.#takeId();
    const message = await new Promise<Message>((resolve, reject) => {
      this.#calls.set(id, { type, resolve, reject });
      try {
        send(id);
      } catch (error) {
        this.#calls.delete(id);
        throw error;
      }
    });
    try {
      return new reply(message, 0, 0);
    } catch (cause) {
      throw new RpcError('BAD_REPLY', 'the reply cannot be read', { cause });
    }
  }

  /** A frame came. Returns false when nobody waits for it. Throws nothing, whatever the frame has. */
  settle(message: Message, type: number, id: number): boolean {
    if (id === CONNECTION_ID) {
      // What the server says before it ends the connection is about all calls.
      if (type === FAILURE_TYPE) this.close(readFailure(message));
      return type === FAILURE_TYPE;
    }
    const call = this.#calls.get(id);
    if (call === undefined) return false;
    this.#calls.delete(id);
    if (type === call.type) {
      // The reply is read after this returns, when a borrowed buffer would hold something else.
      message.retain();
      call.resolve(message);
    } else if (type === FAILURE_TYPE) {
      call.reject(readFailure(message));
    } else {
      call.reject(new RpcError('BAD_REPLY', `a reply of type ${type} to a request of type ${call.type}`));
    }
    return true;
  }

  /** No reply to this request will come. */
  fail(id: number, error: RpcError): void {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    call?.reject(error);
  }

  /** The connection is gone: all calls fail, also later ones. */
  close(error: RpcError): void {
    this.#closed ??= error;
    this.failAll(error);
  }

  /** The calls that are waiting fail; later ones are sent. */
  failAll(error: RpcError): void {
    for (const id of [...this.#calls.keys()]) this.fail(id, error);
  }

  #takeId(): number {
    while (this.#nextId === CONNECTION_ID || this.#calls.has(this.#nextId))
      this.#nextId = (this.#nextId + 1) >>> 0;
    const id = this.#nextId;
    this.#nextId = (id + 1) >>> 0;
    return id;
  }
}

function readFailure(message: Message): RpcError {
  try {
    const failure = new FailureView(message);
    return new RpcError(failure.code, failure.text);
  } catch (cause) {
    return new RpcError('BAD_REPLY', 'the server refused, in words that cannot be read', { cause });
  }
}
