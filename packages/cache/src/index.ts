/** The item store. */
export type { ArithmeticOptions } from './arithmetic.ts';
export type { StoreTotals } from './counters.ts';
export { CacheError } from './errors.ts';
export type { EvictionObserver } from './eviction.ts';
export { type StoreLayout, SUPERBLOCK_BYTES } from './layout.ts';
export * from './limits.ts';
export type { Lists } from './lists.ts';
export type { ItemVisitor, Maintenance } from './maintenance.ts';
export type { MetaDeleteOptions, MetaGetOptions } from './meta.ts';
export { STORE_DEFAULTS, type StoreOptions, storeOptions } from './options.ts';
export { whyNotRestartable } from './restart.ts';
export {
  LeaseOutcome,
  META_SENT,
  META_STALE,
  META_VIVIFIED,
  META_WAS_FETCHED,
  META_WON,
  StoreMode,
  StoreResult,
} from './result.ts';
export type { ClassItemStatistics, ClassSlabStatistics } from './statistics.ts';
export { planStore, Store } from './store.ts';
export type { MetaStoreOptions } from './storing.ts';
export { VALUE_MISSING, type ValueCopy } from './value-copy.ts';
