/**
 * A list of connections that is filled and emptied every turn of a loop. An array whose length is set to zero
 * gives its memory away, and the next turn allocates it again; this list keeps it.
 */
import type { Connection } from './connection.ts';

export class ConnectionList<S> {
  count = 0;
  readonly #items: (Connection<S> | undefined)[] = [];

  push(connection: Connection<S>): void {
    this.#items[this.count++] = connection;
  }

  /** The connection at `index` < count, which the list forgets, so that it keeps no closed connection alive. */
  take(index: number): Connection<S> {
    const connection = this.#items[index]!;
    this.#items[index] = undefined;
    return connection;
  }

  /** Empties the list after every connection was taken. */
  clear(): void {
    this.count = 0;
  }
}
