/** What a run of the XOR benchmark found. */
import type { Machine } from '../harness/machine.ts';
import type { Spread } from '../harness/statistics.ts';
import type { PeerName } from './cases.ts';

export interface XorResult {
  readonly name: string;
  readonly title: string;
  /** Bytes of data in one round. */
  readonly dataBytes: number;
  readonly larder: { readonly text: string; readonly gigabytesPerSecond: Spread };
  readonly peer: { readonly name: PeerName; readonly text: string; readonly gigabytesPerSecond: Spread };
  /** Larder over the peer, per alternation. */
  readonly ratio: Spread;
  readonly ratioMin?: number;
  /** True without a target too. */
  readonly met: boolean;
}

export interface XorReport {
  readonly machine: Omit<Machine, 'memcached'>;
  readonly alternations: number;
  readonly milliseconds: number;
  readonly results: readonly XorResult[];
  /** Peers that could not be compared with, and why. */
  readonly skipped: readonly string[];
}
