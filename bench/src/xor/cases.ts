/**
 * The cases of the XOR benchmark: what is computed, on how many bytes, against whom, and what is to be
 * reached.
 */
import { crs, type ErasureCode, rdp, rs, star } from '@larder/erasure';

const KIB = 1024;
/** The paper's chunk: one symbol, or here also what a node holds of one stripe. */
const CHUNK_BYTES: number = 512 * KIB;
const PAGE_BYTES = 4096;

export type PeerName = 'isal' | 'jerasure' | 'ronomon';

interface CaseBase {
  readonly name: string;
  readonly title: string;
  readonly peer: PeerName;
  /** Larder's GB/s over the peer's, at least; cases without one are for information. */
  readonly ratioMin?: number;
}

/** One region as the XOR of others. */
export interface SumCase extends CaseBase {
  readonly kind: 'sum';
  readonly sources: number;
  readonly bytes: number;
}

/** All parities of a stripe. */
export interface EncodeCase extends CaseBase {
  readonly kind: 'encode';
  readonly code: ErasureCode;
  readonly symbolBytes: number;
}

export type XorCase = SumCase | EncodeCase;

const SUM_RATIO = 0.4;
const SCHEDULE_RATIO = 1.5;
const RONOMON_RATIO = 3;

const sums: SumCase[] = Array.from({ length: 9 }, (_, i) => i + 4).map((sources) => ({
  kind: 'sum',
  name: `xor-${sources}`,
  title: `XOR of ${sources} sources`,
  peer: 'isal',
  ratioMin: SUM_RATIO,
  sources,
  bytes: CHUNK_BYTES,
}));

/** Both readings of "chunks of 512 KB": each symbol, or all symbols of a node together. */
function encodings(name: string, code: ErasureCode): EncodeCase[] {
  const shared = { kind: 'encode', peer: 'jerasure', ratioMin: SCHEDULE_RATIO, code } as const;
  const perNode = Math.floor(CHUNK_BYTES / code.rows / PAGE_BYTES) * PAGE_BYTES;
  return [
    { ...shared, name, title: `${code.id}, a symbol has 512 KB`, symbolBytes: CHUNK_BYTES },
    { ...shared, name: `${name}-small`, title: `${code.id}, a node has 512 KB`, symbolBytes: perNode },
  ];
}

const [K, M] = [10, 4];
const baseline = { kind: 'encode', symbolBytes: CHUNK_BYTES / 8 } as const;

export const XOR_CASES: readonly XorCase[] = [
  ...sums,
  ...encodings('crs-10-4', crs(K, M)),
  ...encodings('crs-6-3', crs(6, 3)),
  ...encodings('rdp-11', rdp(11)),
  ...encodings('star-7', star(7)),
  {
    kind: 'encode',
    name: 'ronomon-crs',
    title: 'crs(k=10,m=4), a node has 512 KB',
    peer: 'ronomon',
    ratioMin: RONOMON_RATIO,
    code: crs(K, M),
    symbolBytes: CHUNK_BYTES / 4,
  },
  {
    ...baseline,
    name: 'ronomon-rs',
    title: 'rs(k=10,m=4), a node has 512 KB',
    peer: 'ronomon',
    code: rs(K, M),
  },
  { ...baseline, name: 'isal-rs', title: 'rs(k=10,m=4), a node has 512 KB', peer: 'isal', code: rs(K, M) },
];

/** Bytes of data that one round works on: what GB/s counts. */
export function dataBytes(spec: XorCase): number {
  if (spec.kind === 'sum') return spec.sources * spec.bytes;
  return spec.code.dataSymbols.length * spec.symbolBytes;
}
