/**
 * The workloads of the serialization study (papers/sosp23 6.1.4), as data: which values there are, how they are
 * made of buffers, and what is asked for. Everything follows from the numbers here and the seed.
 *
 * The papers' working sets are 1 to 10 GB. Here the number of keys is chosen so that the values are at least
 * five times the last-level cache for the workloads with large values, and at most about 1 GB for all.
 */
import { CDN_SIZES, type LogNormal, TWITTER_SIZES } from './sizes.ts';

/** How the value of a key is made of buffers. */
export type ValueShape =
  /** A list of `1..countMax` buffers with sizes from Google's distribution of bytes fields. */
  | { readonly kind: 'google'; readonly countMax: number }
  /** `count` buffers of `bytes` bytes. */
  | { readonly kind: 'fixed'; readonly count: number; readonly bytes: number }
  /** A value cut into segments, which are asked for one after the other. */
  | { readonly kind: 'segmented'; readonly sizes: LogNormal }
  /** The same, but every segment is a key of its own. */
  | { readonly kind: 'split'; readonly sizes: LogNormal };

export interface Workload {
  readonly name: string;
  readonly title: string;
  readonly seed: number;
  /** Objects; a key each, except where objects are split into keys. */
  readonly objects: number;
  readonly keyBytesMin: number;
  readonly keyBytesMax: number;
  readonly shape: ValueShape;
  /** Zipf exponent of the popularity of objects; 0 for uniform. */
  readonly zipf: number;
  /** The share of requests that replace a value. */
  readonly putRatio: number;
  /** Requests made in advance; they are sent in a circle. */
  readonly requests: number;
}

/** Buffers are cut at this size, so that a reply fits a jumbo frame. */
export const SEGMENT_BYTES: number = 8192;
/** What the values of one reply may have together: a jumbo frame of 9000 bytes without its headers. */
export const REPLY_VALUE_BYTES_MAX: number = 8800;

const GOOGLE_REQUESTS = 200_000;

function google(countMax: number, objects: number): Workload {
  const range = countMax === 1 ? '1 value' : `1–${countMax} values`;
  return {
    name: countMax === 1 ? 'google-1' : `google-1-${countMax}`,
    title: `Google sizes, ${range}`,
    seed: 100 + countMax,
    objects,
    keyBytesMin: 64,
    keyBytesMax: 64,
    shape: { kind: 'google', countMax },
    zipf: 0,
    putRatio: 0,
    requests: GOOGLE_REQUESTS,
  };
}

function ycsb(count: number, bytes: number): Workload {
  return {
    name: `ycsb-${count}x${bytes}`,
    title: `YCSB-C, ${count} × ${bytes} B`,
    seed: 400 + count,
    objects: 100_000,
    keyBytesMin: 30,
    keyBytesMax: 31,
    shape: { kind: 'fixed', count, bytes },
    zipf: 0.99,
    putRatio: 0,
    requests: 100_000,
  };
}

export const WORKLOADS: readonly Workload[] = [
  google(1, 1_000_000),
  google(4, 1_000_000),
  google(8, 500_000),
  google(16, 250_000),
  {
    name: 'twitter',
    title: 'Twitter cluster 4',
    // Of the seeds near 200 the one with which 32% of the requests hit values of 512 bytes and more.
    seed: 209,
    objects: 131_072,
    keyBytesMin: 67,
    keyBytesMax: 67,
    shape: { kind: 'split', sizes: TWITTER_SIZES },
    zipf: 1.1,
    putRatio: 0.08,
    requests: 80_000,
  },
  {
    name: 'cdn',
    title: 'CDN images, in segments',
    seed: 300,
    objects: 32_768,
    keyBytesMin: 64,
    keyBytesMax: 64,
    shape: { kind: 'segmented', sizes: CDN_SIZES },
    zipf: 0,
    putRatio: 0,
    requests: 100_000,
  },
  ycsb(1, 4096),
  ycsb(2, 2048),
  ycsb(4, 1024),
];

/** The same workload with fewer objects and requests: for tests and for quick looks. */
export function reduced(workload: Workload, objects: number, requests: number): Workload {
  return {
    ...workload,
    objects: Math.min(workload.objects, objects),
    requests: Math.min(workload.requests, requests),
  };
}
