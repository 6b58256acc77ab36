/**
 * Bounds what waits for all clients of a worker together. A client that does not read holds up nobody but itself: it
 * is not read any more. But what was asked for by then still comes, and a get of many long values can be more than
 * there is memory. Beyond the limit the clients for which most waits are closed, so that the others are served.
 */
import { CLIENTS_LOOK_BYTES, CLIENTS_WAITING_BYTES_MAX } from '../limits.ts';

/** A client, as far as it takes memory. */
export interface SheddableClient {
  readonly waitingBytes: number;
  readonly address: string;
  shed(): void;
}

export class ClientShedding<C extends SheddableClient> {
  /** Clients that were closed for it. */
  shed = 0;
  readonly #clients: ReadonlySet<C>;
  readonly #onShed: (address: string, waitingBytes: number) => void;
  readonly #bytesMax: number;
  #received = 0;

  constructor(
    clients: ReadonlySet<C>,
    onShed: (address: string, waitingBytes: number) => void,
    bytesMax: number = CLIENTS_WAITING_BYTES_MAX,
  ) {
    this.#clients = clients;
    this.#onShed = onShed;
    this.#bytesMax = bytesMax;
  }

  /** So many bytes were received, by anybody: nothing waits that was not. */
  received(bytes: number): void {
    this.#received += bytes;
    if (this.#received < CLIENTS_LOOK_BYTES) return;
    this.#received = 0;
    this.look();
  }

  look(): void {
    let sum = 0;
    for (const client of this.#clients) sum += client.waitingBytes;
    while (sum > this.#bytesMax) {
      let most: C | undefined;
      let mostBytes = 0;
      for (const client of this.#clients) {
        const { waitingBytes } = client;
        if (waitingBytes > mostBytes) {
          most = client;
          mostBytes = waitingBytes;
        }
      }
      if (most === undefined) return;
      this.shed++;
      this.#onShed(most.address, mostBytes);
      most.shed();
      sum -= mostBytes;
    }
  }
}
