/**
 * The memory of an item. It holds the reply to a classic get ready-made, so that a hit is one copy or one
 * scatter-gather entry.
 *
 * ```
 *   word  0 reference count            6 expiry (second; 0 never)
 *         1 tag                        7 last access (dead items: when the token was given)
 *         2 next in the hash chain     8 CAS, low    (also the lease token)
 *         3 hash                       9 CAS, high
 *         4 previous in the LRU       10 value bytes
 *         5 next in the LRU           11 when the token was given (dead items: end of the hold-off)
 *   byte 48 "VALUE " key " " flags " " bytes "\r\n" value "\r\n"
 *   last 16 bytes of the chunk, where needed: [first chunk of the chain][ - ][transient previous][transient next]
 * ```
 *
 * A dead item is one that a get does not see: a deleted value kept as stale, or a stub that only holds a lease
 * token or a hold-off. References to other items are u32 in units of 8 bytes.
 *
 * A continuation chunk of a long value:
 * ```
 *   word 0 reference count · 1 tag (KIND_CONTINUATION) · 2 next chunk · 3 the item · 4 bytes · byte 24 data
 * ```
 */

export const TAG = 1;
export const NEXT = 2;
export const HASH = 3;
export const LRU_PREVIOUS = 4;
export const LRU_NEXT = 5;
export const EXPIRY = 6;
export const ACCESS = 7;
export const CAS_LOW = 8;
export const CAS_HIGH = 9;
export const VALUE_BYTES = 10;
export const EXTRA = 11;
export const ITEM_HEADER_BYTES = 48;
/** "VALUE " */
export const VERB_BYTES = 6;
export const KEY_AT: number = ITEM_HEADER_BYTES + VERB_BYTES;

/** Tag: bits 0-7 key length, 8-12 length of " flags bytes\r\n", 13-14 LRU segment, then flags. */
export const TAG_KEY_MASK = 0xff;
export const TAG_SUFFIX_SHIFT = 8;
export const TAG_SUFFIX_MASK = 0x1f;
export const TAG_SEGMENT_SHIFT = 13;
export const TAG_SEGMENT_MASK: number = 3 << 13;
export const LINKED: number = 1 << 15;
export const FETCHED: number = 1 << 16;
export const ACTIVE: number = 1 << 17;
/** Deleted or invalidated; the value may be given to those who accept stale ones. */
export const STALE: number = 1 << 18;
/** A lease token was given out (memcached's win token). */
export const TOKEN: number = 1 << 19;
/** Has no value: exists for its token or its hold-off. */
export const STUB: number = 1 << 20;
/** `add` fails until the second in EXTRA. */
export const HOLDOFF: number = 1 << 21;
export const CHAINED: number = 1 << 22;
/** Is in a list of the Transient Item Cache. */
export const TRANSIENT: number = 1 << 23;
export const KIND_ITEM: number = 1 << 24;
export const KIND_CONTINUATION: number = 2 << 24;
export const KIND_MASK: number = 3 << 24;
/** Stale by a delete (a classic get misses), not only marked stale by meta `md I` (a meta get still hits). */
export const DELETED: number = 1 << 26;
/** Bits 27-30: the flush generation in which the item was linked; another one than the store's means flushed. */
export const GENERATION_SHIFT = 27;
export const GENERATIONS = 16;
export const GENERATION_MASK: number = 15 << 27;
/** The value is a list: a chain in which every element has a chunk of its own; see lists.ts. */
export const LIST: number = 1 << 31;
/** Not seen by a classic get. */
export const DEAD: number = STUB | STALE;

export const CHAIN_NEXT = 2;
export const CHAIN_OWNER = 3;
export const CHAIN_BYTES = 4;
export const CHAIN_DATA_AT = 24;
/** Bytes at the end of an item's chunk for the links of the chain, and of the transient lists. */
export const CHAIN_TAIL_BYTES = 16;
export const TRANSIENT_TAIL_BYTES = 8;

export const Segment: { readonly hot: 0; readonly warm: 1; readonly cold: 2 } = { hot: 0, warm: 1, cold: 2 };
export type Segment = (typeof Segment)[keyof typeof Segment];

/** Digits of a u32 in decimal. */
export function decimalDigits(value: number): number {
  if (value < 10) return 1;
  if (value < 100) return 2;
  if (value < 1000) return 3;
  if (value < 10_000) return 4;
  if (value < 100_000) return 5;
  if (value < 1_000_000) return 6;
  if (value < 10_000_000) return 7;
  if (value < 100_000_000) return 8;
  if (value < 1_000_000_000) return 9;
  return 10;
}

/** Writes a u32 in decimal at `offset`; returns the offset behind it. */
export function writeDecimal(u8: Uint8Array, offset: number, value: number): number {
  const end = offset + decimalDigits(value);
  let rest = value;
  for (let at = end - 1; at >= offset; at--) {
    const quotient = Math.floor(rest / 10);
    u8[at] = 48 + rest - quotient * 10;
    rest = quotient;
  }
  return end;
}
