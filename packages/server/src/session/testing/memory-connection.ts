/**
 * A connection without a socket: what a session writes ends up in a string. Its send buffer is small, so that
 * replies spill over often, and references are kept until the test lets them go.
 */
import type { Arena } from '@larder/datapath';
import type { SessionOutput } from '../output.ts';
import type { Session } from '../session.ts';

export class MemoryConnection implements SessionOutput {
  readonly id: number = 7;
  readonly kind: 'tcp' | 'unix' = 'tcp';
  session!: Session;
  cursor: number;
  limit: number;
  isEnded: boolean = false;
  /** The session wants to be given what it left. */
  isResumed: boolean = false;
  /** Above this many unread bytes the connection calls itself congested. */
  congestedBytes: number = Number.POSITIVE_INFINITY;
  owners: number[] = [];
  references: number = 0;
  readonly #arena: Arena;
  readonly buffer: number;
  readonly #bufferBytes: number;
  #flushed: string[] = [];
  #flushedBytes: number = 0;
  #segmentStart: number = 0;

  constructor(arena: Arena, buffer: number, bufferBytes: number) {
    this.#arena = arena;
    this.buffer = buffer;
    this.#bufferBytes = bufferBytes;
    this.cursor = 0;
    this.limit = 0;
  }

  get isCongested(): boolean {
    return this.#flushedBytes + this.cursor - this.#segmentStart > this.congestedBytes;
  }

  get isOpen(): boolean {
    return !this.isEnded;
  }

  reserve(bytes: number): number {
    if (this.isEnded || bytes > this.#bufferBytes) return 0;
    if (this.cursor + bytes > this.limit) this.#nextBuffer();
    return this.cursor;
  }

  copy(offset: number, bytes: number): void {
    let done = 0;
    while (done < bytes && !this.isEnded) {
      if (this.cursor === this.limit) this.#nextBuffer();
      const count = Math.min(bytes - done, this.limit - this.cursor);
      this.#arena.u8.copyWithin(this.cursor, offset + done, offset + done + count);
      this.cursor += count;
      done += count;
    }
  }

  reference(offset: number, bytes: number, owner: number): void {
    this.references++;
    this.#flush();
    this.#push(this.#arena.node.toString('latin1', offset, offset + bytes));
    this.owners.push(owner);
  }

  writeBytes(bytes: Uint8Array): void {
    this.writeLatin1(Buffer.from(bytes).toString('latin1'));
  }

  writeLatin1(text: string): void {
    if (this.isEnded) return;
    this.#flush();
    this.#push(text);
  }

  end(): void {
    this.#flush();
    this.isEnded = true;
    this.limit = this.cursor;
  }

  resume(): void {
    this.isResumed = true;
  }

  remoteAddress(): string {
    return '127.0.0.1:5';
  }

  /** Everything written since the last call. */
  take(): string {
    this.#flush();
    const text = this.#flushed.join('');
    this.#flushed = [];
    this.#flushedBytes = 0;
    return text;
  }

  #nextBuffer(): void {
    this.#flush();
    this.cursor = this.buffer;
    this.#segmentStart = this.buffer;
    this.limit = this.buffer + this.#bufferBytes;
  }

  /** What was written since the last flush is out; the room behind it stays. */
  #flush(): void {
    if (this.cursor > this.#segmentStart)
      this.#push(this.#arena.node.toString('latin1', this.#segmentStart, this.cursor));
    this.#segmentStart = this.cursor;
  }

  #push(text: string): void {
    this.#flushed.push(text);
    this.#flushedBytes += text.length;
  }
}
