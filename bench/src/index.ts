/** What others may use of the benchmarks: the cases and the shape of a report. */
export type { BenchCase, CapacityCase, CompareCase, GrowthCase } from './cache/case-types.ts';
export { CACHE_CASES } from './cache/cases.ts';
export type { CaseResult, Report } from './cache/results.ts';
