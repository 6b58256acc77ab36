/**
 * Finds buffers that were changed while they were being sent (papers/hotos21 4.4 leaves write protection
 * open): a checksum when a reference is posted, and again when the kernel is through with it. For development:
 * it reads every referenced byte twice.
 */
import { crc32 } from 'node:zlib';
import type { Arena } from '@larder/datapath';
import { WireError } from '../errors.ts';

interface Watch {
  readonly offset: number;
  readonly bytes: number;
  readonly checksum: number;
  /** Where the message was sent. */
  readonly site: string;
}

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
  readonly #watches: Map<number, Watch[]> = new Map();

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
    for (const watches of this.#watches.values()) sum += watches.length;
    return sum;
  }

  posted(offset: number, bytes: number, owner: number): void {
    const watch: Watch = {
      offset,
      bytes,
      checksum: this.#checksum(offset, bytes),
      site: new Error('sent').stack ?? '',
    };
    const watches = this.#watches.get(owner);
    if (watches === undefined) this.#watches.set(owner, [watch]);
    else watches.push(watch);
  }

  completed(owner: number): void {
    const watches = this.#watches.get(owner);
    const watch = watches?.shift();
    if (watches === undefined || watch === undefined) return;
    if (watches.length === 0) this.#watches.delete(owner);
    const { offset, bytes, site } = watch;
    if (this.#checksum(offset, bytes) !== watch.checksum) this.#onViolation({ owner, offset, bytes, site });
  }

  #checksum(offset: number, bytes: number): number {
    return crc32(this.#arena.node.subarray(offset, offset + bytes));
  }
}
