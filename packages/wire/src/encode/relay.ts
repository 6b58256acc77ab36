/**
 * A message inside another one, forwarded unread: the received bytes are sent as they are, with all fields
 * that a newer schema put there, and the field leads to them through a relay. Objects of one message share its bytes.
 *
 * ```
 *   relay   [u32 0xffff0000][u32 place of the object in the message][u32 bytes of the message][u32 offset]
 * ```
 */
import type { Message } from '../decode/message.ts';
import { View } from '../decode/view.ts';
import { WireError } from '../errors.ts';
import { RELAY_BYTES, RELAY_WORD } from '../limits.ts';
import type { Encoder } from './encoder.ts';
import type { LivePlaces } from './live-places.ts';
import type { WireObject } from './wire-object.ts';

/** A received message that was staged. */
interface Staged {
  readonly epoch: number;
  readonly size: number;
  readonly place: number;
}

/** The received messages that are a part of the message being built: each is sent once. */
export class RelayedMessages {
  #staged: Map<Message, Staged> | null = null;

  clear(): void {
    this.#staged = null;
  }

  /** Stages a message, or finds it staged. */
  add(encoder: Encoder, message: Message): Staged {
    this.#staged ??= new Map();
    let staged = this.#staged.get(message);
    if (staged === undefined || staged.epoch !== message.epoch) {
      const place = encoder.stageAligned(message.toUint8Array(), 8);
      staged = { epoch: message.epoch, size: encoder.size, place };
      this.#staged.set(message, staged);
    }
    return staged;
  }
}

class Relay implements WireObject {
  readonly $encoder: Encoder;
  readonly #generation: number;
  readonly #object: number;
  readonly #staged: Staged;

  constructor(encoder: Encoder, view: View) {
    this.$encoder = encoder;
    this.#generation = encoder.generation;
    this.#object = view.$at;
    this.#staged = encoder.relayed.add(encoder, view.$message);
  }

  $measure(depth: number): number {
    this.$encoder.enter(depth, this.#generation);
    return RELAY_BYTES;
  }

  $write(encoder: Encoder): number {
    const at = encoder.take(RELAY_BYTES);
    const { size, place } = this.#staged;
    putRelay(encoder.view, encoder.base + at, this.#object, size, encoder.offsetOf(size, place));
    return at;
  }

  $keep(live: LivePlaces): void {
    live.add(this.#staged.size, this.#staged.place);
  }

  $clear(): void {}
}

/** Writes a relay to the object at `object` of a message of `bytes` bytes that lies at `offset`. */
export function putRelay(view: DataView, p: number, object: number, bytes: number, offset: number): void {
  view.setUint32(p, RELAY_WORD, true);
  view.setUint32(p + 4, object, true);
  view.setUint32(p + 8, bytes, true);
  view.setUint32(p + 12, offset, true);
}

/** What to keep for a message field: the builder itself, or a relay to a view's message. */
export function adopt(encoder: Encoder, value: WireObject | View): WireObject {
  if (value instanceof View) return new Relay(encoder, value);
  if (value.$encoder !== encoder) {
    throw new WireError('FOREIGN', "a builder is assigned to a field of another encoder's builder");
  }
  return value;
}
