/**
 * Every legal code up to a number of nodes, for tables, tests and evaluations.
 */
import { blaumRoth } from './blaum-roth.ts';
import { cauchyBitsMin, crs, crsOriginal } from './cauchy.ts';
import { type ErasureCode, isPrime } from './code.ts';
import { evenodd } from './evenodd.ts';
import { hdp } from './hdp.ts';
import { liber8tion } from './liber8tion.ts';
import { liberation } from './liberation.ts';
import { rdp } from './rdp.ts';
import { rs } from './reed-solomon.ts';
import { star } from './star.ts';
import { xcode } from './xcode.ts';

export interface CatalogueOptions {
  readonly nodesMax: number;
  /**
   * Prime of shortened codes: only the smallest that has room for k data nodes
   * (what a user would take), or all up to that of the longest code.
   */
  readonly shortened: 'none' | 'tightest' | 'all';
  /** Widths of the Cauchy codes beyond the smallest possible. */
  readonly extraBits: number;
  readonly parityNodesMax: number;
}

/** Lists codes family by family; nothing is built until it is asked for. */
export function* legalCodes(options: CatalogueOptions): Generator<ErasureCode> {
  yield* primeCodes(options);
  yield* widthCodes(options);
  yield* fieldCodes(options);
}

function* primeCodes({ nodesMax, shortened }: CatalogueOptions): Generator<ErasureCode> {
  const families = [
    { create: rdp, dataMax: (p: number) => p - 1, parities: 2 },
    { create: evenodd, dataMax: (p: number) => p, parities: 2 },
    { create: star, dataMax: (p: number) => p, parities: 3 },
  ];
  for (const { create, dataMax, parities } of families) {
    for (const p of primesUpTo(nodesMax + 1)) {
      const fits = (k: number) => k >= 1 && k <= dataMax(p) && k + parities <= nodesMax;
      if (fits(dataMax(p))) yield create(p, dataMax(p));
      if (shortened === 'none') continue;
      const smaller = previousPrime(p);
      const least = shortened === 'all' || smaller === undefined ? 1 : dataMax(smaller) + 1;
      for (let k = dataMax(p) - 1; k >= least; k--) if (fits(k)) yield create(p, k);
    }
  }
  for (const p of primesUpTo(nodesMax)) yield xcode(p);
  for (const p of primesUpTo(nodesMax + 1)) if (p >= 5) yield hdp(p);
}

function* widthCodes({ nodesMax, shortened }: CatalogueOptions): Generator<ErasureCode> {
  const kMax = nodesMax - 2;
  for (let k = 1; k <= Math.min(8, kMax); k++) yield liber8tion(k);
  for (const { create, offset } of [
    { create: liberation, offset: 0 },
    { create: blaumRoth, offset: 1 },
  ]) {
    for (const p of primesUpTo(nodesMax + 1)) {
      const w = p - offset;
      const smaller = previousPrime(p);
      const least = shortened === 'tightest' && smaller !== undefined ? smaller - offset + 1 : 1;
      for (let k = Math.min(w, kMax); k >= (shortened === 'none' ? w : least); k--) yield create(k, w);
    }
  }
}

function* fieldCodes({ nodesMax, extraBits, parityNodesMax }: CatalogueOptions): Generator<ErasureCode> {
  for (let n = 2; n <= nodesMax; n++) {
    for (let m = 1; m <= Math.min(n - 1, parityNodesMax); m++) {
      const least = cauchyBitsMin(n - m, m);
      for (let w = least; w <= Math.min(least + extraBits, 8); w++) {
        yield crs(n - m, m, w);
        yield crsOriginal(n - m, m, w);
      }
      yield rs(n - m, m);
    }
  }
}

function primesUpTo(most: number): number[] {
  const primes: number[] = [];
  for (let p = 3; p <= most; p++) if (isPrime(p)) primes.push(p);
  return primes;
}

function previousPrime(p: number): number | undefined {
  for (let q = p - 1; q >= 3; q--) if (isPrime(q)) return q;
  return undefined;
}
