/**
 * The beginning of a reply whose rest has not arrived. Only as much is copied as that reply needs; what follows
 * is read where it lies.
 */

/** Nobody is believed about the length of what has not arrived: memory grows with what does. */
const ALLOCATION_BYTES_MAX = 1024 * 1024;
const ALLOCATION_BYTES_MIN = 1024;
const NEWLINE = 10;

export class Carry {
  buffer: Buffer = Buffer.alloc(0);
  bytes: number = 0;
  /** How many bytes have to be there for the next try; 0: up to the end of a line. */
  needed: number = 0;

  /** Copies as much of [at, end) as is needed; returns how many bytes that was. */
  take(source: Buffer, at: number, end: number): number {
    let stop = end;
    if (this.needed > 0) {
      stop = Math.min(end, at + Math.max(1, this.needed - this.bytes));
    } else {
      for (let index = at; index < end; index++) {
        if (source[index] === NEWLINE) {
          stop = index + 1;
          break;
        }
      }
    }
    this.#reserve(this.bytes + stop - at);
    source.copy(this.buffer, this.bytes, at, stop);
    this.bytes += stop - at;
    return stop - at;
  }

  /** The first `consumed` bytes have been read; `keepBuffer` when nobody points into it. */
  drop(consumed: number, keepBuffer: boolean): void {
    if (consumed === 0) return;
    const rest = this.bytes - consumed;
    if (rest > 0) {
      const buffer = keepBuffer ? this.buffer : Buffer.allocUnsafeSlow(Math.max(rest, ALLOCATION_BYTES_MIN));
      this.buffer.copy(buffer, 0, consumed, this.bytes);
      this.buffer = buffer;
    } else if (!keepBuffer || this.buffer.length > ALLOCATION_BYTES_MAX) {
      this.buffer = Buffer.alloc(0);
    }
    this.bytes = rest;
    this.needed = 0;
  }

  #reserve(bytes: number): void {
    if (this.buffer.length >= bytes) return;
    const wanted = Math.min(this.needed, Math.max(ALLOCATION_BYTES_MAX, this.bytes * 2));
    // A reply of many values says what it needs one value at a time: it is not copied again for each of them.
    const doubled = this.bytes >= ALLOCATION_BYTES_MAX ? this.bytes * 2 : 0;
    const buffer = Buffer.allocUnsafeSlow(Math.max(bytes, wanted, doubled, ALLOCATION_BYTES_MIN));
    this.buffer.copy(buffer, 0, 0, this.bytes);
    this.buffer = buffer;
  }
}
