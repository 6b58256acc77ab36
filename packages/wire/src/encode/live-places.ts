/**
 * Takes out of a message what no field of it leads to any more, because its object was replaced: bytes that somebody
 * decided not to send. Objects may be shared, so that only a walk from the message itself tells.
 *
 * ```
 *   bump arena   [ live ][ zeroed ][ live ][ live ][ zeroed ]
 *   references   [ live ][ given back ][ live ]
 * ```
 */
import type { Encoder } from './encoder.ts';
import type { WireObject } from './wire-object.ts';

export class LivePlaces {
  /** Places in the bump arena, and how many bytes are there. */
  readonly #copies: { readonly place: number; readonly bytes: number }[] = [];
  readonly #references: Set<number> = new Set();

  /** Generated: what a field has staged. */
  add(bytes: number, place: number): void {
    if (bytes <= 0) return;
    if (place < 0) this.#references.add(~place);
    else this.#copies.push({ place, bytes });
  }

  /** Leaves in an encoder what `root` leads to. */
  static sweep(encoder: Encoder, root: WireObject): void {
    const live = new LivePlaces();
    root.$keep(live);
    encoder.settle();
    live.#zeroGaps(encoder);
    const { references } = encoder;
    for (let index = 0; index < references.count; index++) {
      if (references.bytes[index] === 0 || live.#references.has(index)) continue;
      const owner = references.drop(index);
      if (owner >= 0) encoder.send?.release(owner);
    }
  }

  #zeroGaps({ bump }: Encoder): void {
    const { u8 } = bump.memory;
    let done = 0;
    for (const { place, bytes } of this.#copies.sort((one, other) => one.place - other.place)) {
      if (place > done) u8.fill(0, bump.start + done, bump.start + place);
      done = Math.max(done, place + bytes);
    }
    u8.fill(0, bump.start + done, bump.cursor);
  }
}
