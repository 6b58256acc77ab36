/**
 * A message inside another one, forwarded unread: the received bytes are sent as they are, with all fields
 * that a newer schema put there, and the field leads to them through a relay.
 *
 * ```
 *   relay   [u32 0xffff0000][u32 place of the object in the message][u32 bytes of the message][u32 offset]
 * ```
 */
import { View } from '../decode/view.ts';
import { WireError } from '../errors.ts';
import { RELAY_BYTES, RELAY_WORD } from '../limits.ts';
import type { Encoder } from './encoder.ts';
import type { WireObject } from './wire-object.ts';

class Relay implements WireObject {
  readonly $encoder: Encoder;
  readonly #generation: number;
  readonly #object: number;
  readonly #size: number;
  readonly #place: number;

  constructor(encoder: Encoder, view: View) {
    this.$encoder = encoder;
    this.#generation = encoder.generation;
    const bytes = view.$message.toUint8Array();
    this.#object = view.$at;
    this.#place = encoder.stageAligned(bytes, 8);
    this.#size = encoder.size;
  }

  $measure(depth: number): number {
    this.$encoder.enter(depth, this.#generation);
    return RELAY_BYTES;
  }

  $write(encoder: Encoder): number {
    const at = encoder.take(RELAY_BYTES);
    const p = encoder.base + at;
    encoder.view.setUint32(p, RELAY_WORD, true);
    encoder.view.setUint32(p + 4, this.#object, true);
    encoder.putPlace(p + 8, this.#size, this.#place);
    return at;
  }

  $clear(): void {}
}

/** What to keep for a message field: the builder itself, or a relay to a view's message. */
export function adopt(encoder: Encoder, value: WireObject | View): WireObject {
  if (value instanceof View) return new Relay(encoder, value);
  if (value.$encoder !== encoder) {
    throw new WireError('FOREIGN', "a builder is assigned to a field of another encoder's builder");
  }
  return value;
}
