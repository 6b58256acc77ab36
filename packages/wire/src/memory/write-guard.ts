/**
 * Finds buffers that were changed while they were being sent (papers/hotos21 4.4 leaves write protection
 * open): a checksum when a reference is posted, and again when the kernel is through with it. For development:
 * it reads every referenced byte twice.
 */
import { crc32 } from 'node:zlib';
import type { Arena } from '@larder/datapath';
import { WireError } from '../errors.ts';

interface Watch {
  /** Whether it was seen changed, after a send of the same buffer had ended. */
  isChanged: boolean;
  readonly offset: number;
  readonly bytes: number;
  readonly checksum: number;
  /** Where the message was sent. */
  readonly site: string;
}

/** The sends of one buffer since it was last not being sent. */
interface Sends {
  readonly watches: Watch[];
  /** How many of them have ended. */
  ended: number;
}

/** So many ended sends of one buffer are remembered while others of it go on. */
const ENDED_MAX = 64;

/** A change that was found. */
export interface WriteViolation {
  readonly owner: number;
  readonly offset: number;
  readonly bytes: number;
  /** Stack of the call that sent the buffer. */
  readonly site: string;
}

export class WriteGuard {
  readonly #arena: Arena;
  readonly #onViolation: (violation: WriteViolation) => void;
  readonly #sends: Map<number, Sends> = new Map();

  /** Without `onViolation` a change throws `CHANGED` where the completion is handled. */
  constructor(arena: Arena, onViolation?: (violation: WriteViolation) => void) {
    this.#arena = arena;
    this.#onViolation =
      onViolation ??
      ((violation) => {
        throw new WireError(
          'CHANGED',
          `${violation.bytes} bytes at ${violation.offset} were changed while they were sent\n${violation.site}`,
        );
      });
  }

  /** Buffers that are being sent. */
  get watched(): number {
    let sum = 0;
    for (const { watches, ended } of this.#sends.values()) sum += watches.length - ended;
    return sum;
  }

  posted(offset: number, bytes: number, owner: number): void {
    const watch: Watch = {
      isChanged: false,
      offset,
      bytes,
      checksum: this.#checksum(offset, bytes),
      site: new Error('sent').stack ?? '',
    };
    const sends = this.#sends.get(owner);
    if (sends === undefined) this.#sends.set(owner, { watches: [watch], ended: 0 });
    else sends.watches.push(watch);
  }

  /**
   * A send of the buffer has ended: it is not said which. As many of its parts may have been changed as had ended
   * before; one more was changed while it was being sent.
   */
  completed(owner: number): void {
    const sends = this.#sends.get(owner);
    if (sends === undefined) return;
    const { watches } = sends;
    const changed = watches.filter((watch) => this.#isChanged(watch));
    const violation = changed.length > sends.ended ? changed.find(({ isChanged }) => !isChanged) : undefined;
    for (const watch of changed) watch.isChanged = true;
    sends.ended++;
    if (sends.ended === watches.length) this.#sends.delete(owner);
    else if (sends.ended === ENDED_MAX) {
      // A buffer that is always being sent: what was changed has ended, and of the others the oldest probably have.
      const kept = watches.filter(({ isChanged }) => !isChanged).slice(ENDED_MAX - changed.length);
      this.#sends.set(owner, { watches: kept, ended: 0 });
    }
    if (violation === undefined) return;
    const { offset, bytes, site } = violation;
    this.#onViolation({ owner, offset, bytes, site });
  }

  #isChanged({ isChanged, offset, bytes, checksum }: Watch): boolean {
    return isChanged || this.#checksum(offset, bytes) !== checksum;
  }

  #checksum(offset: number, bytes: number): number {
    return crc32(this.#arena.node.subarray(offset, offset + bytes));
  }
}
