/** The datagrams that answer one datagram of the typed protocol, with owners named as a transport gives them back. */
import type { DatagramReplies } from '@larder/datapath';
import { DATAGRAM_BYTES, FRAGMENT_HEADER_BYTES, sendDatagrams, type WireObject } from '@larder/wire';
import { transportOwner } from './item-owners.ts';
import type { RpcOutput } from './rpc-output.ts';

/** What a reply has beside its value. */
const REPLY_HEADER_BYTES = 256;

export class RpcDatagrams implements RpcOutput, DatagramReplies {
  readonly id: number = -1;
  readonly stream: null = null;
  readonly replyBytesMax: number;
  #replies: DatagramReplies | null = null;

  constructor(datagramsMax: number) {
    this.replyBytesMax = datagramsMax * (DATAGRAM_BYTES - FRAGMENT_HEADER_BYTES) - REPLY_HEADER_BYTES;
  }

  get replies(): DatagramReplies {
    return this;
  }

  /** From now on the datagrams are those of another request. */
  answer(replies: DatagramReplies): void {
    this.#replies = replies;
  }

  send(reply: WireObject, type: number, id: number): void {
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
