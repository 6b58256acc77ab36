/**
 * What a stretch of traffic says about key families: the numbers of nsdi13's table 1 and what else decides where a
 * family should live. Bounded memory whatever the traffic: totals are kept for every family, details for a sample
 * of the keys.
 *
 * ```
 *   gets per second      gets / seconds between the first and the last event; lines that the server skipped count
 *                        as if they were like the others
 *   keys                 keys in the sample x (2^32 / the hashes below which a key is in the sample)
 *   median value size    over the keys in the sample, each with its last known size
 *   median clients       over the keys in the sample: how many different clients asked for the key
 *   keys per request     gets / batches; a batch is gets of a connection that follow each other within 100 µs, each of
 *                        another key, with nothing else in between. Lines do not say where a request ends: single
 *                        gets of different keys that are sent without waiting look like one, so it is an upper bound
 *   data set             keys x mean value size: what was touched in this time, hence a lower bound
 * ```
 * The sample is all keys whose hash is below a bound, and the bound is halved when there are too many: every key has
 * the same chance, and a key is in it with all of its requests or with none.
 */
import { Murmur64A } from '../hashes/murmur64a.ts';
import type { FamilyOf } from './key-family.ts';
import type { TrafficEvent } from './traffic-event.ts';

const TRACKED_KEYS_MAX = 100_000;
const FAMILIES_MAX = 1000;
/** Beyond so many the number of a key's clients does not change any decision. */
const CLIENTS_PER_KEY_MAX = 256;
/** Less than a client needs to hear one answer and ask again. */
const BATCH_GAP_SECONDS = 0.0001;
const BATCH_KEYS_MAX = 1000;
/** memcached notes the look-up within a store or delete some microseconds before it; no client is that fast. */
const OWN_LOOKUP_SECONDS = 0.00005;
const HASHES = 2 ** 32;
const OTHER = '(other)';

/** One family's numbers. */
export interface FamilyTraffic {
  readonly family: string;
  readonly getsPerSecond: number;
  readonly storesPerSecond: number;
  /** 0 to 1; of the gets. */
  readonly hitRate: number;
  readonly keys: number;
  readonly medianValueBytes: number;
  readonly meanValueBytes: number;
  readonly medianClients: number;
  readonly keysPerRequest: number;
  /** Bytes stored per second. */
  readonly storedBytesPerSecond: number;
}

interface FamilyTotals {
  gets: number;
  hits: number;
  stores: number;
  storedBytes: number;
  batches: number;
}
interface TrackedKey {
  readonly family: string;
  readonly hash: number;
  readonly clients: Set<string>;
  valueBytes: number;
}
interface Asker {
  client: string;
  lastGetSeconds: number;
  lastGetKey: string;
  lastGetWasHit: boolean;
  /** Whether the last get was the first one of its family in its batch. */
  hasLastGetOpened: boolean;
  /** Of the batch under way. */
  readonly batchFamilies: Set<string>;
  readonly batchKeys: Set<string>;
}

function endBatch({ batchFamilies, batchKeys }: Asker): void {
  batchFamilies.clear();
  batchKeys.clear();
}

export interface TrafficSampleOptions {
  readonly familyOf: FamilyOf;
  readonly trackedKeysMax?: number;
}

export class TrafficSample {
  events = 0;
  skipped = 0;
  readonly #familyOf: FamilyOf;
  readonly #trackedKeysMax: number;
  readonly #families: Map<string, FamilyTotals> = new Map();
  readonly #keys: Map<string, TrackedKey> = new Map();
  readonly #askers: Map<string, Asker> = new Map();
  readonly #addresses: Map<string, string> = new Map();
  readonly #murmur = new Murmur64A();
  #hashBound: number = HASHES;
  #firstSeconds: number = Number.POSITIVE_INFINITY;
  #lastSeconds: number = Number.NEGATIVE_INFINITY;

  constructor(options: TrafficSampleOptions) {
    this.#familyOf = options.familyOf;
    this.#trackedKeysMax = options.trackedKeysMax ?? TRACKED_KEYS_MAX;
  }

  /** `source` tells connections of several servers apart. */
  add(event: TrafficEvent, source: string = ''): void {
    if (event.kind === 'skipped') {
      this.skipped += event.lines;
      return;
    }
    const askerName = `${source} ${event.asker}`;
    if (event.kind === 'connect') {
      // The number may have belonged to another connection before.
      this.#addresses.set(askerName, event.address);
      this.#askers.delete(askerName);
      return;
    }
    this.events++;
    this.#firstSeconds = Math.min(this.#firstSeconds, event.atSeconds);
    this.#lastSeconds = Math.max(this.#lastSeconds, event.atSeconds);
    const family = this.#bounded(this.#familyOf(event.key));
    const totals = this.#totalsOf(family);
    const asker = this.#askerOf(askerName);
    if (event.kind === 'get') this.#get(event.key, event.isHit, event.atSeconds, family, totals, asker);
    else this.#change(event, totals, asker);
    this.#track(event.key, family, event.valueBytes, asker.client, event.kind === 'get');
  }

