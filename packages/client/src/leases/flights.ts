/**
 * Flights: what several callers of this process wait for together. A caller may give up (its signal fires);
 * when the last one has, the flight's own signal fires.
 */
import { CacheError, CacheErrorCode } from '../errors.ts';

export class Flight {
  /** What makes two flights for one key different: how the value is read. */
  readonly variant: unknown;
  passengers: number = 0;
  result: Promise<unknown> | undefined;
  #controller: AbortController | undefined;
  #isAbandoned: boolean = false;

  constructor(variant: unknown) {
    this.variant = variant;
  }

  /** Made when somebody asks for it: most flights are over before that. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#isAbandoned) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  abandon(): void {
    this.#isAbandoned = true;
    this.#controller?.abort();
  }
}

/** Throws ABORTED when the signal has fired already: what is not wanted any more is not begun. */
export function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortError(signal);
}

function abortError(signal: AbortSignal): CacheError {
  return new CacheError(CacheErrorCode.aborted, 'the signal fired', { cause: signal.reason });
}

/** The promise, or a rejection with ABORTED as soon as the signal fires; it has not fired yet. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const aborted = (): void => reject(abortError(signal));
    signal.addEventListener('abort', aborted, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', aborted));
  });
}

export class Flights {
  readonly #flights: Map<string, Flight> = new Map();

  get size(): number {
    return this.#flights.size;
  }

  /** The flight to join, if one for the same key and variant is on its way. */
  find(key: string, variant: unknown): Flight | undefined {
    const flight = this.#flights.get(key);
    return flight !== undefined && flight.variant === variant ? flight : undefined;
  }

  /** Starts one; what `start` gives is the flight's result. */
  start(key: string, variant: unknown, start: (flight: Flight) => Promise<unknown>): Flight {
    const flight = new Flight(variant);
    // A flight of another variant stays where it is: this one is then simply not joined by others.
    if (!this.#flights.has(key)) this.#flights.set(key, flight);
    flight.result = start(flight).finally(() => this.#land(key, flight));
    return flight;
  }

  /** One more caller: the flight's result, unless the caller's signal fires before. */
  board(key: string, flight: Flight, signal: AbortSignal | undefined): Promise<unknown> {
    const result = flight.result!;
    if (signal === undefined) {
      // Who cannot give up stays until the end: no need to count them down.
      flight.passengers += 1;
      return result;
    }
    flight.passengers += 1;
    return abortable(result, signal).finally(() => {
      flight.passengers -= 1;
      if (flight.passengers > 0 || this.#flights.get(key) !== flight) return;
      this.#land(key, flight);
      flight.abandon();
      // Nobody listens any more; how it ends is nobody's business.
      result.catch(() => {});
    });
  }

  #land(key: string, flight: Flight): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}
