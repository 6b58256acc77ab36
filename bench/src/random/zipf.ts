/**
 * Zipf-distributed ranks: rank k of 1..n with probability proportional to k^-exponent.
 *
 * Rejection-inversion (Hörmann and Derflinger, "Rejection-inversion to generate variates from monotone
 * discrete distributions", 1996): invert the integral of x^-exponent, round to a rank, and reject the few
 * points that lie outside the rank's bar. Needs no table, and any exponent above 0 will do, 1 included.
 */
import type { Random } from './random.ts';

export class Zipf {
  readonly count: number;
  readonly exponent: number;
  readonly #integralFirst: number;
  readonly #integralLast: number;
  readonly #squeeze: number;

  constructor(count: number, exponent: number) {
    this.count = count;
    this.exponent = exponent;
    this.#integralFirst = this.#integral(1.5) - 1;
    this.#integralLast = this.#integral(count + 0.5);
    this.#squeeze = 2 - this.#inverse(this.#integral(2.5) - this.#height(2));
  }

  /** A rank, 1 the most frequent. */
  sample(random: Random): number {
    for (;;) {
      const area = this.#integralLast + random.double() * (this.#integralFirst - this.#integralLast);
      const x = this.#inverse(area);
      const rank = Math.min(this.count, Math.max(1, Math.round(x)));
      if (rank - x <= this.#squeeze) return rank;
      if (area >= this.#integral(rank + 0.5) - this.#height(rank)) return rank;
    }
  }

  #height(x: number): number {
    return Math.exp(-this.exponent * Math.log(x));
  }

  /** The integral of the height from 1 to x; written so that exponent 1 (a logarithm) is no special case. */
  #integral(x: number): number {
    const logarithm = Math.log(x);
    return expm1Ratio((1 - this.exponent) * logarithm) * logarithm;
  }

  #inverse(area: number): number {
    const scaled = Math.max(-1, area * (1 - this.exponent));
    return Math.exp(log1pRatio(scaled) * area);
  }
}

/** (e^x - 1) / x, and its limit at 0. */
function expm1Ratio(x: number): number {
  return Math.abs(x) > 1e-8 ? Math.expm1(x) / x : 1 + (x / 2) * (1 + x / 3);
}

/** ln(1 + x) / x, and its limit at 0. */
function log1pRatio(x: number): number {
  return Math.abs(x) > 1e-8 ? Math.log1p(x) / x : 1 - x * (1 / 2 - x / 3);
}
