/** What is sent by reference and what is copied (papers/sosp23 3.2.1, papers/hotos21 4.2). */
import { REFERENCE_BYTES_MIN, REFERENCES_MAX } from '../limits.ts';

export interface ReferencePolicyOptions {
  /** Fields of at least this many bytes are sent by reference. 0 or 1: all; Infinity: none. */
  readonly referenceBytesMin?: number;
  /** References of one message; above, the smallest are copied. */
  readonly referencesMax?: number;
  /**
   * References of fewer bytes are held until the message is sent and copied then, once and to where it is sent from,
   * instead of being posted: for transports over which posting does not pay. 0: all are posted.
   */
  readonly postBytesMin?: number;
}

export class ReferencePolicy {
  referenceBytesMin: number;
  referencesMax: number;
  postBytesMin: number;

  constructor(options: ReferencePolicyOptions = {}) {
    this.referenceBytesMin = options.referenceBytesMin ?? REFERENCE_BYTES_MIN;
    this.referencesMax = options.referencesMax ?? REFERENCES_MAX;
    this.postBytesMin = options.postBytesMin ?? 0;
  }
}
