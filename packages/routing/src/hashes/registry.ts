/**
 * The hash functions that configurations may name, and what they are made from.
 *
 * ```
 *   "Ch3"                                                    default; also Crc32, Jump, ConstShard
 *   { "hash_func": "Ch3", "salt": "v2" }                     any of them may have a salt
 *   { "hash_func": "WeightedCh3", "weights": [1, 0.5] }      one weight in [0, 1] per server; missing ones are 0.5
 *   { "hash_func": "Rendezvous", "tags": ["a", "b"] }        tags name the servers; default: host:port
 *   { "hash_func": "WeightedRendezvous", "weights": { "a": 1 } }   by tag, or a list; missing ones are 0.5
 *   { "hash_func": "Ketama", "ketama": "libmemcached-weighted", "weights": [1, 2] }   whole weights ≥ 1
 * ```
 * Ketama and Jump are Larder's additions to mcrouter's list. `Latest` is no function of the key: it is built by
 * `handles/latest-route.ts`.
 *
 * Tags and weights are those of the servers as they are configured. A name with several addresses is one of them:
 * hashes by place keep it at its place (`several-addresses.ts`), for hashes by name each of its addresses is a
 * server with its weight and a tag of its own.
 */
import { z } from 'zod';
import { parseAddress } from '../destination/address.ts';
import { PORT_DEFAULT } from '../limits.ts';
import type { Pool } from '../registry.ts';
import { CH3_POOL_SIZE_MAX, Ch3Hash } from './ch3.ts';
import { ConstShardHash } from './const-shard.ts';
import { Crc32Hash } from './crc32.ts';
import { JumpHash } from './jump.ts';
import { KetamaHash, type KetamaServer, KetamaVariant } from './ketama.ts';
import type { KeyHash } from './key-hash.ts';
import { RendezvousHash } from './rendezvous.ts';
import { SaltedHash } from './salted.ts';
import { SeveralAddressesHash } from './several-addresses.ts';
import { WeightedCh3Hash } from './weighted-ch3.ts';
import { WeightedRendezvousHash } from './weighted-rendezvous.ts';

/** What mcrouter gives a server whose weight the configuration forgot. */
const WEIGHT_MISSING = 0.5;
const HASH_DEFAULT = 'Ch3';

/** The object form; what else it holds is the route's own. */
export interface HashObject {
  readonly [name: string]: unknown;
  readonly hash_func?: string | undefined;
  readonly salt?: string | undefined;
  readonly weights?: readonly number[] | Readonly<Record<string, number>> | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly ketama?: KetamaVariant | undefined;
}
const hashObject: z.ZodType<HashObject> = z.looseObject({
  hash_func: z.string().optional(),
  salt: z.string().optional(),
  weights: z
    .union([z.array(z.number().nonnegative()), z.record(z.string(), z.number().nonnegative())])
    .optional(),
  tags: z.array(z.string()).optional(),
  ketama: z.enum(Object.values(KetamaVariant)).optional(),
});
export type HashJson = string | HashObject;
export const hashJson: z.ZodType<HashJson> = z.union([z.string(), hashObject], {
  error: 'expected the name of a hash function, or an object with hash_func',
});

/** What keys are spread over: servers as they are configured. */
export interface HashTargets {
  readonly count: number;
  /** What the targets are called (`host:port`); undefined when only `tags` can say it. */
  readonly names: readonly string[] | undefined;
  readonly weights: readonly number[] | undefined;
  /** Of each target, where some have several; a hash answers indices of all of them in a row then. */
  readonly addresses?: readonly (readonly string[])[] | undefined;
}

/** The servers of a pool as targets, named as they are configured. */
export function poolTargets({ servers, weights }: Pool): HashTargets {
  const isPlain = servers.every(({ destinations }) => destinations.length === 1);
  return {
    count: servers.length,
    names: servers.map(({ name }) => name),
    weights,
    addresses: isPlain
      ? undefined
      : servers.map(({ destinations }) => destinations.map(({ label }) => label)),
  };
}

/** The `hash_func` of either form. */
export function hashName(json: HashJson | undefined): string {
  return (typeof json === 'string' ? json : json?.hash_func) ?? HASH_DEFAULT;
}

/** The hash function for the targets; `fail` refuses what makes no sense. `targets.count` is at least 1. */
export function createKeyHash(
  json: HashJson | undefined,
  targets: HashTargets,
  fail: (message: string) => never,
): KeyHash {
  const options: HashObject = typeof json === 'object' ? json : {};
  const name = hashName(json);
  const make = HASHES.get(name);
  if (make === undefined) {
    return fail(`hash function "${name}" does not exist, expected one of ${[...HASHES.keys()].join(', ')}`);
  }
  const hash = make(options, targets, fail);
  return options.salt === undefined || options.salt === '' ? hash : new SaltedHash(hash, options.salt);
}

type Make = (options: HashObject, targets: HashTargets, fail: (message: string) => never) => KeyHash;

