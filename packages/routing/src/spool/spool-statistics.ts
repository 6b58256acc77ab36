/** Counts of a spool, for metrics. */
export class SpoolStatistics {
  /** Deletes written, and those that could not be (limit or disk). */
  written = 0;
  refused = 0;
  /** Records read back, and deletes that their destination has answered; repetitions are read but not sent. */
  read = 0;
  delivered = 0;
  /** Stretches of files that were no records, and files torn at their end by a crash. */
  damaged = 0;
  torn = 0;
  /** Bytes in all files, about. */
  bytes = 0;
}
