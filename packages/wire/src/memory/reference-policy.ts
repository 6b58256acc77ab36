/** What is sent by reference and what is copied (papers/sosp23 3.2.1, papers/hotos21 4.2). */
import { REFERENCE_BYTES_MIN, REFERENCES_MAX } from '../limits.ts';

export interface ReferencePolicyOptions {
  /** Fields of at least this many bytes are sent by reference. 0 or 1: all; Infinity: none. */
  readonly referenceBytesMin?: number;
  /** References of one message; above, the smallest are copied. */
  readonly referencesMax?: number;
}

export class ReferencePolicy {
  referenceBytesMin: number;
  referencesMax: number;

  constructor(options: ReferencePolicyOptions = {}) {
    this.referenceBytesMin = options.referenceBytesMin ?? REFERENCE_BYTES_MIN;
    this.referencesMax = options.referencesMax ?? REFERENCES_MAX;
  }
}
