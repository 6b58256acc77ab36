/** Limits of the spool, with the relations between them. */
import { strict as assert } from 'node:assert';

/** A segment is closed at this size, or after this time, whatever comes first. */
export const SEGMENT_BYTES_MAX: number = 1024 * 1024;
export const SEGMENT_AGE_MAX_MS: number = 60 * 60 * 1000;
/** All segments of one spool together; beyond, deletes are refused again as without a spool. */
export const SPOOL_BYTES_MAX: number = 1024 * 1024 * 1024;
/** A full spool is counted anew at most this often. */
export const RECOUNT_INTERVAL_MS: number = 1000;
/** With the policy `interval`, what was written is forced to the disk at most so much later. */
export const SYNC_INTERVAL_MS: number = 1000;
/** Deletes under way at a time while a spool is delivered. */
export const REPLAY_WINDOW: number = 64;
/**
 * Segments are read together, sorted and freed of duplicates up to about so many records: more would keep the
 * process from its requests for longer than a few hundredths of a second.
 */
export const REPLAY_RECORDS_MAX: number = 20_000;
export const REPLAY_DELAY_INITIAL_MS: number = 1000;
export const REPLAY_DELAY_MAX_MS: number = 60_000;
/** Notices about a full or failing disk come at most this often. */
export const NOTICE_INTERVAL_MS: number = 60_000;

assert(SEGMENT_BYTES_MAX * 2 <= SPOOL_BYTES_MAX, 'a spool holds more than one segment');
assert(REPLAY_DELAY_INITIAL_MS <= REPLAY_DELAY_MAX_MS, 'delays grow');
