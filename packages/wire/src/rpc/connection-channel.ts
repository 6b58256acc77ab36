/**
 * Calls over a datapath connection: requests are written straight into its send buffer, large fields that lie
 * in the arena are referenced. Its owner is the transport's handler, and hands over what comes in.
 */
import type { ViewClass } from '../decode/lists.ts';
import type { View } from '../decode/view.ts';
import type { Encoder } from '../encode/encoder.ts';
import type { WireObject } from '../encode/wire-object.ts';
import { FrameReader, type FrameReaderOptions } from '../receive/frame-reader.ts';
import { type SendTarget, sendObject } from '../send/send-object.ts';
import { PendingCalls } from './pending-calls.ts';
import { RpcError } from './rpc-error.ts';
import type { RpcChannel } from './rpc-service.ts';

export class ConnectionChannel implements RpcChannel {
  readonly encoder: Encoder;
  readonly #target: SendTarget;
  readonly #reader: FrameReader;
  readonly #pending: PendingCalls = new PendingCalls();

  /** The encoder is of the arena world, and may be shared by the channels of a thread. */
  constructor(target: SendTarget, encoder: Encoder, options: FrameReaderOptions = {}) {
    if (encoder.send === null) throw new RpcError('BAD_REQUEST', 'the encoder has no arena');
    this.#target = target;
    this.encoder = encoder;
    const deliver = (message: Parameters<PendingCalls['settle']>[0], type: number, id: number): boolean => {
      this.#pending.settle(message, type, id);
      return true;
    };
    this.#reader = new FrameReader(encoder.send.memory, deliver, options);
  }

  call<V extends View>(type: number, request: WireObject, reply: ViewClass<V>): Promise<V> {
    return this.#pending.call(type, reply, (id) => sendObject(this.#target, request, type, id));
  }

  /** To be called by the handler's `onData`, with what that returns. */
  onData(start: number, end: number): number {
    return this.#reader.push(start, end);
  }

  /** To be called by the handler's `onClose`. */
  onClose(): void {
    this.#pending.close(new RpcError('CLOSED', 'the connection ended'));
  }
}
