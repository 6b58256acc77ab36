/**
 * Ketama: servers own points on a ring of 32-bit numbers, a key belongs to the first point at or after its
 * hash. The variants in use differ in how many points a server gets and in how its name is spelt:
 *
 *   variant                points of a server                            keys are hashed by
 *   libmemcached           100, one-at-a-time of `host:port-i`           one-at-a-time
 *   libmemcached-weighted  160 x servers x share of the weights,         MD5
 *                          four from each MD5 of `host:port-i`
 *   twemproxy              the same                                      fnv1a_64
 *
 * The port is left out of the name when it is 11211. `libmemcached` is MEMCACHED_BEHAVIOR_KETAMA (with the
 * library's default hash), `libmemcached-weighted` is MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED, the one that most
 * clients mean by ketama; twemproxy with `hash: md5` equals it. The tests hold the first two against answers
 * of the real library, the third against a running nutcracker.
 */
import { strict as assert } from 'node:assert';
import type { KeyHash } from './key-hash.ts';
import { fnv1a64, oneAtATime } from './key-hashes.ts';
import { Md5 } from './md5.ts';

/** Whose ketama it is. */
export const KetamaVariant = {
  libmemcached: 'libmemcached',
  libmemcachedWeighted: 'libmemcached-weighted',
  twemproxy: 'twemproxy',
} as const;
export type KetamaVariant = (typeof KetamaVariant)[keyof typeof KetamaVariant];

/** A server on the ring. `weight` counts against the other servers' weights; it is a whole number ≥ 1. */
export interface KetamaServer {
  readonly host: string;
  readonly port: number;
  readonly weight: number;
}

const DEFAULT_PORT = 11211;
const POINTS_UNWEIGHTED = 100;
const POINTS_WEIGHTED = 160;
const POINTS_PER_DIGEST = 4;
/** Added before rounding down in single precision, as the C libraries do. */
const ROUNDING = 0.0000000001;

interface Point {
  readonly value: number;
  readonly server: number;
}

export class KetamaHash implements KeyHash {
  readonly name = 'Ketama';
  readonly #md5 = new Md5();
  readonly #values: Uint32Array;
  readonly #servers: Int32Array;
  readonly #variant: KetamaVariant;

  constructor(servers: readonly KetamaServer[], variant: KetamaVariant) {
    assert(servers.length > 0, 'no servers');
    this.#variant = variant;
    const points = servers.flatMap((server, index) =>
      variant === KetamaVariant.libmemcached
        ? plainPoints(server, index)
        : this.#digestPoints(server, index, weightedPoints(servers, index)),
    );
    assert(points.length > 0, 'no points on the ring');
    points.sort((one, other) => one.value - other.value || one.server - other.server);
    this.#values = Uint32Array.from(points, (point) => point.value);
    this.#servers = Int32Array.from(points, (point) => point.server);
  }

  select(bytes: Uint8Array, start: number, end: number): number {
    const hash = this.#hash(bytes, start, end);
    let from = 0;
    let to = this.#values.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.#values[middle]! < hash) from = middle + 1;
      else to = middle;
    }
    return this.#servers[from === this.#values.length ? 0 : from]!;
  }

  #hash(bytes: Uint8Array, start: number, end: number): number {
    if (this.#variant === KetamaVariant.twemproxy) return fnv1a64(bytes, start, end);
    if (this.#variant === KetamaVariant.libmemcached) return oneAtATime(bytes, start, end);
    this.#md5.digest(bytes, start, end);
    return this.#md5.words[0]! >>> 0;
  }

  #digestPoints(server: KetamaServer, index: number, count: number): Point[] {
    const points: Point[] = [];
    for (let round = 0; round < count / POINTS_PER_DIGEST; round++) {
      const bytes = pointName(server, round);
      this.#md5.digest(bytes, 0, bytes.length);
      for (const word of this.#md5.words) points.push({ value: word >>> 0, server: index });
    }
    return points;
  }
}

function pointName(server: KetamaServer, round: number): Uint8Array {
  const name = server.port === DEFAULT_PORT ? server.host : `${server.host}:${server.port}`;
  return Buffer.from(`${name}-${round}`);
}

function plainPoints(server: KetamaServer, index: number): Point[] {
  return Array.from({ length: POINTS_UNWEIGHTED }, (_, round) => {
    const bytes = pointName(server, round);
    return { value: oneAtATime(bytes, 0, bytes.length), server: index };
  });
}

/** The C libraries compute this in single precision, which decides how many points an odd weight gets. */
function weightedPoints(servers: readonly KetamaServer[], index: number): number {
  const total = servers.reduce((sum, server) => sum + server.weight, 0);
  const share = Math.fround(Math.fround(servers[index]!.weight) / Math.fround(total));
  const quarter = Math.fround(Math.fround(share * POINTS_WEIGHTED) / POINTS_PER_DIGEST);
  const scaled = Math.fround(quarter * servers.length);
  return Math.floor(Math.fround(scaled + ROUNDING)) * POINTS_PER_DIGEST;
}
