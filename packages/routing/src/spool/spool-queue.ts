/**
 * What waits for one destination: a folder of segments, the one being written, and their delivery.
 *
 * ```
 *   <stem>.<owner>.active            being appended to by its owner
 *   <stem>-<records>.<owner>.spool   closed; anybody may take it
 *   <stem>-<records>.<owner>.taken   being delivered by its owner
 * ```
 * A segment changes hands by being renamed, which only one taker can do. Segments of dead owners are there to be
 * taken whatever their state, so what a killed process spooled is delivered by the next one. Delivery: take
 * segments, sort their keys, leave out repetitions, send the deletes, and remove the files when all of them have
 * been answered. A process that dies in between leaves the files, and the deletes are sent again, which does no harm.
 */
import { basename, join } from 'node:path';
import type { Clock, Random, TimerHandle } from '../clock.ts';
import { type Destination, DestinationState } from '../destination/destination.ts';
import { Result } from '../reply.ts';
import { Operation, Request } from '../request.ts';
import type { Disk } from './disk.ts';
import {
  REPLAY_DELAY_INITIAL_MS,
  REPLAY_DELAY_MAX_MS,
  REPLAY_RECORDS_MAX,
  REPLAY_WINDOW,
  SEGMENT_AGE_MAX_MS,
  SEGMENT_BYTES_MAX,
} from './limits.ts';
import { isOwnerAlive } from './owner.ts';
import { RecordKind, type SpoolRecord, scanRecords } from './record.ts';
import { newStem, parseSegmentName, segmentName } from './segment-name.ts';
import { SegmentWriter, type SyncPolicy } from './segment-writer.ts';
import type { SpoolStatistics } from './spool-statistics.ts';

const BASE64_FLAG: Buffer = Buffer.from('b');

export interface SpoolQueueOptions {
  readonly label: string;
  readonly folder: string;
  readonly owner: string;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  readonly notice: (text: string) => void;
  readonly policy: SyncPolicy;
  readonly segmentBytesMax?: number | undefined;
  readonly statistics: SpoolStatistics;
}

/** Deletes that are on their way, and the files they came from. */
interface Batch {
  readonly files: readonly string[];
  readonly bytes: number;
  waiting: Request[];
}

export class SpoolQueue {
  readonly #options: SpoolQueueOptions;
  /** Objects that stand for the destination, the newest last: a reload may bring another one. */
  #destinations: Destination[] = [];
  readonly #unsubscribe: Map<Destination, () => void> = new Map();
  #writer: SegmentWriter | undefined;
  #counter = 0;
  #batch: Batch | undefined;
  #delivery: Promise<void> | undefined;
  #timer: TimerHandle | undefined;
  #delayMs: number = REPLAY_DELAY_INITIAL_MS;
  #isClosed = false;
  #isFolderMade = false;

  constructor(options: SpoolQueueOptions) {
    this.#options = options;
  }

