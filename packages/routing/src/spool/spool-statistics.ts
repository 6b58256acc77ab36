/** What one process has done with its spool, for metrics. Counters only grow; what waits is `Spool.contents()`. */
export class SpoolStatistics {
  /** Deletes written. */
  written = 0;
  /** Deletes that could not be written and failed instead, for whatever reason. */
  refused = 0;
  /** Those of them for which the spool's limit left no room. */
  droppedForLimit = 0;
  /** Records read back, of other processes too. */
  read = 0;
  /** Deletes that their destination has answered; repetitions are read but not sent. */
  delivered = 0;
  /** Stretches of files that were no records, and files torn at their end by a crash. */
  damaged = 0;
  torn = 0;
  /** What counts against the limit: bytes of all files, about. Not a counter. */
  bytes = 0;
}
