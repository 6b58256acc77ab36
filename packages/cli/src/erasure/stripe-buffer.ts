/**
 * One stripe in memory that the kernels work in, files are read into and written from.
 *
 * A file's bytes fill the data symbols of a stripe in ascending order of their numbers, so a stripe is a few
 * runs of consecutive data symbols; what the file does not fill is zero.
 */
import type { FileHandle } from 'node:fs/promises';
import { type ErasureCode, KernelMemory } from '@larder/erasure';

/** What gaps between regions and the kernels' temporaries may take. */
const SPARE_BYTES = 4 << 20;
const SPARE_PART = 8;

export class StripeBuffer {
  readonly code: ErasureCode;
  readonly symbolBytes: number;
  /** The symbols of each node. */
  readonly shards: readonly Uint8Array<ArrayBuffer>[];
  /** The data, in the order of the file. */
  readonly #runs: readonly Uint8Array<ArrayBuffer>[];

  constructor(code: ErasureCode, symbolBytes: number) {
    this.code = code;
    this.symbolBytes = symbolBytes;
    const bytes = code.symbolCount * symbolBytes;
    const memory = new KernelMemory(bytes + Math.ceil(bytes / SPARE_PART) + SPARE_BYTES);
    this.shards = Array.from({ length: code.nodes }, () => memory.allocate(code.rows * symbolBytes));
    this.#runs = this.#findRuns();
  }

  get dataBytes(): number {
    return this.code.dataSymbols.length * this.symbolBytes;
  }

  /** Consecutive data symbols of one node are one run. */
  #findRuns(): Uint8Array<ArrayBuffer>[] {
    const { code, symbolBytes } = this;
    const runs: { node: number; row: number; count: number }[] = [];
    for (const symbol of code.dataSymbols) {
      const [node, row] = [Math.floor(symbol / code.rows), symbol % code.rows];
      const last = runs.at(-1);
      if (last && last.node === node && last.row + last.count === row) last.count++;
      else runs.push({ node, row, count: 1 });
    }
    return runs.map(({ node, row, count }) =>
      this.shards[node]!.subarray(row * symbolBytes, (row + count) * symbolBytes),
    );
  }

  /** The first `bytes` of the stripe's data, run by run. */
  *dataRuns(bytes: number): Generator<Uint8Array<ArrayBuffer>> {
    let left = bytes;
    for (const run of this.#runs) {
      if (left <= 0) return;
      yield run.subarray(0, Math.min(run.length, left));
      left -= run.length;
    }
  }

  /** Zeroes the data behind the first `bytes`. */
  clearDataAfter(bytes: number): void {
    let start = 0;
    for (const run of this.#runs) {
      run.fill(0, Math.max(0, Math.min(run.length, bytes - start)));
      start += run.length;
    }
  }
}

/** Reads until the buffer is full; returns the bytes read, fewer only at the end of the file. */
export async function readFully(
  file: FileHandle,
  buffer: Uint8Array<ArrayBuffer>,
  position: number,
): Promise<number> {
  let read = 0;
  while (read < buffer.length) {
    const { bytesRead } = await file.read(buffer, read, buffer.length - read, position + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return read;
}

export async function writeFully(file: FileHandle, buffer: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < buffer.length) {
    const { bytesWritten } = await file.write(buffer, written, buffer.length - written, position + written);
    written += bytesWritten;
  }
}
