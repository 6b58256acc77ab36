/**
 * What the checks of formats without one of their own have in common. Readers of FlatBuffers, Cap'n Proto and
 * MessagePack believe the offsets and lengths that they read; some of these messages would make them loop, or take
 * gigabytes. So such a message is walked first: a few loads per buffer, and none per byte.
 *
 * What a walk finds is charged against the message's length. In a message whose parts do not overlap the sum cannot
 * be more, so that one whose parts do (which would be answered by a longer one) is found, and a cycle as well.
 */
import { EchoError } from '../errors.ts';
import { TREE_DEPTH_MAX } from '../limits.ts';

export class MessageCheck {
  readonly bytes: number;
  readonly view: DataView;
  readonly #name: string;
  #left: number;

  constructor(name: string, message: Uint8Array) {
    this.#name = name;
    this.bytes = message.length;
    this.view = new DataView(message.buffer, message.byteOffset, message.length);
    this.#left = message.length;
  }

  refuse(text: string): never {
    throw new EchoError('MALFORMED', `no message of ${this.#name}: ${text}`);
  }

  /** [at, at + bytes) lies in the message. */
  within(at: number, bytes: number): void {
    if (!(at >= 0 && bytes >= 0 && at + bytes <= this.bytes)) this.refuse('something lies outside of it');
  }

  /** The same, and no other part of the message has been there as often as the message is long. */
  take(at: number, bytes: number): void {
    this.within(at, bytes);
    this.#left -= bytes;
    if (this.#left < 0) this.refuse('its parts overlap');
  }

  enter(depth: number): void {
    if (depth > TREE_DEPTH_MAX) this.refuse(`messages are nested more than ${TREE_DEPTH_MAX} deep`);
  }
}
