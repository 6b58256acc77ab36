/** The options of a cache and of its calls. */
import type { Clock, Dialect, LinkFactory, Random, RouteHandle, TlsSettings } from '@larder/routing';
import type { Discovery } from './discovery/discovery.ts';
import type { Duration } from './duration.ts';
import type { FlowWindow, FlowWindowOptions } from './flow/window.ts';
import type { ObjectFormat, ValueSchema } from './values/codec.ts';
import type { CompressionOptions } from './values/compression.ts';

/** A route configuration as mcrouter's: an object, JSON text with comments, a file or a URL. */
export type RouteConfig =
  | Readonly<Record<string, unknown>>
  | string
  | { readonly file: string }
  | { readonly url: string };

/** A hash function by its name, or with settings. */
export type HashSettings =
  | 'Ch3'
  | 'Crc32'
  | 'Jump'
  | 'Ketama'
  | 'Rendezvous'
  | { readonly hash_func: string; readonly [setting: string]: unknown };

export interface UdpOptions {
  /** The servers' UDP port; by default the same number as their TCP port. */
  readonly port?: number;
  /** A reply that is not complete by then is lost. 100 ms by default. */
  readonly timeout?: Duration;
}

export interface CacheOptions {
  /**
   * The cache servers, or the router: `'host:port'`, `'[::1]:11211'`, `'unix:/path'`; a name is resolved again and
   * again. `127.0.0.1:11211` when neither this nor `config` nor `discovery` is given.
   */
  readonly servers?: string | readonly string[];
  /** Routing in this process: pools, failover, gutter, replicas … */
  readonly config?: RouteConfig;
  /**
   * Finds the servers out, and keeps looking: DNS, ElastiCache, a file, a URL. They are one pool, or take the place of
   * the server `"discovered"` in the pools of `config`, which is an object then.
   */
  readonly discovery?: Discovery;
  /**
   * How keys are spread over `servers` or those of `discovery`: as `hash` of a PoolRoute. mcrouter's Ch3 by default for
   * `servers`, where a server is known by its place in the list; Rendezvous for `discovery`, where only the keys of the
   * servers that come or go move.
   */
  readonly hash?: HashSettings;
  /** Where deletes are kept that their server could not be told; they are delivered when it is back, by any process that uses the folder. */
  readonly spoolFolder?: string;
  /** Who this is, for ReplicaByClientRoute: an address or any other stable name. The host's name by default. */
  readonly clientId?: string;
  /** In front of every key. */
  readonly keyPrefix?: string;
  /** Time to live where a call does not say. For ever by default. */
  readonly ttl?: Duration;
  /**
   * A request that is not answered after this long has failed, whatever the configuration says. By default its pools'
   * own time-outs count, and 1 s where there are none.
   */
  readonly timeout?: Duration;
  /** To each server. 1 by default: requests are pipelined. */
  readonly connections?: number;
  readonly tls?: Partial<TlsSettings> | boolean;
  /** ASCII authentication (`-Y`). */
  readonly credentials?: { readonly user: string; readonly password: string };
  /** Which server this is; by default it is asked. */
  readonly dialect?: Dialect;
  /** Trouble with the cache is thrown instead of being a miss or `false`. */
  readonly throwOnTrouble?: boolean;
  /** How objects are stored: `auto` by default. */
  readonly format?: ObjectFormat;
  /** Off by default; `true` is zstd above 2048 bytes. */
  readonly compression?: boolean | CompressionOptions;
  /** Larger values are split into parts of so many bytes. 1,000,000 by default, which fits `-I 1m`. */
  readonly chunkBytes?: number;
  /** The flow-control window; by default all caches of the process share one. */
  readonly window?: FlowWindow | FlowWindowOptions;
  /** For how long after a failed get the key is not set. 2 s by default, 0 for never. */
  readonly failedGetMemory?: Duration;
  /** Gets go over UDP; stores and deletes never do. Off by default. */
  readonly udp?: boolean | UdpOptions;
  /** Route handles made elsewhere, for example shared by several caches; they are not closed with the cache. */
  readonly routes?: RouteHandle;
  /** Time, chance and sockets, for tests. */
  readonly clock?: Clock;
  readonly random?: Random;
  readonly links?: LinkFactory;
}

/** What every call may be told. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Overrides the cache's. */
  readonly throwOnTrouble?: boolean;
}

export interface GetOptions<Input = unknown, View = Input> extends CallOptions {
  /** The value was stored with this schema: what is returned is its view. */
  readonly schema?: ValueSchema<Input, View>;
}

export interface SetOptions<Input = unknown> extends CallOptions {
  readonly ttl?: Duration;
  readonly schema?: ValueSchema<Input, unknown>;
}

export interface DeleteOptions extends CallOptions {
  /** An `add` of the key fails for so long (Larder only). */
  readonly holdOff?: Duration;
  /**
   * Plain memcached: keep the value for so long for getOrSet with `acceptStale`. `get` sees it too there, so only
   * for keys that are read by getOrSet alone. Larder keeps deleted values as stale by itself.
   */
  readonly staleTtl?: Duration;
}

export interface ArithmeticOptions extends CallOptions {
  /** Stored when there is nothing yet; without it the call gives `undefined` then. */
  readonly initial?: number | bigint;
  /** Of the initial value. */
  readonly ttl?: Duration;
}

export interface UpdateOptions extends CallOptions {
  /** As for delete. */
  readonly holdOff?: Duration;
}

/** A value with the number that changes whenever the value does. */
export interface CasValue<T> {
  readonly value: T;
  readonly cas: bigint;
}

/** `stored`; `exists`: changed since; `missing`: gone; `failed`: trouble. */
export type CasOutcome = 'stored' | 'exists' | 'missing' | 'failed';
