/**
 * `stats detail`: gets, hits, sets and deletes by key prefix. A bounded number of prefixes is kept, so that
 * random keys cannot fill the memory; what comes after that is counted under no prefix at all.
 */
import type { DetailStatistics } from './statistics-source.ts';

/** Prefixes of which counts are kept. */
const PREFIXES_MAX = 4096;

interface PrefixCounts {
  get: number;
  hit: number;
  set: number;
  delete: number;
}

export class PrefixDetail implements DetailStatistics {
  enabled: boolean = false;
  readonly #prefixes: Map<string, PrefixCounts> = new Map();

  recordGet(prefix: string, hit: boolean): void {
    const counts = this.#counts(prefix);
    if (counts === undefined) return;
    counts.get++;
    if (hit) counts.hit++;
  }

  recordSet(prefix: string): void {
    const counts = this.#counts(prefix);
    if (counts !== undefined) counts.set++;
  }

  recordDelete(prefix: string): void {
    const counts = this.#counts(prefix);
    if (counts !== undefined) counts.delete++;
  }

  clear(): void {
    this.#prefixes.clear();
  }

  *dump(): Iterable<string> {
    for (const [prefix, counts] of this.#prefixes) {
      yield `PREFIX ${prefix} get ${counts.get} hit ${counts.hit} set ${counts.set} del ${counts.delete}`;
    }
  }

  #counts(prefix: string): PrefixCounts | undefined {
    let counts = this.#prefixes.get(prefix);
    if (counts === undefined && this.#prefixes.size < PREFIXES_MAX) {
      counts = { get: 0, hit: 0, set: 0, delete: 0 };
      this.#prefixes.set(prefix, counts);
    }
    return counts;
  }
}
