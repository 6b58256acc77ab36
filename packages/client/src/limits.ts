/** Limits of the client, with the relations between them asserted at load. */
import { strict as assert } from 'node:assert';

/** The longest key on the wire; longer ones are shortened and hashed. */
export const KEY_BYTES_MAX: number = 250;
/** How much of a hashed key stays readable, so that routing by prefix goes on working. */
export const HASHED_KEY_HEAD_BYTES: number = 180;
/** A SHA-256 in base64url, and the mark in front of it. */
export const HASHED_KEY_TAIL_BYTES: number = 44;
/** What is put behind a key for the parts of a split value: mark, id of the write, number of the part. */
export const CHUNK_SUFFIX_BYTES_MAX: number = 24;

/** Values above this are split by default: what fits into a 1 MiB item together with its key and header. */
export const CHUNK_BYTES_DEFAULT: number = 1_000_000;
/** The least that a part of a split value may have. */
export const CHUNK_BYTES_MIN: number = 1024;
/** The largest value, before compression and splitting. */
export const VALUE_BYTES_MAX: number = 256 * 1024 * 1024;
/** Parts of one value; asserted against a tiny chunk size when a value is split. */
export const CHUNKS_MAX: number = 65_536;

/** Values of at least so many bytes are compressed, when compression is on. */
export const COMPRESS_FROM_BYTES_DEFAULT: number = 2048;

/** Keys of one multiget line. 100 keys of 250 bytes stay far below any server's limit for a line. */
export const KEYS_PER_MULTIGET_MAX: number = 100;

/** memcache takes times above 30 days for Unix times. */
export const RELATIVE_EXPTIME_SECONDS_MAX: number = 30 * 24 * 3600;

/** Keys whose get has failed lately and which are therefore not set (papers/nsdi13 3.1). */
export const FAILED_GETS_MAX: number = 16_384;
export const FAILED_GET_MS_DEFAULT: number = 2000;

/** How long a filler may take before another one is let in. The server's own lease time is 10 s by default. */
export const LEASE_SECONDS_DEFAULT: number = 10;
/** First and longest pause between two looks at a key that another caller fills. */
export const LEASE_WAIT_MS_MIN: number = 4;
export const LEASE_WAIT_MS_MAX: number = 250;
/**
 * How many lease times a caller waits for another one's fill before it helps itself, without setting: long enough to
 * win the lease of a filler that died, or no factory that takes its time would be protected from a stampede.
 */
export const LEASE_PATIENCE_TIMES: number = 2;

/** The flow-control window, in keys. */
export const WINDOW_KEYS_MIN: number = 16;
export const WINDOW_KEYS_INITIAL: number = 512;
export const WINDOW_KEYS_MAX: number = 65_536;

export const TIMEOUT_MS_DEFAULT: number = 1000;
/** A datagram that has not come by then is lost: much sooner than a connection is given up. */
export const UDP_TIMEOUT_MS_DEFAULT: number = 100;

assert.ok(HASHED_KEY_HEAD_BYTES + HASHED_KEY_TAIL_BYTES + CHUNK_SUFFIX_BYTES_MAX <= KEY_BYTES_MAX);
assert.ok(CHUNK_BYTES_MIN <= CHUNK_BYTES_DEFAULT && CHUNK_BYTES_DEFAULT * CHUNKS_MAX >= VALUE_BYTES_MAX);
assert.ok(WINDOW_KEYS_MIN <= WINDOW_KEYS_INITIAL && WINDOW_KEYS_INITIAL <= WINDOW_KEYS_MAX);
assert.ok(LEASE_WAIT_MS_MIN < LEASE_WAIT_MS_MAX && LEASE_WAIT_MS_MAX < LEASE_SECONDS_DEFAULT * 1000);
assert.ok(LEASE_PATIENCE_TIMES >= 1);
