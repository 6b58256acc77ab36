/**
 * The requests of one connection that are under way: a fixed number of slots, each of which has its next request as
 * soon as the last is answered or lost. A message id says the slot, and is another one each time, so that an answer
 * that comes too late is not taken for the next one's.
 */

const ID_MAX = 0xffff_ffff;

export class InFlight {
  readonly slots: number;
  readonly #ids: Float64Array;
  readonly #sentMs: Float64Array;
  readonly #messages: Int32Array;
  /** How many are under way. */
  count = 0;
  #round = 0;

  constructor(slots: number) {
    this.slots = slots;
    this.#ids = new Float64Array(slots).fill(-1);
    this.#sentMs = new Float64Array(slots);
    this.#messages = new Int32Array(slots);
  }

  /** A request goes out: returns its id. */
  begin(slot: number, message: number, nowMs: number): number {
    this.#round = (this.#round + 1) * this.slots + slot > ID_MAX ? 0 : this.#round + 1;
    const id = this.#round * this.slots + slot;
    this.#ids[slot] = id;
    this.#sentMs[slot] = nowMs;
    this.#messages[slot] = message;
    this.count++;
    return id;
  }

  /** The slot that waits for the answer with this id, or -1. */
  find(id: number): number {
    const slot = id % this.slots;
    return this.#ids[slot] === id ? slot : -1;
  }

  /** It is answered, or given up. */
  end(slot: number): void {
    this.#ids[slot] = -1;
    this.count--;
  }

  isBusy(slot: number): boolean {
    return this.#ids[slot]! >= 0;
  }

  sentMs(slot: number): number {
    return this.#sentMs[slot]!;
  }

  message(slot: number): number {
    return this.#messages[slot]!;
  }
}
