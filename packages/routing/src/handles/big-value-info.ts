/**
 * The head of a value that was split: where its chunks are. It is stored under the value's own key, with a client
 * flag that says what it is, in mcrouter's form, so that both can read each other's values.
 *
 * ```
 *   key             1-3-7348293       layout 1, 3 chunks, version 7348293      (flag 0x8000)
 *   key:0:7348293   first bytes
 *   key:1:7348293   …
 *   key:2:7348293   last bytes
 * ```
 * Every store has a version of its own, so that the chunks of two stores cannot be mixed up.
 */
export const BIG_VALUE_FLAG = 0x8000;
/** Chunks of one value; more than fits any sensible cache. */
const CHUNKS_MAX = 65_536;
/** Versions are decimal numbers of at most so many digits. */
const VERSION_DIGITS_MAX = 20;
/** `:65535:<version>` */
export const CHUNK_SUFFIX_BYTES_MAX: number = 1 + 5 + 1 + VERSION_DIGITS_MAX;

export interface BigValueInfo {
  readonly chunks: number;
  readonly version: string;
}

export function formatInfo(info: BigValueInfo): Buffer {
  return Buffer.from(`1-${info.chunks}-${info.version}`, 'latin1');
}

/** What the head says, or undefined if it is none. */
export function parseInfo(value: Buffer): BigValueInfo | undefined {
  if (value.length > CHUNK_SUFFIX_BYTES_MAX + 2) return undefined;
  const match = /^1-(\d{1,5})-(\d{1,20})$/.exec(value.toString('latin1'));
  const chunks = Number(match?.[1] ?? 0);
  return chunks >= 1 && chunks <= CHUNKS_MAX ? { chunks, version: match?.[2] ?? '' } : undefined;
}

export function chunkSuffix(index: number, info: BigValueInfo): string {
  return `:${index}:${info.version}`;
}
