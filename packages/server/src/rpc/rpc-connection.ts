/**
 * One connection of the typed protocol: its frames in, and its replies out. Replies go through this object to the
 * transport's connection, so that owners get the names that a transport gives back (see item-owners.ts).
 */
import type { Connection } from '@larder/datapath';
import {
  FrameReader,
  type GatherBudget,
  type Memory,
  type Message,
  type SendTarget,
  sendObject,
  type WireObject,
} from '@larder/wire';
import type { Session } from '../session/session.ts';
import { transportOwner } from './item-owners.ts';
import type { RpcOutput, RpcStream } from './rpc-output.ts';

/** What a handler has its connections made of. */
export interface RpcConnectionParts {
  readonly memory: Memory;
  readonly messageBytesMax: number;
  /** Shared by all connections. */
  readonly budget: GatherBudget;
  /** Runs one request. */
  readonly serve: (message: Message, type: number, id: number, output: RpcOutput) => void;
  /** Answers a request for which there is no memory. */
  readonly refuse: (id: number, output: RpcOutput) => void;
}

export class RpcConnection implements RpcOutput, SendTarget {
  readonly replyBytesMax: number = Number.POSITIVE_INFINITY;
  readonly replies: null = null;
  readonly reader: FrameReader;
  /** Requests until the other connections get their turn. */
  left = 0;
  readonly #connection: Connection<Session>;

  constructor(
    connection: Connection<Session>,
    { memory, messageBytesMax, budget, serve, refuse }: RpcConnectionParts,
  ) {
    this.#connection = connection;
    this.reader = new FrameReader(
      memory,
      (message, type, id) => {
        serve(message, type, id, this);
        this.left--;
        return this.left > 0 && !connection.isCongested && connection.isOpen;
      },
      { messageBytesMax, budget, onRefused: (_type, id) => refuse(id, this) },
    );
  }

  get id(): number {
    return this.#connection.id;
  }

  /** What the store writes to itself names items as the text protocols do. */
  get stream(): RpcStream {
    return this.#connection;
  }

  send(reply: WireObject, type: number, id: number): void {
    sendObject(this, reply, type, id);
  }

  get cursor(): number {
    return this.#connection.cursor;
  }

  set cursor(offset: number) {
    this.#connection.cursor = offset;
  }

  reserve(bytes: number): number {
    return this.#connection.reserve(bytes);
  }

  copy(offset: number, bytes: number): void {
    this.#connection.copy(offset, bytes);
  }

  writeBytes(bytes: Uint8Array): void {
    this.#connection.writeBytes(bytes);
  }

  reference(offset: number, bytes: number, owner: number): void {
    this.#connection.reference(offset, bytes, transportOwner(owner));
  }
}
