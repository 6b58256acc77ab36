/** What the client counts. Plain numbers, so that counting costs nothing; adapters export them. */
import type { DatagramTotals } from '@larder/routing';

export class CacheStatistics {
  /** Keys asked for that were there, stale and negative ones included. */
  hits: number = 0;
  /** Keys asked for that were not there, failed ones included. */
  misses: number = 0;
  /** Keys whose get failed: also counted as misses. */
  failedGets: number = 0;
  /** Stored values that could not be read: also counted as failed gets. */
  decodeFailures: number = 0;
  /** Multiget lines and UDP requests that were sent. */
  multigets: number = 0;
  stores: number = 0;
  storeFailures: number = 0;
  /** Stores left out because the get of the key had just failed (papers/nsdi13 3.1). */
  storesSkipped: number = 0;
  deletes: number = 0;
  deleteFailures: number = 0;
  /** getOrSet: how often a factory ran, and failed. */
  factoryRuns: number = 0;
  factoryFailures: number = 0;
  /** getOrSet: calls that joined another call of this process for the same key. */
  coalesced: number = 0;
  /** getOrSet: leases this process won, and the fills that a delete or another fill had overtaken. */
  leasesWon: number = 0;
  leasesLost: number = 0;
  /** getOrSet: pauses because another process fills. */
  leaseWaits: number = 0;
  /** getOrSet: callers that went without the cache because the other process took too long. */
  leasePatienceOver: number = 0;
  staleServed: number = 0;
  negativeHits: number = 0;
  /** Refreshes in the background, early ones and those of stale values. */
  refreshes: number = 0;
  readonly #datagrams: () => Readonly<DatagramTotals>;

  constructor(datagrams: () => Readonly<DatagramTotals>) {
    this.#datagrams = datagrams;
  }

  /** Requests sent over UDP. */
  get udpGets(): number {
    return this.#datagrams().sent;
  }

  /** Those with a datagram lost, late or out of order. */
  get udpLost(): number {
    return this.#datagrams().lost;
  }

  /** A copy that does not change any more. */
  snapshot(): Readonly<Record<keyof Omit<CacheStatistics, 'snapshot'>, number>> {
    return { ...this, udpGets: this.udpGets, udpLost: this.udpLost };
  }
}
