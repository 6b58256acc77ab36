/**
 * The words through which the threads of one server steer each other: the head of the shared memory (see
 * `shared-state.ts`).
 */
import { THREADS_MAX } from '@larder/host';

/** The workers of `-t` and one more for TLS. */
const WORKERS_MAX: number = THREADS_MAX + 1;

/** Indices of the control words (i32). */
export const Control: {
  /** 1: every worker ends its transport and leaves. */
  readonly stop: 0;
  /** Categories that somebody watches, as a bit mask. */
  readonly watched: 1;
  readonly watchedLock: 2;
  /** Number of the next event, shared by all workers. */
  readonly nextEvent: 3;
  /** 1: `stats detail on`. */
  readonly detail: 4;
  /** Level of verbosity set by a client, plus 1; 0: as started. */
  readonly verbosity: 6;
  readonly detailLock: 7;
  /** Counted up once a second by the main thread: the server's clock in seconds since its start. */
  readonly uptimeSeconds: 8;
  /** Prefixes that `stats detail` knows. */
  readonly detailPrefixes: 9;
  /** What the maintenance is about: slices run, whether it crawls, whether it moves a page. */
  readonly maintenanceSlices: 10;
  readonly isCrawling: 11;
  readonly isMovingPage: 12;
  /** How often the copy threshold was measured, and what the last time cost. */
  readonly copyCalibrations: 13;
  readonly copyCalibrationMicroseconds: 14;
  /** First of 16 words: watchers by category. */
  readonly watchersByCategory: 16;
  /** First of THREADS words: watchers by worker, and whether it was woken to read events. */
  readonly watchersOfWorker: 32;
  readonly eventsPending: number;
} = {
  stop: 0,
  watched: 1,
  watchedLock: 2,
  nextEvent: 3,
  detail: 4,
  verbosity: 6,
  detailLock: 7,
  uptimeSeconds: 8,
  detailPrefixes: 9,
  maintenanceSlices: 10,
  isCrawling: 11,
  isMovingPage: 12,
  copyCalibrations: 13,
  copyCalibrationMicroseconds: 14,
  watchersByCategory: 16,
  watchersOfWorker: 32,
  eventsPending: 32 + WORKERS_MAX,
};

export const CONTROL_WORDS: number = 32 + 2 * WORKERS_MAX;
