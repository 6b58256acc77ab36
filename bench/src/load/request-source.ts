/**
 * Decides what is asked next: draws keys, mixes gets and sets, and counts and times the answers of one stream.
 */
import { DRAWS } from '../limits.ts';
import { drawKeys } from '../random/key-distribution.ts';
import { Random } from '../random/random.ts';
import type { KeySpace } from './key-space.ts';
import { Latency } from './latency.ts';
import type { StreamPlan, StreamResult } from './plan.ts';
import { GET, type ReplySink, SET } from './reply-reader.ts';

const U32_RANGE = 2 ** 32;

export class RequestSource implements ReplySink {
  readonly plan: StreamPlan;
  readonly space: KeySpace;
  /** Answered requests since the last `begin`. */
  requests = 0;
  keys = 0;
  misses = 0;
  lost = 0;
  disturbed = 0;
  /** Answered requests since the stream was made; never reset. */
  answeredTotal = 0;
  /** When what is being read arrived; set before reading. */
  nowMs = 0;
  readonly #draws: Int32Array;
  readonly #random: Random;
  readonly #getThreshold: number;
  readonly #latency = new Latency();
  #nextDraw = 0;
  /** Requests due before this are not timed. */
  #timedFromMs = Number.POSITIVE_INFINITY;
  #timedUntilMs = Number.POSITIVE_INFINITY;
  /** Requests due before this were disturbed. */
  #disturbedUntilMs = 0;
  #frozen: { requests: number; keys: number; misses: number; lost: number } | undefined;

  constructor(space: KeySpace, plan: StreamPlan, seed: number) {
    this.space = space;
    this.plan = plan;
    this.#random = new Random(seed);
    // A sequence walks through every key once; draws from a distribution are repeated after DRAWS.
    const count = plan.distribution.kind === 'sequential' ? plan.keys : DRAWS;
    this.#draws = drawKeys(plan.distribution, plan.keys, count, this.#random);
    if (plan.firstKey !== 0) {
      for (let index = 0; index < count; index++) this.#draws[index] = this.#draws[index]! + plan.firstKey;
    }
    this.#getThreshold = plan.getRatio * U32_RANGE;
  }

  nextOperation(): number {
    return this.#random.u32() < this.#getThreshold ? GET : SET;
  }

  nextKey(): number {
    if (this.#nextDraw === this.#draws.length) this.#nextDraw = 0;
    return this.#draws[this.#nextDraw++]!;
  }

  answered(dueMs: number, keys: number, misses: number): void {
    this.requests++;
    this.answeredTotal++;
    this.keys += keys;
    this.misses += misses;
    if (dueMs < this.#timedFromMs || dueMs >= this.#timedUntilMs) return;
    this.#latency.record(this.nowMs - dueMs);
    // They are timed all the same: leaving them out would also hide what the server did meanwhile.
    if (dueMs < this.#disturbedUntilMs) this.disturbed++;
  }

  /** Starts to measure. */
  begin(nowMs: number): void {
    this.requests = 0;
    this.keys = 0;
    this.misses = 0;
    this.lost = 0;
    this.disturbed = 0;
    this.#latency.reset();
    this.#timedFromMs = nowMs;
  }

  /** The load generator was away until now: what was under way may have waited for it, not for the server. */
  disturb(nowMs: number): void {
    if (this.plan.loop.kind === 'open') this.#disturbedUntilMs = nowMs;
  }

  /** Ends the measured time. Answers to requests that were due before still count for latency. */
  end(nowMs: number): void {
    this.#timedUntilMs = nowMs;
    this.#frozen = { requests: this.requests, keys: this.keys, misses: this.misses, lost: this.lost };
  }

  result(): StreamResult {
    const counted = this.#frozen ?? this;
    return {
      name: this.plan.name,
      requests: counted.requests,
      keys: counted.keys,
      misses: counted.misses,
      lost: counted.lost,
      disturbed: this.disturbed,
      meanUs: this.#latency.meanUs,
      maxUs: this.#latency.maxUs,
      latency: this.#latency.points(),
    };
  }
}
