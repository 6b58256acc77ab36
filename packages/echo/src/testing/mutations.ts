/** Messages that are nearly right, and some that are not at all; by a seed. */

export class Mutator {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** A whole number below `limit`. */
  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#state / 0x1_0000_0000) * limit);
  }

  mutate(message: Uint8Array): Uint8Array {
    switch (this.below(8)) {
      case 0:
        return this.#random();
      case 1:
        return message.subarray(0, this.below(message.length + 1));
      case 2:
        return Buffer.concat([message, this.#random()]);
      default:
        return this.#change(new Uint8Array(message));
    }
  }

  #random(): Uint8Array {
    return Uint8Array.from({ length: this.below(60) }, () => this.below(256));
  }

  /** Most of what matters is at the two ends. */
  #change(message: Uint8Array): Uint8Array {
    if (message.length === 0) return message;
    for (let left = 1 + this.below(4); left > 0; left--) {
      const near = this.below(Math.min(message.length, 48));
      const at = [near, message.length - 1 - near, this.below(message.length)][this.below(3)]!;
      message[at] = [0, 0xff, 0x7f, 0x80, message[at]! ^ (1 << this.below(8)), this.below(256)][
        this.below(6)
      ]!;
    }
    return message;
  }
}
