/**
 * When a value becomes stale, in the upper bits of its item's flags. The time that is left to live does not tell: a
 * route may have shortened it (a gutter keeps everything for 10 s), and a value may have been stored for less than
 * `staleTtl` in the first place.
 *
 * ```
 *   31            16  15   14    13 12    11   10            0
 *   ┌────────────────┬───┬─────┬───────┬─────┬───────────────┐
 *   │ moment, mod 2^16 │ 0 │id in│ unit  │dated│ as in flags.ts│     unit: 1, 8, 64 or 512 seconds
 *   └────────────────┴───┴─────┴───────┴─────┴───────────────┘
 * ```
 *
 * The moment is Unix time in units, of which only the low 16 bits are kept: it is the one closest to now. The id of a
 * zstd dictionary, whose place this is, goes in front of the compressed bytes then.
 */
import type { EncodedValue } from './codec.ts';
import { dictionaryIdOf, ValueFlag } from './flags.ts';

const UNIT_SHIFT = 12;
const UNITS: readonly number[] = [1, 8, 64, 512];
const MOMENT_SHIFT = 16;
const MOMENTS = 0x1_0000;
const LOW_MASK = 0x7ff;
/** The bits of a dated value that say so and when. */
export const DATE_MASK: number = 0xffff_3800;
/** How much longer than the time to the moment half a round of its 16 bits is: clocks of processes differ. */
const MARGIN = 2;

/**
 * The value with the moment from which it is stale; as it is when that is further away than 16 bits can say, or when
 * there is none.
 */
export function withStaleMoment(value: EncodedValue, staleAtMs: number, nowMs: number): EncodedValue {
  const seconds = (staleAtMs - nowMs) / 1000;
  const exponent = UNITS.findIndex((unit) => seconds * MARGIN * 2 < unit * MOMENTS);
  if (exponent < 0) return value;
  // Upwards: what is told early is refreshed before its time.
  const moment = Math.ceil(staleAtMs / 1000 / UNITS[exponent]!) % MOMENTS;
  const id = dictionaryIdOf(value.flags);
  let bits = (value.flags & LOW_MASK) | ValueFlag.dated | (exponent << UNIT_SHIFT);
  let { bytes } = value;
  if (id !== 0) {
    bits |= ValueFlag.idInFront;
    bytes = Buffer.concat([Buffer.of(id & 0xff, id >>> 8), bytes]);
  }
  return { bytes, flags: (bits | (moment << MOMENT_SHIFT)) >>> 0 };
}

/** From when on a value with these flags is stale, and how exact that is; undefined when they do not say. */
export function staleMoment(
  flags: number,
  nowMs: number,
): { readonly atMs: number; readonly unitMs: number } | undefined {
  if ((flags & ValueFlag.dated) === 0) return undefined;
  const unit = UNITS[(flags >>> UNIT_SHIFT) & 3]!;
  const now = Math.floor(nowMs / 1000 / unit);
  const ahead = ((flags >>> MOMENT_SHIFT) - (now % MOMENTS) + MOMENTS) % MOMENTS;
  const moment = now + (ahead < MOMENTS / 2 ? ahead : ahead - MOMENTS);
  return { atMs: moment * unit * 1000, unitMs: unit * 1000 };
}
