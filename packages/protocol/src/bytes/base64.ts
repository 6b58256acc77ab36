/**
 * Base64 (RFC 4648, with padding) between places of one byte array: the form in which meta commands carry
 * binary keys. Decoding never writes ahead of what it has read, so source and target may be the same place.
 */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const PAD = 61;
const ENCODE: Uint8Array = Uint8Array.from(ALPHABET, (letter) => letter.charCodeAt(0));
const DECODE: Int8Array = new Int8Array(256).fill(-1);
for (let index = 0; index < ALPHABET.length; index++) DECODE[ALPHABET.charCodeAt(index)] = index;

/** How many characters `bytes` bytes become. */
export function base64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4;
}

/** Decodes [at, end) to `target`; returns the number of bytes, or 0 when it is not base64 (or is empty). */
export function base64Decode(u8: Uint8Array, at: number, end: number, target: number): number {
  const length = end - at;
  if (length === 0 || length % 4 !== 0) return 0;
  const padding = u8[end - 1] === PAD ? (u8[end - 2] === PAD ? 2 : 1) : 0;
  let output = target;
  for (let offset = at; offset < end; offset += 4) {
    const last = offset + 4 === end;
    const a = DECODE[u8[offset]!]!;
    const b = DECODE[u8[offset + 1]!]!;
    const c = last && padding === 2 ? 0 : DECODE[u8[offset + 2]!]!;
    const d = last && padding > 0 ? 0 : DECODE[u8[offset + 3]!]!;
    if ((a | b | c | d) < 0) return 0;
    const group = (a << 18) | (b << 12) | (c << 6) | d;
    u8[output++] = group >> 16;
    if (!last || padding < 2) u8[output++] = (group >> 8) & 0xff;
    if (!last || padding < 1) u8[output++] = group & 0xff;
  }
  return output - target;
}

/** Encodes `bytes` bytes from `source` to `target` (apart from each other); returns the offset after them. */
export function base64Encode(u8: Uint8Array, source: number, bytes: number, target: number): number {
  const end = source + bytes;
  let output = target;
  for (let offset = source; offset < end; offset += 3) {
    const rest = end - offset;
    const group =
      (u8[offset]! << 16) | ((rest > 1 ? u8[offset + 1]! : 0) << 8) | (rest > 2 ? u8[offset + 2]! : 0);
    u8[output] = ENCODE[group >> 18]!;
    u8[output + 1] = ENCODE[(group >> 12) & 63]!;
    u8[output + 2] = rest > 1 ? ENCODE[(group >> 6) & 63]! : PAD;
    u8[output + 3] = rest > 2 ? ENCODE[group & 63]! : PAD;
    output += 4;
  }
  return output;
}
