/**
 * Limits of the erasure package, with the relations between them asserted
 * when the module loads.
 */

/** Largest prime of the array codes: a stripe of this many nodes is beyond any use. */
export const PRIME_MAX = 257;

/** Field widths of the Cauchy codes, as the primitive polynomials are tabulated. */
export const FIELD_BITS_MIN = 1;
export const FIELD_BITS_MAX = 10;

/** Words of the row space that may be listed in memory: 2^22 words of a few 32-bit integers. */
const ENUMERATED_DIMENSIONS_MAX = 22;

/** Default limits of the enumeration planner (it is exponential in m·ω). */
export const ENUMERATION_TIME_MS = 60_000;
export const ENUMERATION_EQUATIONS_MAX: number = 1 << ENUMERATED_DIMENSIONS_MAX;

/** Default time of the anytime planners. */
export const OPTIMAL_TIME_MS = 10_000;

/** Memory that the optimal planner may take for the listed row space. */
export const OPTIMAL_BYTES_MAX: number = 512 * 1024 * 1024;

/** Plans kept by a plan cache unless told otherwise. */
export const CACHED_PLANS_MAX = 1024;

/** Costs are compared after quantising them to this many steps of the largest one. */
export const COST_STEPS = 64;

/** Kernels work on whole multiples of this many bytes, at addresses that are multiples of it. */
export const REGION_ALIGNMENT_BYTES = 64;

/** WebAssembly's page, and the most that a memory with 32-bit addresses is given. */
export const KERNEL_PAGE_BYTES = 65_536;
export const KERNEL_MEMORY_BYTES_MAX: number = 2 ** 32 - KERNEL_PAGE_BYTES;

/** A schedule is compiled once it has been run on this many bytes; before that it would not pay. */
export const COMPILE_FROM_BYTES: number = 1 << 20;

/** Longer schedules (primes beyond 50) are run step by step: compiling them takes longer than it saves. */
export const COMPILED_XORS_MAX = 20_000;

/** Bytes of each region that are staged at a time when the regions do not lie in a kernel memory. */
export const STAGED_BYTES = 16_384;

/** What staging may take in all; long schedules get less of each region. */
export const STAGING_BYTES_MAX: number = 64 * 1024 * 1024;

if (STAGED_BYTES % REGION_ALIGNMENT_BYTES !== 0) {
  throw new Error('STAGED_BYTES must be a multiple of what the kernels work on');
}
if (ENUMERATION_EQUATIONS_MAX > 2 ** ENUMERATED_DIMENSIONS_MAX) {
  throw new Error('ENUMERATION_EQUATIONS_MAX must fit the dimensions that can be listed');
}
