/**
 * Which worker gets the connection that was just accepted: the one with the most room, in turn among equals.
 * So the load is even however connections come and go, and the limit of all workers together is exact.
 *
 * A worker's load is what was handed to it less what it has reported closed or refused: a report that is late
 * makes a worker look fuller than it is, never emptier.
 */

export interface AcceptTarget {
  /** Connections it may have. */
  readonly connectionsMax: number;
  /** Connections it has closed or refused, ever. */
  readonly gone: () => number;
}

export class AcceptBalance {
  readonly #targets: readonly AcceptTarget[];
  readonly #handed: number[];
  #next = 0;

  constructor(targets: readonly AcceptTarget[]) {
    this.#targets = targets;
    this.#handed = targets.map(() => 0);
  }

  /** The target of the next connection; counts it there. */
  choose(): number {
    const targets = this.#targets;
    let best = -1;
    let bestRoom = Number.NEGATIVE_INFINITY;
    for (let step = 0; step < targets.length; step++) {
      const index = (this.#next + step) % targets.length;
      const target = targets[index]!;
      const room = target.connectionsMax - (this.#handed[index]! - target.gone());
      if (room > bestRoom) {
        best = index;
        bestRoom = room;
      }
    }
    // Nobody has room: the accepting worker itself, which is the first, refuses or waits.
    if (bestRoom <= 0) best = 0;
    this.#next = (best + 1) % targets.length;
    this.#handed[best]!++;
    return best;
  }

  /** A connection that was meant for one target went to another. */
  correct(from: number, to: number): void {
    this.#handed[from]!--;
    this.#handed[to]!++;
  }
}

/** Divides a limit among workers: shares that add up to it. */
export function divideLimit(limit: number, workers: number): number[] {
  return Array.from({ length: workers }, (_, index) => Math.floor((limit + workers - 1 - index) / workers));
}
