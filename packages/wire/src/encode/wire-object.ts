/** What the runtime needs from a generated builder. */
import type { Encoder } from './encoder.ts';
import type { LivePlaces } from './live-places.ts';

export interface WireObject {
  readonly $encoder: Encoder;
  /**
   * Checks the object and its children, notes which fields are present, and returns the bytes of all headers
   * and lists. `depth` is 0 for the message itself.
   */
  $measure(depth: number): number;
  /** Writes header and lists behind what was written before; returns where the header is. */
  $write(encoder: Encoder): number;
  /** Tells what its fields have staged. */
  $keep(live: LivePlaces): void;
  /** Empties all fields. */
  $clear(): void;
}
