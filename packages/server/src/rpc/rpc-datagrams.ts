/** The datagrams that answer one datagram of the typed protocol, with owners named as a transport gives them back. */
import type { DatagramReplies } from '@larder/datapath';
import { DATAGRAM_BYTES, FRAGMENT_HEADER_BYTES, sendDatagrams, type WireObject } from '@larder/wire';
import { transportOwner } from './item-owners.ts';
import type { RpcOutput } from './rpc-output.ts';
import { RpcRefusal } from './rpc-refusal.ts';

/** What a reply has beside its value. */
const REPLY_HEADER_BYTES = 256;

export class RpcDatagrams implements RpcOutput, DatagramReplies {
  readonly id: number = -1;
  readonly stream: null = null;
  readonly replyBytesMax: number;
  readonly #messageBytesMax: number;
  #replies: DatagramReplies | null = null;

  constructor(datagramsMax: number) {
    this.#messageBytesMax = datagramsMax * (DATAGRAM_BYTES - FRAGMENT_HEADER_BYTES);
    this.replyBytesMax = this.#messageBytesMax - REPLY_HEADER_BYTES;
  }

  get replies(): DatagramReplies {
    return this;
  }

  /** From now on the datagrams are those of another request. */
  answer(replies: DatagramReplies): void {
    this.#replies = replies;
  }

  /** Throws `TOO_LARGE` for what is longer than it was known to be. */
  send(reply: WireObject, type: number, id: number): void {
    const bytes = reply.$encoder.measure(reply);
    if (bytes > this.#messageBytesMax)
      throw new RpcRefusal('TOO_LARGE', `a reply of ${bytes} bytes; datagrams take ${this.#messageBytesMax}`);
    sendDatagrams(this, reply, type, id);
  }

  begin(bytes: number): number {
    return this.#replies!.begin(bytes);
  }

  reference(offset: number, bytes: number, owner: number): void {
    this.#replies!.reference(offset, bytes, transportOwner(owner));
  }

  end(bytes: number): void {
    this.#replies!.end(bytes);
  }
}
