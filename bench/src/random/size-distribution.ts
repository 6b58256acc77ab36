/**
 * How long values are. A key's value always has the same length, so that a reply can be checked byte for
 * byte without remembering what was stored last.
 */
import { BenchError } from '../errors.ts';
import { VALUE_BYTES_MAX } from '../limits.ts';
import type { Random } from './random.ts';

export type SizeDistribution =
  | { readonly kind: 'fixed'; readonly bytes: number }
  /** Log-normal, cut at both ends, then scaled so that the mean is the one asked for. */
  | {
      readonly kind: 'log-normal';
      readonly meanBytes: number;
      readonly sigma: number;
      readonly bytesMin: number;
      readonly bytesMax: number;
    };

/** The value lengths of `keys` keys. */
export function drawSizes(distribution: SizeDistribution, keys: number, random: Random): Int32Array {
  const sizes = new Int32Array(keys);
  if (largestSize(distribution) > VALUE_BYTES_MAX) {
    throw new BenchError('USAGE', `values of more than ${VALUE_BYTES_MAX} bytes`);
  }
  if (distribution.kind === 'fixed') return sizes.fill(distribution.bytes);
  const { meanBytes, sigma, bytesMin, bytesMax } = distribution;
  const raw = new Float64Array(keys);
  for (let key = 0; key < keys; key++) raw[key] = Math.exp(sigma * random.normal());
  // Cutting moves the mean, so the scale is found by iteration; it converges in a few steps.
  let scale = meanBytes / Math.exp((sigma * sigma) / 2);
  for (let round = 0; round < 40; round++) {
    let sum = 0;
    for (let key = 0; key < keys; key++) {
      sizes[key] = Math.min(bytesMax, Math.max(bytesMin, Math.round(raw[key]! * scale)));
      sum += sizes[key]!;
    }
    const mean = sum / keys;
    if (Math.abs(mean - meanBytes) < meanBytes * 0.001) break;
    scale *= meanBytes / mean;
  }
  return sizes;
}

export function largestSize(distribution: SizeDistribution): number {
  return distribution.kind === 'fixed' ? distribution.bytes : distribution.bytesMax;
}
