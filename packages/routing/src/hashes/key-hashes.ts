/**
 * The 32-bit hashes that ketama's variants put keys on the ring with, beside MD5; both as libhashkit computes
 * them, quirks included. Results are unsigned.
 */
const FNV_OFFSET = 0x84222325 | 0;
const FNV_PRIME = 0x000001b3;

/** `fnv1a_64` of libhashkit and twemproxy: FNV-1a with the 64-bit constants cut to 32 bits. */
export function fnv1a64(bytes: Uint8Array, start: number, end: number): number {
  let hash = FNV_OFFSET;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, FNV_PRIME);
  return hash >>> 0;
}

/** Bob Jenkins's one-at-a-time, libmemcached's default. Bytes count as signed, as `char` does on x86. */
export function oneAtATime(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0;
  for (let at = start; at < end; at++) {
    hash = (hash + ((bytes[at]! << 24) >> 24)) | 0;
    hash = (hash + (hash << 10)) | 0;
    hash ^= hash >>> 6;
  }
  hash = (hash + (hash << 3)) | 0;
  hash ^= hash >>> 11;
  return (hash + (hash << 15)) >>> 0;
}
