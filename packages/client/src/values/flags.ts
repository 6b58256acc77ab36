/**
 * What the 32 flag bits of an item say about its bytes.
 *
 * ```
 *   31            16 15   11  10   9    8     7     6    5     4     3    2    1    0
 *   ┌───────────────┬───────┬────┬────┬─────┬─────┬────┬────┬──────┬────┬────┬────┬────┐
 *   │ dictionary id │ dated │text│none│brotl│chunk│bigi│wire│clone │num │byte│json│zstd│
 *   └───────────────┴───────┴────┴────┴─────┴─────┴────┴────┴──────┴────┴────┴────┴────┘
 * ```
 *
 * With `dated` the upper bits say when the value becomes stale: see freshness.ts.
 *
 * No bit at all is text in UTF-8, which is what every client writes for strings, and 2 is JSON for the npm
 * packages `memcached` and `memcache-client` alike. 4 (bytes) and 8 (numbers in decimal digits, so that incr works) are as in
 * `memcached`; `memcache-client` has those two the other way round, so numbers and bytes are not exchanged
 * with it. Compression is `memcache-client`'s bit 1. The other bits are Larder's own.
 */
export const ValueFlag: {
  readonly zstd: 0x1;
  readonly json: 0x2;
  readonly bytes: 0x4;
  readonly number: 0x8;
  readonly clone: 0x10;
  readonly schema: 0x20;
  readonly bigint: 0x40;
  readonly chunked: 0x80;
  readonly brotli: 0x100;
  /**
   * Text, said explicitly: what an empty string carries. An empty value without flags is what memcached
   * shows a classic get for the stub of a lease, and is therefore a miss.
   */
  readonly text: 0x400;
  /** "There is nothing": negative caching. The byte stored with it means nothing. */
  readonly absent: 0x200;
  /** The upper bits say from when on the value is stale. */
  readonly dated: 0x800;
  /** Of a dated value: the two bytes of the dictionary's id are in front of the compressed bytes. */
  readonly idInFront: 0x4000;
} = {
  zstd: 0x1,
  json: 0x2,
  bytes: 0x4,
  number: 0x8,
  clone: 0x10,
  schema: 0x20,
  bigint: 0x40,
  chunked: 0x80,
  brotli: 0x100,
  text: 0x400,
  absent: 0x200,
  dated: 0x800,
  idInFront: 0x4000,
};

const TYPE_MASK = 0x67e;
export const COMPRESSED_MASK: number = ValueFlag.zstd | ValueFlag.brotli;
const DICTIONARY_SHIFT = 16;

/** The flags without those of compression, splitting and dictionary. */
export function typeOf(flags: number): number {
  return flags & TYPE_MASK;
}

/** 0 for none, and for dated values, which have it elsewhere. */
export function dictionaryIdOf(flags: number): number {
  return (flags & ValueFlag.dated) !== 0 ? 0 : flags >>> DICTIONARY_SHIFT;
}

export function withDictionary(flags: number, dictionaryId: number): number {
  return (flags | (dictionaryId << DICTIONARY_SHIFT)) >>> 0;
}
