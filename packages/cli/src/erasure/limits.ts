/** Limits of erasure-coded files, with the relations between them asserted at load. */

const KIB = 1024;
const MIB = 1024 * KIB;

/** What symbols are a multiple of: the kernels' step. */
export const SYMBOL_STEP_BYTES = 64;
/** Bytes of a symbol unless told otherwise; small files get smaller ones. */
export const SYMBOL_BYTES: number = 64 * KIB;
export const SYMBOL_BYTES_MAX: number = 16 * MIB;
/** A stripe (all symbols of all nodes) is what is held in memory. */
export const STRIPE_BYTES_MAX: number = 256 * MIB;
/** Stripes are made no larger than this by choosing smaller symbols. */
export const STRIPE_BYTES_WANTED: number = 32 * MIB;
/** A manifest of the largest code is below this. */
export const MANIFEST_BYTES_MAX: number = MIB;
/** Picture of a stripe: nodes that fit on a terminal, and rows worth showing. */
export const PICTURE_NODES_MAX = 40;
export const PICTURE_ROWS_MAX = 60;

if (SYMBOL_BYTES % SYMBOL_STEP_BYTES !== 0 || SYMBOL_BYTES_MAX % SYMBOL_STEP_BYTES !== 0) {
  throw new Error('erasure limits: symbols are whole steps of the kernels');
}
if (STRIPE_BYTES_WANTED > STRIPE_BYTES_MAX) throw new Error('erasure limits: wanted stripes are legal');
