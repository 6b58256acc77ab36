/**
 * All destinations of one routing. Equal address and options mean the same destination, within a configuration
 * and from one to the next: a reload keeps connections, health and what is in flight.
 */
import { createHash } from 'node:crypto';
import type { Clock, Random } from '../clock.ts';
import { type Address, formatAddress } from './address.ts';
import type { DatagramTotals } from './datagram-exchange.ts';
import type { Destination, DestinationState } from './destination.ts';
import type { DestinationOptions } from './destination-options.ts';
import type { LinkFactory } from './link.ts';
import { ServerDestination } from './server-destination.ts';
import { Ticker } from './ticker.ts';

const DIGEST_CHARACTERS = 16;

export interface DestinationsOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly links: LinkFactory;
  /** Every change of every destination's state. */
  readonly onState?: ((state: DestinationState, destination: ServerDestination) => void) | undefined;
}

export class Destinations {
  readonly #options: DestinationsOptions;
  readonly #ticker: Ticker;
  readonly datagrams: DatagramTotals = { sent: 0, lost: 0 };
  readonly #byKey: Map<string, ServerDestination> = new Map();

  constructor(options: DestinationsOptions) {
    this.#options = options;
    this.#ticker = new Ticker(options.clock);
  }

  /** The destination with this address and these options. */
  get(address: Address, options: DestinationOptions): ServerDestination {
    const serverName = address.kind === 'tcp' && options.tls !== undefined ? address.serverName : '';
    // A digest, because options hold passwords and private keys, and keys are shown.
    const digest = createHash('sha256')
      .update(`${serverName} ${JSON.stringify(options)}`)
      .digest('hex');
    const key = `${formatAddress(address)} ${digest.slice(0, DIGEST_CHARACTERS)}`;
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const { clock, random, links, onState } = this.#options;
    const environment = { clock, random, links, ticker: this.#ticker, datagrams: this.datagrams };
    const destination = new ServerDestination(key, address, options, environment);
    if (onState !== undefined) destination.onState((state) => onState(state, destination));
    this.#byKey.set(key, destination);
    return destination;
  }

  all(): Iterable<ServerDestination> {
    return this.#byKey.values();
  }

  /** Closes every destination that is not among these, once nothing waits for its replies any more. */
  retain(keep: ReadonlySet<Destination>): void {
    for (const [key, destination] of this.#byKey) {
      if (keep.has(destination)) continue;
      this.#byKey.delete(key);
      this.#closeWhenIdle(destination);
    }
  }

  close(): void {
    for (const destination of this.#byKey.values()) destination.close();
    this.#byKey.clear();
    for (const destination of this.#leaving) destination.close();
    this.#leaving.clear();
  }

  /** Destinations of former configurations that still owe replies. */
  readonly #leaving: Set<ServerDestination> = new Set();

  /**
   * Requests may still be handed to a destination of the former configuration by handles that wait for something
   * else first, so that it stays for one time-out at least.
   */
  #closeWhenIdle(destination: ServerDestination): void {
    this.#leaving.add(destination);
    const { clock } = this.#options;
    const { timeoutMs, timeoutsMs, connectTimeoutMs } = destination.options;
    const delayMs = Math.max(timeoutMs, ...(timeoutsMs ?? []).filter((each) => each > 0)) + connectTimeoutMs;
    let requestsBefore = destination.statistics.requests;
    const look = (): void => {
      if (!this.#leaving.has(destination)) return;
      const { outstanding, requests } = destination.statistics;
      if (outstanding === 0 && requests === requestsBefore) {
        this.#leaving.delete(destination);
        destination.close();
        return;
      }
      requestsBefore = requests;
      clock.setTimer(delayMs, look);
    };
    clock.setTimer(delayMs, look);
  }
}
