/**
 * Deletes that could not be delivered, on disk until their destination is back; then this process delivers them
 * itself (nsdi13 3.3 and 4.1: deletes are buffered and replayed).
 *
 * One folder per destination below `folder`; each holds the segments of every process that spools for it
 * (`spool-queue.ts`). A folder belongs to one host. A delete is spooled before it is answered: it survives kill -9
 * of this process at any moment, and with the policy `always` a power cut too.
 */
import { join } from 'node:path';
import type { Clock, Random } from '../clock.ts';
import type { Destination } from '../destination/destination.ts';
import { metaFlag } from '../handles/meta-flags.ts';
import type { Kept } from '../registry.ts';
import { Operation, type Request } from '../request.ts';
import { type Disk, nodeDisk } from './disk.ts';
import { NOTICE_INTERVAL_MS, RECOUNT_INTERVAL_MS, SPOOL_BYTES_MAX } from './limits.ts';
import { newOwner } from './owner.ts';
import { RECORD_BYTES_MAX, RecordKind, writeRecord } from './record.ts';
import { SyncPolicy } from './segment-writer.ts';
import { type SpoolContents, spoolContents } from './spool-contents.ts';
import { SpoolQueue } from './spool-queue.ts';
import { SpoolStatistics } from './spool-statistics.ts';

export interface SpoolOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly notice: (text: string) => void;
  /** Default `interval`. */
  readonly sync?: SyncPolicy | undefined;
  /** All files together; default SPOOL_BYTES_MAX. */
  readonly bytesMax?: number | undefined;
  readonly segmentBytesMax?: number | undefined;
  readonly disk?: Disk | undefined;
}

export class Spool implements Kept {
  readonly statistics: SpoolStatistics = new SpoolStatistics();
  readonly #options: SpoolOptions;
  readonly #disk: Disk;
  readonly #owner: string = newOwner();
  readonly #queues: Map<string, SpoolQueue> = new Map();
  readonly #record: Buffer = Buffer.alloc(RECORD_BYTES_MAX);
  #countedAtMs = Number.NEGATIVE_INFINITY;
  #lastNoticeMs = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  constructor(options: SpoolOptions) {
    this.#options = options;
    this.#disk = options.disk ?? nodeDisk;
    // What earlier processes left counts against the limit too.
    this.#recount();
  }

  /** Delivers to this destination what is spooled for it, now or later. */
  attach(destination: Destination): void {
    if (!this.#isClosed) this.#queueOf(destination).attach(destination);
  }

  /** Writes the request's key down as a delete for the destination; false if that was not possible. */
  append(destination: Destination, request: Request): boolean {
    if (this.#isClosed) return false;
    const isBase64 =
      request.operation === Operation.metaDelete && metaFlag(request.metaFlags, 'b') !== undefined;
    const bytes = writeRecord(
      {
        kind: isBase64 ? RecordKind.metaDeleteBase64 : RecordKind.delete,
        key: request.key,
        holdOffSeconds: request.holdOffSeconds,
        writtenAtMs: this.#options.clock.wallNow(),
      },
      this.#record,
    );
    if (bytes === 0) return this.#refuse(destination, 'the key is too long');
    const bytesMax = this.#options.bytesMax ?? SPOOL_BYTES_MAX;
    if (this.statistics.bytes + bytes > bytesMax && this.#recount() + bytes > bytesMax) {
      this.statistics.droppedForLimit++;
      return this.#refuse(destination, `the spool holds its limit of ${bytesMax} bytes`);
    }
    try {
      this.#queueOf(destination).append(this.#record, bytes);
    } catch (error) {
      return this.#refuse(destination, error instanceof Error ? error.message : String(error));
    }
    this.statistics.written++;
    this.statistics.bytes += bytes;
    return true;
  }

  /** What waits in the folder now, written by this process or any other that shares it. Reads directories. */
  contents(): SpoolContents {
    return spoolContents(this.#options.folder, this.#disk);
  }

  /** Waits for deliveries that are under way. */
  async settled(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.settled()));
  }

  /** Leaves everything on the disk for the next process. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#queues.values()].map((queue) => queue.close()));
  }

  #queueOf(destination: Destination): SpoolQueue {
    const { label } = destination;
    let queue = this.#queues.get(label);
    if (queue === undefined) {
      queue = new SpoolQueue({
        ...this.#options,
        label,
        folder: join(this.#options.folder, encodeURIComponent(label)),
        owner: this.#owner,
        disk: this.#disk,
        policy: this.#options.sync ?? SyncPolicy.interval,
        statistics: this.statistics,
      });
      this.#queues.set(label, queue);
    }
    return queue;
  }

  /** The bytes there are: other processes that share the folder deliver, and spool, too. */
  #recount(): number {
    const now = this.#options.clock.now();
    if (now - this.#countedAtMs >= RECOUNT_INTERVAL_MS) {
      this.#countedAtMs = now;
      this.statistics.bytes = this.contents().bytes;
    }
    return this.statistics.bytes;
  }

  #refuse(destination: Destination, reason: string): false {
    this.statistics.refused++;
    const now = this.#options.clock.now();
    if (now - this.#lastNoticeMs >= NOTICE_INTERVAL_MS) {
      this.#lastNoticeMs = now;
      this.#options.notice(
        `a failed delete for ${destination.label} could not be spooled: ${reason}; its caller gets the error ` +
          `(${this.statistics.refused} so far)`,
      );
    }
    return false;
  }
}
