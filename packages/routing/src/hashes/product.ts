/**
 * The piece that JavaScript lacks for 64-bit hashes: the upper half of the product of two 32-bit numbers.
 * `Math.imul` gives the lower half; a 64-bit product modulo 2^64 of (aHigh, aLow) and (bHigh, bLow) is
 * then high = productHigh(aLow, bLow) + imul(aLow, bHigh) + imul(aHigh, bLow) and low = imul(aLow, bLow).
 */

/** Upper 32 bits of the unsigned product, as a signed 32-bit integer. */
export function productHigh(a: number, b: number): number {
  const aUpper = a >>> 16;
  const aLower = a & 0xffff;
  const bUpper = b >>> 16;
  const bLower = b & 0xffff;
  const crossed = Math.imul(aUpper, bLower);
  const other = Math.imul(aLower, bUpper);
  const carried = (Math.imul(aLower, bLower) >>> 16) + (crossed & 0xffff) + (other & 0xffff);
  return (Math.imul(aUpper, bUpper) + (crossed >>> 16) + (other >>> 16) + (carried >>> 16)) | 0;
}