  /** This object delivers to the destination from now on, beginning with what an earlier process left. */
  attach(destination: Destination): void {
    if (this.#destinations.includes(destination)) return;
    this.#destinations.push(destination);
    const stop = destination.onState((state) => {
      if (state === DestinationState.closed) this.#detach(destination);
      else if (state === DestinationState.up) this.#deliverNow();
    });
    this.#unsubscribe.set(destination, stop);
    if (this.#available().length > 0) this.#deliverSoon(0);
  }

  /** Throws what the file system throws. */
  append(record: Buffer, bytes: number): void {
    this.#currentWriter().append(record, bytes);
    if (this.#destinations.some((destination) => destination.isUp)) this.#deliverSoon(this.#delayMs);
  }

  /** Files that are left, for tests and statistics. */
  get files(): readonly string[] {
    return this.#isFolderMade || this.#folderExists() ? this.#options.disk.list(this.#options.folder) : [];
  }

  /** Waits for a delivery that is under way, if any. */
  async settled(): Promise<void> {
    await this.#delivery;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    for (const stop of this.#unsubscribe.values()) stop();
    this.#unsubscribe.clear();
    await this.#delivery;
    this.#closeWriter();
    for (const file of this.#batch?.files ?? []) this.#rename(file, 'spool');
    this.#batch = undefined;
  }

  #detach(destination: Destination): void {
    this.#destinations = this.#destinations.filter((each) => each !== destination);
    this.#unsubscribe.get(destination)?.();
    this.#unsubscribe.delete(destination);
  }

  #currentWriter(): SegmentWriter {
    const { clock, disk, folder, owner, policy } = this.#options;
    const bytesMax = this.#options.segmentBytesMax ?? SEGMENT_BYTES_MAX;
    const writer = this.#writer;
    if (writer !== undefined) {
      const age = clock.now() - writer.startedAtMs;
      if (writer.bytes < bytesMax && age < SEGMENT_AGE_MAX_MS) return writer;
      this.#closeWriter();
    }
    if (!this.#isFolderMade) disk.makeFolder(folder);
    this.#isFolderMade = true;
    const name = segmentName(newStem(clock.wallNow(), owner, this.#counter++), owner, 'active');
    this.#writer = new SegmentWriter(folder, name, disk, clock, policy);
    return this.#writer;
  }

  #closeWriter(): void {
    const writer = this.#writer;
    if (writer === undefined) return;
    this.#writer = undefined;
    writer.close();
    if (writer.records === 0) this.#options.disk.remove(writer.path);
    else this.#rename(writer.path, 'spool', `-${writer.records}`);
  }

  /** Gives a file of this owner another state; undefined if it is gone. */
  #rename(path: string, state: 'spool' | 'taken', count: string = ''): string | undefined {
    const { folder, owner } = this.#options;
    const stem = parseSegmentName(basename(path))?.stem ?? basename(path);
    const target = join(folder, segmentName(`${stem}${count}`, owner, state));
    try {
      this.#options.disk.rename(path, target);
      return target;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  #folderExists(): boolean {
    try {
      this.#options.disk.list(this.#options.folder);
      return true;
    } catch {
      return false;
    }
  }

  /** Closed segments, and those of dead owners, oldest first. */
  #available(): string[] {
    const { owner } = this.#options;
    return this.files
      .filter((file) => {
        const name = parseSegmentName(file);
        if (name === undefined || name.state === 'spool') return name !== undefined;
        return name.owner !== owner && !isOwnerAlive(name.owner);
      })
      .sort()
      .map((name) => join(this.#options.folder, name));
  }

  #deliverSoon(delayMs: number): void {
    if (this.#isClosed || this.#timer !== undefined || this.#delivery !== undefined) return;
    this.#timer = this.#options.clock.setTimer(delayMs, () => this.#deliverNow());
  }

  #deliverNow(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#isClosed || this.#delivery !== undefined) return;
    this.#delivery = this.#deliver()
      .catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        this.#options.notice(`spool for ${this.#options.label} cannot be read: ${reason}`);
        return false;
      })
      .then((isDone) => {
        this.#delivery = undefined;
        this.#delayMs = isDone ? REPLAY_DELAY_INITIAL_MS : Math.min(this.#delayMs * 2, REPLAY_DELAY_MAX_MS);
        // A destination that is down tells when it is up; one that is up and failed is asked again later.
        const isUp = this.#destinations.some((destination) => destination.isUp);
        const jitter = 1 + this.#options.random() / 4;
        if (!isDone && isUp) this.#deliverSoon(this.#delayMs * jitter);
      });
  }

  /** Whether nothing is left. */
  async #deliver(): Promise<boolean> {
    while (!this.#isClosed) {
      const target = this.#destinations.findLast((destination) => destination.isUp);
      if (target === undefined) return false;
      this.#batch ??= this.#take();
      const batch = this.#batch;
      if (batch === undefined) return true;
      if (!(await this.#send(batch, target))) return false;
      for (const file of batch.files) this.#options.disk.remove(file);
      this.#options.statistics.bytes = Math.max(0, this.#options.statistics.bytes - batch.bytes);
      this.#batch = undefined;
    }
    return true;
  }

  /** Takes segments and reads them; undefined when there are none. */
  #take(): Batch | undefined {
    if ((this.#writer?.records ?? 0) > 0) this.#closeWriter();
    const byKey = new Map<string, SpoolRecord>();
    const files: string[] = [];
    let bytes = 0;
    let records = 0;
    for (const path of this.#available()) {
      if (records >= REPLAY_RECORDS_MAX) break;
      const taken = this.#rename(path, 'taken');
      if (taken === undefined) continue;
      files.push(taken);
      const content = this.#options.disk.read(taken);
      bytes += content.length;
      const found = scanRecords(content, (record) => {
        records++;
        // One character per byte: such strings sort as their bytes do.
        const name = `${record.key.toString('latin1')}\0${record.kind}`;
        const known = byKey.get(name);
        if (known === undefined || known.holdOffSeconds < record.holdOffSeconds) byKey.set(name, record);
      });
      this.#report(taken, found.damaged, found.damagedBytes, found.isTorn);
    }
    if (files.length === 0) return undefined;
    const names = [...byKey.keys()].sort();
    this.#options.statistics.read += records;
    return { files, bytes, waiting: names.map((name) => requestOf(byKey.get(name)!)) };
  }

  #report(file: string, damaged: number, damagedBytes: number, isTorn: boolean): void {
    const { label, notice, statistics } = this.#options;
    statistics.damaged += damaged;
    if (isTorn) statistics.torn++;
    if (damaged === 0) return;
    notice(
      `spool for ${label}: ${damaged} damaged stretches (${damagedBytes} bytes) in ${file} are no records and ` +
        'were skipped; deletes may be missing there',
    );
  }

  /** Sends the batch's deletes in order, a window of them at a time; what fails stays in the batch. */
  async #send(batch: Batch, target: Destination): Promise<boolean> {
    const { waiting } = batch;
    const undelivered: Request[] = [];
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < waiting.length && undelivered.length === 0 && !this.#isClosed) {
        const request = waiting[next++]!;
        const reply = await target.route(request);
        if (reply.isError && reply.result !== Result.clientError) undelivered.push(request);
        else this.#countDelivered(request, reply.result === Result.clientError);
      }
    };
    await Promise.all(Array.from({ length: REPLAY_WINDOW }, worker));
    batch.waiting = [...undelivered, ...waiting.slice(next)];
    return batch.waiting.length === 0;
  }

  #countDelivered(request: Request, isRefused: boolean): void {
    const { label, notice, statistics } = this.#options;
    if (!isRefused) statistics.delivered++;
    else notice(`spool for ${label}: the server refuses the delete of ${request.keyText} as malformed`);
  }
}

function requestOf(record: SpoolRecord): Request {
  const isMeta = record.kind === RecordKind.metaDeleteBase64;
  const request = Request.of(isMeta ? Operation.metaDelete : Operation.delete, record.key);
  if (isMeta) request.metaFlags = BASE64_FLAG;
  request.holdOffSeconds = record.holdOffSeconds;
  return request;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
