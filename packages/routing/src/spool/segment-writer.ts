/**
 * The file that a spool is appending to. A record is in the file when `append` returns true: written by write(2),
 * so it survives this process; it survives the machine once it has been forced to the disk, which the policy
 * times. A write that fails leaves no trace: the file is cut back to its last whole record.
 */
import { join } from 'node:path';
import type { Clock, TimerHandle } from '../clock.ts';
import type { Disk } from './disk.ts';
import { SYNC_INTERVAL_MS } from './limits.ts';

/** When written deletes are forced to the disk. */
export const SyncPolicy: {
  readonly always: 'always';
  readonly interval: 'interval';
  readonly never: 'never';
} = {
  /** Before the delete is answered: survives a power cut; as slow as the disk. */
  always: 'always',
  /** Within a second: survives a killed process; a power cut may cost the last second. */
  interval: 'interval',
  /** When the operating system likes. */
  never: 'never',
};
export type SyncPolicy = (typeof SyncPolicy)[keyof typeof SyncPolicy];

export class SegmentWriter {
  readonly path: string;
  readonly startedAtMs: number;
  bytes = 0;
  records = 0;
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #policy: SyncPolicy;
  readonly #descriptor: number;
  #timer: TimerHandle | undefined;
  #isSyncing = false;
  #isClosed = false;

  /** Creates the file; throws what the file system throws. */
  constructor(folder: string, name: string, disk: Disk, clock: Clock, policy: SyncPolicy) {
    this.path = join(folder, name);
    this.startedAtMs = clock.now();
    this.#disk = disk;
    this.#clock = clock;
    this.#policy = policy;
    this.#descriptor = disk.create(this.path);
    if (policy !== SyncPolicy.never) disk.syncFolder(folder);
  }

  /** Appends [0, bytes) of `record`; throws what the file system throws, with the file as it was before. */
  append(record: Buffer, bytes: number): void {
    let written = 0;
    try {
      while (written < bytes) written += this.#disk.write(this.#descriptor, record, written, bytes);
      if (this.#policy === SyncPolicy.always) this.#disk.sync(this.#descriptor);
    } catch (error) {
      if (written > 0) this.#cutBack();
      throw error;
    }
    this.bytes += bytes;
    this.records++;
    if (this.#policy === SyncPolicy.interval) this.#syncSoon();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer?.cancel();
    if (this.#policy === SyncPolicy.interval && this.records > 0) {
      try {
        this.#disk.sync(this.#descriptor);
      } catch {
        // The records are written; that the disk cannot be forced now takes nothing back.
      }
    }
    if (!this.#isSyncing) this.#disk.close(this.#descriptor);
  }

  #cutBack(): void {
    try {
      this.#disk.truncate(this.#descriptor, this.bytes);
    } catch {
      // Then half a record stays in the file, which readers skip.
    }
  }

  #syncSoon(): void {
    if (this.#timer !== undefined || this.#isSyncing) return;
    this.#timer = this.#clock.setTimer(SYNC_INTERVAL_MS, () => {
      this.#timer = undefined;
      const records = this.records;
      this.#isSyncing = true;
      this.#disk.syncLater(this.#descriptor, () => {
        this.#isSyncing = false;
        if (this.#isClosed) this.#disk.close(this.#descriptor);
        else if (this.records > records) this.#syncSoon();
      });
    });
  }
}
