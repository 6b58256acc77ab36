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
    return new reply(message, 0, 0);
  }

  /** A frame came. Returns false when nobody waits for it. */
  settle(message: Message, type: number, id: number): boolean {
    const call = this.#calls.get(id);
    if (call === undefined) return false;
    this.#calls.delete(id);
    if (type === call.type) {
      // The reply is read after this returns, when a borrowed buffer would hold something else.
      message.retain();
      call.resolve(message);
    } else if (type === FAILURE_TYPE) {
      const failure = new FailureView(message);
      call.reject(new RpcError(failure.code, failure.text));
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
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const call of calls) call.reject(error);
  }

  #takeId(): number {
    while (this.#calls.has(this.#nextId)) this.#nextId = (this.#nextId + 1) >>> 0;
    const id = this.#nextId;
    this.#nextId = (id + 1) >>> 0;
    return id;
  }
}
