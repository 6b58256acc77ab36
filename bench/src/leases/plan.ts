/**
 * What the lease benchmark does: hot keys that are read by many and updated often, over a database that takes its
 * time (papers/nsdi13 3.2.1, "a set of keys particularly susceptible to thundering herds").
 */

export const HOT_KEYS: number = 20;
/** How long the database takes for a query. */
export const QUERY_MS: number = 10;
/** Every key is updated once in so many milliseconds. */
export const UPDATE_EVERY_MS: number = 100;
export const PROCESSES: number = 4;
/** Callers in each process; each pauses for a millisecond between two calls, as a request does other work. */
export const CALLERS: number = 50;
/** The database's queries are counted in pieces of time of this length; the peak is the fullest one. */
export const BUCKET_MS: number = 250;

export const MODES = ['look-aside', 'leases', 'leases-stale'] as const;
export type Mode = (typeof MODES)[number];

export const MODE_TITLES: Readonly<Record<Mode, string>> = {
  'look-aside': 'get, query on a miss, set: no leases',
  leases: 'getOrSet',
  'leases-stale': 'getOrSet, stale values accepted',
};

export function hotKey(index: number): string {
  return `hot:${index}`;
}

/** From the parent to a reader's process. */
export type Order =
  | { readonly kind: 'run'; readonly mode: Mode; readonly milliseconds: number }
  | { readonly kind: 'answer'; readonly id: number; readonly version: number };

/** From a reader's process to its parent. */
export type Report =
  | { readonly kind: 'ready' }
  | { readonly kind: 'query'; readonly id: number; readonly key: string }
  | { readonly kind: 'done'; readonly calls: number; readonly latenciesMs: readonly number[] }
  | { readonly kind: 'failed'; readonly error: string };