  /** Between the first and the last event. */
  get seconds(): number {
    return Math.max(0, this.#lastSeconds - this.#firstSeconds);
  }

  /** Every family seen, the most asked for first. Rates need at least two moments. */
  families(): FamilyTraffic[] {
    const perSecond = this.seconds === 0 ? 0 : (1 + this.skipped / Math.max(this.events, 1)) / this.seconds;
    const details = new Map<string, TrackedKey[]>();
    for (const key of this.#keys.values()) {
      const list = details.get(key.family);
      if (list === undefined) details.set(key.family, [key]);
      else list.push(key);
    }
    return [...this.#families]
      .map(([family, totals]) => this.#summary(family, totals, details.get(family) ?? [], perSecond))
      .sort((one, other) => other.getsPerSecond - one.getsPerSecond || (one.family < other.family ? -1 : 1));
  }

  #summary(
    family: string,
    totals: FamilyTotals,
    keys: readonly TrackedKey[],
    perSecond: number,
  ): FamilyTraffic {
    const sizes = keys.map((key) => key.valueBytes).filter((bytes) => bytes > 0);
    const clients = keys.map((key) => key.clients.size).filter((count) => count > 0);
    return {
      family,
      getsPerSecond: totals.gets * perSecond,
      storesPerSecond: totals.stores * perSecond,
      hitRate: totals.gets === 0 ? 0 : totals.hits / totals.gets,
      keys: Math.round((keys.length * HASHES) / this.#hashBound),
      medianValueBytes: median(sizes),
      meanValueBytes: sizes.length === 0 ? 0 : sizes.reduce((sum, bytes) => sum + bytes, 0) / sizes.length,
      medianClients: median(clients),
      keysPerRequest: totals.batches === 0 ? 0 : totals.gets / totals.batches,
      storedBytesPerSecond: totals.storedBytes * perSecond,
    };
  }

  #get(
    key: string,
    isHit: boolean,
    atSeconds: number,
    family: string,
    totals: FamilyTotals,
    asker: Asker,
  ): void {
    totals.gets++;
    if (isHit) totals.hits++;
    const { batchFamilies, batchKeys } = asker;
    const isLate = atSeconds - asker.lastGetSeconds > BATCH_GAP_SECONDS;
    // Nobody asks for a key twice in one request.
    if (isLate || batchKeys.has(key) || batchKeys.size >= BATCH_KEYS_MAX) endBatch(asker);
    batchKeys.add(key);
    asker.hasLastGetOpened = !batchFamilies.has(family);
    if (asker.hasLastGetOpened) {
      batchFamilies.add(family);
      totals.batches++;
    }
    asker.lastGetSeconds = atSeconds;
    asker.lastGetKey = key;
    asker.lastGetWasHit = isHit;
  }

  #change(
    event: TrafficEvent & { readonly kind: 'store' | 'delete' | 'get' },
    totals: FamilyTotals,
    asker: Asker,
  ): void {
    if (event.kind === 'store') {
      totals.stores++;
      totals.storedBytes += event.valueBytes;
    }
    const isOwnLookup =
      asker.lastGetKey === event.key && event.atSeconds - asker.lastGetSeconds <= OWN_LOOKUP_SECONDS;
    endBatch(asker);
    if (!isOwnLookup) return;
    totals.gets--;
    if (asker.lastGetWasHit) totals.hits--;
    if (asker.hasLastGetOpened) totals.batches--;
    asker.lastGetKey = '';
  }

  #track(key: string, family: string, valueBytes: number, client: string, isGet: boolean): void {
    let tracked = this.#keys.get(key);
    if (tracked === undefined) {
      const bytes = Buffer.from(key);
      this.#murmur.hash(bytes, 0, bytes.length, 0);
      const hash = this.#murmur.high >>> 0;
      if (hash >= this.#hashBound) return;
      tracked = { family, hash, clients: new Set(), valueBytes: 0 };
      this.#keys.set(key, tracked);
      if (this.#keys.size > this.#trackedKeysMax) this.#thin();
    }
    if (valueBytes > 0) tracked.valueBytes = valueBytes;
    if (isGet && tracked.clients.size < CLIENTS_PER_KEY_MAX) tracked.clients.add(client);
  }

  #thin(): void {
    this.#hashBound /= 2;
    for (const [key, { hash }] of this.#keys) if (hash >= this.#hashBound) this.#keys.delete(key);
  }

  #bounded(family: string): string {
    return this.#families.has(family) || this.#families.size < FAMILIES_MAX ? family : OTHER;
  }

  #totalsOf(family: string): FamilyTotals {
    let totals = this.#families.get(family);
    if (totals === undefined) {
      totals = { gets: 0, hits: 0, stores: 0, storedBytes: 0, batches: 0 };
      this.#families.set(family, totals);
    }
    return totals;
  }

  #askerOf(name: string): Asker {
    let asker = this.#askers.get(name);
    if (asker === undefined) {
      // A connection that was there before has no known address: it stands for a client of its own.
      const client = this.#addresses.get(name) ?? `connection ${name}`;
      asker = {
        client,
        lastGetSeconds: Number.NEGATIVE_INFINITY,
        lastGetKey: '',
        lastGetWasHit: false,
        hasLastGetOpened: false,
        batchFamilies: new Set(),
        batchKeys: new Set(),
      };
      this.#askers.set(name, asker);
    }
    return asker;
  }
}

function median(numbers: readonly number[]): number {
  if (numbers.length === 0) return 0;
  const sorted = [...numbers].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