const HASHES: ReadonlyMap<string, Make> = new Map<string, Make>([
  ['Ch3', byPlace((_, { count }, fail) => new Ch3Hash(ch3Count(count, fail)))],
  ['Crc32', byPlace((_, { count }) => new Crc32Hash(count))],
  ['ConstShard', byPlace((_, { count }, fail) => new ConstShardHash(ch3Count(count, fail)))],
  ['Jump', byPlace((_, { count }) => new JumpHash(count))],
  ['WeightedCh3', byPlace(makeWeightedCh3)],
  ['Rendezvous', (options, targets, fail) => new RendezvousHash(tagsOf(options, targets, fail))],
  ['WeightedRendezvous', makeWeightedRendezvous],
  ['Ketama', makeKetama],
]);

function byPlace(make: Make): Make {
  return (options, targets, fail) => {
    const hash = make(options, targets, fail);
    return targets.addresses === undefined ? hash : new SeveralAddressesHash(hash, targets.addresses);
  };
}

function ch3Count(count: number, fail: (message: string) => never): number {
  return count <= CH3_POOL_SIZE_MAX ? count : fail(`Ch3 knows at most ${CH3_POOL_SIZE_MAX} servers`);
}

/** The name of every address. */
function tagsOf(
  options: HashObject,
  targets: HashTargets,
  fail: (message: string) => never,
): readonly string[] {
  const tags = options.tags ?? targets.names;
  if (tags === undefined) return fail('expected "tags", the names of the children');
  if (tags.length !== targets.count) {
    return fail(`expected one tag per server: there are ${tags.length} tags and ${targets.count} servers`);
  }
  const { addresses } = targets;
  if (addresses === undefined) return tags;
  // One address goes by its server's name, so that another one in its place moves no key.
  return addresses.flatMap((each, index) => {
    if (each.length === 1) return [tags[index]!];
    return options.tags === undefined ? each : each.map((address) => `${tags[index]} ${address}`);
  });
}

function isReadonlyArray(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

/** One weight per target from a list or from names, or undefined when none are given. */
function weightsOf(options: HashObject, targets: HashTargets, missing: number): number[] | undefined {
  const { weights } = options;
  const isList = weights === undefined || isReadonlyArray(weights);
  const byName = isList ? undefined : weights;
  const list = isList ? (weights ?? targets.weights) : undefined;
  if (byName === undefined && list === undefined) return undefined;
  const names = options.tags ?? targets.names;
  return Array.from({ length: targets.count }, (_, index) =>
    byName === undefined ? (list?.[index] ?? missing) : (byName[names?.[index] ?? ''] ?? missing),
  );
}

/** One weight per address, its server's. */
function addressWeightsOf(
  options: HashObject,
  targets: HashTargets,
  missing: number,
): readonly number[] | undefined {
  const weights = weightsOf(options, targets, missing);
  const { addresses } = targets;
  if (weights === undefined || addresses === undefined) return weights;
  return addresses.flatMap((each, index) => each.map(() => weights[index]!));
}

function makeWeightedCh3(
  options: HashObject,
  targets: HashTargets,
  fail: (message: string) => never,
): KeyHash {
  const weights = weightsOf(options, targets, WEIGHT_MISSING);
  if (weights === undefined) return fail('expected "weights", a list with a weight per server');
  const wrong = weights.find((weight) => weight > 1);
  if (wrong !== undefined) return fail(`WeightedCh3 takes weights between 0 and 1, not ${wrong}`);
  ch3Count(targets.count, fail);
  return new WeightedCh3Hash(weights);
}

function makeWeightedRendezvous(
  options: HashObject,
  targets: HashTargets,
  fail: (message: string) => never,
): KeyHash {
  const tags = tagsOf(options, targets, fail);
  const weights = addressWeightsOf(options, targets, WEIGHT_MISSING);
  return weights === undefined
    ? fail('expected "weights", an object with a weight per tag')
    : new WeightedRendezvousHash(tags, weights);
}

function makeKetama(options: HashObject, targets: HashTargets, fail: (message: string) => never): KeyHash {
  const names = tagsOf(options, targets, fail);
  const weights = addressWeightsOf(options, targets, 1);
  const wrong = weights?.find((weight) => !Number.isInteger(weight) || weight < 1);
  if (wrong !== undefined) return fail(`Ketama takes whole weights of at least 1, not ${wrong}`);
  const servers = names.map((name, index) => ketamaServer(name, weights?.[index] ?? 1));
  return new KetamaHash(servers, options.ketama ?? KetamaVariant.libmemcachedWeighted);
}

/** A tag that is no address is taken as a bare host name, so that no port is hashed with it. */
function ketamaServer(name: string, weight: number): KetamaServer {
  if (name.startsWith('unix:')) return { host: name.slice(5), port: 0, weight };
  try {
    const { address } = parseAddress(name);
    return address.kind === 'tcp'
      ? { host: address.host, port: address.port, weight }
      : { host: address.path, port: 0, weight };
  } catch {
    return { host: name, port: PORT_DEFAULT, weight };
  }
}
