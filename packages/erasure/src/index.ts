/**
 * @larder/erasure: XOR erasure codes and recovery plans that read the least.
 * No I/O, no native code; Node and browsers.
 */

export { blaumRoth } from './codes/blaum-roth.ts';
export { type CatalogueOptions, legalCodes } from './codes/catalogue.ts';
export { crs, crsOriginal } from './codes/cauchy.ts';
export {
  type CodeName,
  type CodeParameters,
  codeNames,
  type ErasureCode,
  positionOf,
  symbolAt,
  symbolsOfNodes,
} from './codes/code.ts';
export {
  decode,
  decodePlan,
  dependentParities,
  encode,
  encodeSchedule,
  type Loss,
  update,
  type Verification,
  verify,
} from './codes/codec.ts';
export { evenodd } from './codes/evenodd.ts';
export { hdp } from './codes/hdp.ts';
export { liber8tion } from './codes/liber8tion.ts';
export { liberation } from './codes/liberation.ts';
export { rdp } from './codes/rdp.ts';
export { reedSolomonRows, rs } from './codes/reed-solomon.ts';
export { type CodeFamily, codeFamilies, createCode } from './codes/registry.ts';
export { star } from './codes/star.ts';
export { xcode } from './codes/xcode.ts';
export { ErasureError, type ErasureErrorCode, UndecodableError } from './errors.ts';
export { KernelMemory } from './kernels/kernel-memory.ts';
export { isZeroRegion, runSchedule, xorRegions } from './kernels/run-schedule.ts';
export type { WasmMemory } from './kernels/web-assembly.ts';
export type { KernelLevel } from './kernels/xor-kernel.ts';
export { type XorLevel, xorLevel, xorLevels } from './kernels/xor-level.ts';
export { XorProgram, type XorProgramOptions } from './kernels/xor-program.ts';
export { BitMatrix } from './matrix/bit-matrix.ts';
export { GaloisField } from './matrix/galois-field.ts';
export {
  type BalancedRotation,
  type BalanceOptions,
  balanceRotation,
  stripePlacement,
} from './planners/balance.ts';
export {
  type Certificate,
  executePlan,
  type Objective,
  type Optimality,
  type RecoveryPlan,
  type Strategy,
  symbolRegion,
} from './planners/plan.ts';
export { PlanCache } from './planners/plan-cache.ts';
export { certifiedBound, type PlanRequest, plan, planDegradedRead, strategies } from './planners/planner.ts';
export { type ShareOptions, scheduleMatrix } from './schedule/share-subexpressions.ts';
export { executeSchedule, type XorSchedule, type XorStep } from './schedule/xor-schedule.ts';
