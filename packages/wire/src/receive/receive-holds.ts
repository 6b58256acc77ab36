/**
 * Receive buffers that messages hold beyond their delivery, and a limit on them: a consumer that keeps more
 * gets copies instead, so that it costs itself memory and not the transport its receive ring.
 */
import type { MessageHolder } from '../decode/message.ts';
import { HELD_BUFFERS_MAX } from '../limits.ts';
import type { BufferOwners } from '../memory/send-memory.ts';

export class ReceiveHolds implements MessageHolder {
  /** Messages that were copied because the limit was reached, or their memory cannot be held. */
  copiedOut = 0;
  readonly #owners: BufferOwners;
  readonly #buffersMax: number;
  /** Messages by the buffer they hold. */
  readonly #holds: Map<number, number> = new Map();

  /** `owners` is the allocator of the transport's network buffers. */
  constructor(owners: BufferOwners, buffersMax: number = HELD_BUFFERS_MAX) {
    this.#owners = owners;
    this.#buffersMax = buffersMax;
  }

  /** Buffers held now. */
  get buffers(): number {
    return this.#holds.size;
  }

  hold(offset: number): number {
    const buffer = this.#owners.recover(offset);
    const messages = this.#holds.get(buffer);
    if (buffer < 0 || (messages === undefined && this.#holds.size >= this.#buffersMax)) {
      this.copiedOut++;
      return -1;
    }
    if (messages === undefined) this.#owners.retain(buffer);
    this.#holds.set(buffer, (messages ?? 0) + 1);
    return buffer;
  }

  letGo(buffer: number): void {
    const messages = this.#holds.get(buffer);
    if (messages === undefined) return;
    if (messages > 1) {
      this.#holds.set(buffer, messages - 1);
      return;
    }
    this.#holds.delete(buffer);
    this.#owners.release(buffer);
  }
}
