/**
 * One connection of a server: its requests, in the order in which they came, and its replies.
 *
 * ```
 *   socket ──▶ frames ──▶ waiting ──▶ being answered (a limit) ──▶ socket
 * ```
 *
 * A client that asks and does not read costs what Node's socket buffers, and what it sent in one chunk: while the
 * socket has more to write than it wants, or too many methods have not returned, requests wait, and while they wait
 * nothing more is read.
 */
import type { Socket } from 'node:net';
import type { Message } from '../decode/message.ts';
import type { WireObject } from '../encode/wire-object.ts';
import { RPC_DISCARD_MS } from '../limits.ts';
import { StreamReader } from '../receive/frame-reader.ts';
import { serialize } from '../send/serialize.ts';
import { writeToSocket } from '../send/socket.ts';
import { FAILURE_TYPE } from './rpc-error.ts';

/** Answers one request; rejects never. */
export type Answer = (
  message: Message,
  type: number,
  id: number,
  send: (object: WireObject, type: number) => void,
) => Promise<void> | undefined;

export interface RpcConnectionOptions {
  readonly messageBytesMax: number;
  readonly requestsMax: number;
  readonly answer: Answer;
  /** What is sent, with id 0, when the input makes no sense. */
  readonly describe: (error: unknown) => WireObject;
}

interface Request {
  readonly message: Message;
  readonly type: number;
  readonly id: number;
}

export class RpcConnection {
  readonly #socket: Socket;
  readonly #options: RpcConnectionOptions;
  #waiting: Request[] = [];
  #answering = 0;
  #isServing = false;
  #isRefused = false;

  constructor(socket: Socket, options: RpcConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    const reader = new StreamReader(
      (message, type, id) => {
        this.#waiting.push({ message, type, id });
        return true;
      },
      { messageBytesMax: options.messageBytesMax },
    );
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      if (this.#isRefused) return;
      try {
        reader.push(chunk);
      } catch (error) {
        this.#serve();
        this.#refuse(error);
        return;
      }
      this.#serve();
    });
    socket.on('drain', () => this.#serve());
    socket.on('close', () => {
      this.#waiting = [];
    });
    // Whoever is gone is not waiting for an answer.
    socket.on('error', () => socket.destroy());
  }

  /** Answers what may be answered now, and reads on when nothing is left. */
  #serve(): void {
    if (this.#isServing) return;
    this.#isServing = true;
    const socket = this.#socket;
    let next = 0;
    while (next < this.#waiting.length && this.#hasRoom()) {
      const request = this.#waiting[next++]!;
      const answered = this.#options.answer(request.message, request.type, request.id, (object, type) =>
        this.#send(object, type, request.id),
      );
      if (answered === undefined) continue;
      this.#answering++;
      void answered.then(() => {
        this.#answering--;
        this.#serve();
      });
    }
    if (next > 0) this.#waiting.splice(0, next);
    this.#isServing = false;
    if (this.#waiting.length > 0) socket.pause();
    else if (this.#hasRoom() && socket.isPaused()) socket.resume();
  }

  #hasRoom(): boolean {
    return !this.#socket.writableNeedDrain && this.#answering < this.#options.requestsMax;
  }

  #send(object: WireObject, type: number, id: number): void {
    const list = serialize(object, { type, id });
    if (this.#socket.writable) writeToSocket(this.#socket, list);
    else list.release();
  }

  /**
   * Where the next frame begins is not known any more. What still comes is thrown away for a while: closing with
   * unread input would take the explanation from the client before it can read it.
   */
  #refuse(error: unknown): void {
    const socket = this.#socket;
    this.#isRefused = true;
    this.#waiting = [];
    this.#send(this.#options.describe(error), FAILURE_TYPE, 0);
    socket.end();
    socket.resume();
    const timer = setTimeout(() => socket.destroy(), RPC_DISCARD_MS);
    timer.unref();
    socket.once('close', () => clearTimeout(timer));
  }
}
