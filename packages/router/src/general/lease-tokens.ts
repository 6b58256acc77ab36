/**
 * Leases whose token is bound to the server that issued it, because the key's own server did not (a gutter server,
 * another replica): the client gets a token of the router's, and its lease-set goes to that server alone.
 *
 * The table is shared by all workers: the lease-set may come through another connection.
 *
 * ```
 *   token   [ MAGIC, 32 bits ][ number, 32 bits ]
 *   entry   [ number ][ server's token, low ][ high ][ server ]        at number modulo the table's size
 * ```
 */
import type { Destination } from '@larder/routing';
import { LEASE_TOKENS_MAX } from '../limits.ts';

/** The upper half of the router's own tokens; servers' tokens have it once in four thousand million. */
const MAGIC = 0x1ade_b00d;
const ENTRY_WORDS = 4;
const FNV_OFFSET = 0x811c_9dc5;
const FNV_PRIME = 0x0100_0193;

/** Bytes of shared memory that the table takes. */
export const LEASE_TABLE_BYTES: number = (1 + LEASE_TOKENS_MAX * ENTRY_WORDS) * 4;

export interface BoundLease {
  readonly token: bigint;
  /** Undefined when the server is no longer part of the configuration. */
  readonly destination: Destination | undefined;
}

export class LeaseTokens {
  readonly #words: Uint32Array;
  readonly #destinations: () => Iterable<Destination>;

  constructor(buffer: SharedArrayBuffer, byteOffset: number, destinations: () => Iterable<Destination>) {
    this.#words = new Uint32Array(buffer, byteOffset, LEASE_TABLE_BYTES / 4);
    this.#destinations = destinations;
  }

  /** Whether a token with this upper half is one of the router's. */
  static isBound(tokenHigh: number): boolean {
    return tokenHigh === MAGIC;
  }

  /** A token for the client that stands for a server's token. */
  bind(token: bigint, destination: Destination): bigint {
    const words = this.#words;
    const number = (Atomics.add(words, 0, 1) + 1) >>> 0;
    const entry = 1 + (number % LEASE_TOKENS_MAX) * ENTRY_WORDS;
    words[entry + 1] = Number(token & 0xffff_ffffn);
    words[entry + 2] = Number(token >> 32n);
    words[entry + 3] = hashOf(destination.key);
    Atomics.store(words, entry, number);
    return (BigInt(MAGIC) << 32n) | BigInt(number);
  }

  /** What a token of the router's stands for; undefined when it is no longer known. */
  find(token: bigint): BoundLease | undefined {
    const words = this.#words;
    const number = Number(token & 0xffff_ffffn);
    const entry = 1 + (number % LEASE_TOKENS_MAX) * ENTRY_WORDS;
    if (Atomics.load(words, entry) !== number) return undefined;
    const bound = (BigInt(words[entry + 2]!) << 32n) | BigInt(words[entry + 1]!);
    const server = words[entry + 3]!;
    // Another lease may have taken the entry meanwhile.
    if (Atomics.load(words, entry) !== number) return undefined;
    for (const destination of this.#destinations()) {
      if (hashOf(destination.key) === server) return { token: bound, destination };
    }
    return { token: bound, destination: undefined };
  }
}

function hashOf(text: string): number {
  let hash = FNV_OFFSET;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), FNV_PRIME);
  }
  return hash >>> 0;
}
