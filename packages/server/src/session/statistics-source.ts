/**
 * Where the `stats` commands get their numbers from. The session knows the commands and the wire format, the
 * server knows what is counted where (its own threads' counters, the store, the transports, the options).
 */

/** One `STAT <name> <value>` line. Values hold no line breaks. */
export type StatisticsRow = readonly [name: string, value: string | number | bigint];

export interface StatisticsSource {
  /** `stats`: memcached's names and meanings, Larder's own behind them. */
  general(): Iterable<StatisticsRow>;
  /** `stats items`: `items:<class>:<name>`. */
  items(): Iterable<StatisticsRow>;
  /** `stats slabs`: `<class>:<name>`, then `active_slabs` and `total_malloced`. */
  slabs(): Iterable<StatisticsRow>;
  /** `stats sizes`: bytes (in steps of 32) and items of about that size. */
  sizes(): Iterable<StatisticsRow>;
  /** `stats settings`. */
  settings(): Iterable<StatisticsRow>;
  /** `stats conns`: `<connection>:<name>`. */
  conns(): Iterable<StatisticsRow>;
  /** `stats reset`. */
  reset(): void;
  /** `stats detail on|off|dump`. */
  readonly detail: DetailStatistics;
}

/** Counts by key prefix (what stands in front of the first `:`), off unless asked for. */
export interface DetailStatistics {
  /** Read for every request: a plain field. */
  enabled: boolean;
  recordGet(prefix: string, hit: boolean): void;
  recordSet(prefix: string): void;
  recordDelete(prefix: string): void;
  /** Lines without terminators, such as `PREFIX user get 2 hit 1 set 1 del 0`. */
  dump(): Iterable<string>;
}
