/**
 * What operators' commands change in the running server. The session parses the commands and words the
 * answers; the server does what they say, in whatever thread that has to happen.
 */

export const CrawlResult: {
  readonly ok: 'ok';
  readonly running: 'running';
  readonly badClass: 'bad-class';
  readonly notStarted: 'not-started';
  readonly disabled: 'disabled';
} = { ok: 'ok', running: 'running', badClass: 'bad-class', notStarted: 'not-started', disabled: 'disabled' };
export type CrawlResult = (typeof CrawlResult)[keyof typeof CrawlResult];

export const ReassignResult: {
  readonly ok: 'ok';
  readonly running: 'running';
  readonly badClass: 'bad-class';
  readonly noSpare: 'no-spare';
  readonly same: 'same';
  readonly disabled: 'disabled';
} = {
  ok: 'ok',
  running: 'running',
  badClass: 'bad-class',
  noSpare: 'no-spare',
  same: 'same',
  disabled: 'disabled',
};
export type ReassignResult = (typeof ReassignResult)[keyof typeof ReassignResult];

export interface ServerControl {
  /** `shutdown` (only when enabled): stop; `graceful` keeps the memory file for the next start. */
  shutdown(graceful: boolean): void;
  /** `verbosity`. */
  setVerbosity(level: number): void;
  /** `cache_memlimit`; false when the limit cannot be changed to that. */
  setMemoryLimit(megabytes: number): boolean;
  /** `lru_crawler enable|disable`; false when it already was so. */
  setCrawler(enabled: boolean): boolean;
  /** `lru_crawler crawl` and the permission to `metadump`: `all`, `hash` or class numbers with commas. */
  crawl(classes: string): CrawlResult;
  /** Whether `metadump` may run for these classes now. */
  mayDump(classes: string): CrawlResult;
  /** `lru_crawler sleep` (microseconds) and `tocrawl` (items; 0 = all). */
  setCrawlerSleep(microseconds: number): void;
  setCrawlerItems(items: number): void;
  /** `lru tune`: shares of HOT and WARM in percent, and the ages relative to COLD at which they are cut. */
  tuneLru(hotPercent: number, warmPercent: number, hotFactor: number, warmFactor: number): boolean;
  /** `lru mode flat|segmented`; false when unsupported. */
  setLruMode(segmented: boolean): boolean;
  /** `lru temp_ttl`: negative switches the TEMP queue off. */
  setTemporaryTtl(seconds: number): boolean;
  /** `slabs reassign`; source -1 means any. */
  reassignSlab(source: number, target: number): ReassignResult;
  /** `slabs automove 0|1|2`, and its ratio. */
  setAutomove(level: number): void;
  setAutomoveRatio(ratio: number): void;
}
