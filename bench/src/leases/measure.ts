/** The database stand-in, the updates, and what the readers' processes came to. */
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Cache } from '@larder/client';
import { BenchError } from '../errors.ts';
import type { BenchProcess, Processes } from '../harness/processes.ts';
import {
  BUCKET_MS,
  HOT_KEYS,
  hotKey,
  MODE_TITLES,
  type Mode,
  type Order,
  PROCESSES,
  QUERY_MS,
  type Report,
  UPDATE_EVERY_MS,
} from './plan.ts';

const READER = fileURLToPath(new URL('./reader-process.ts', import.meta.url));

export interface LeaseResult {
  readonly mode: Mode;
  readonly title: string;
  readonly callsPerSecond: number;
  readonly queriesPerSecond: number;
  /** In the fullest piece of time. */
  readonly queriesPerSecondPeak: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly updates: number;
  /** Updates that found an older value in the cache than the last one had made true: stale sets. */
  readonly staleSets: number;
}

/** Answers queries after their time, with what was true when they arrived, and counts them. */
class Database {
  readonly versions: Map<string, number> = new Map();
  readonly #buckets: Map<number, number> = new Map();
  queries: number = 0;

  answer(id: number, key: string, child: ChildProcess): void {
    const bucket = Math.floor(performance.now() / BUCKET_MS);
    this.queries += 1;
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + 1);
    const version = this.versions.get(key) ?? 0;
    setTimeout(() => {
      const order: Order = { kind: 'answer', id, version };
      if (child.connected) child.send(order);
    }, QUERY_MS);
  }

  get peakPerSecond(): number {
    return (Math.max(0, ...this.#buckets.values()) * 1000) / BUCKET_MS;
  }
}

/** One updater for all keys, one after the other. */
class Updater {
  readonly #cache: Cache;
  readonly #database: Database;
  #timer: NodeJS.Timeout | undefined;
  #next: number = 0;
  updates: number = 0;
  staleSets: number = 0;

  constructor(cache: Cache, database: Database) {
    this.#cache = cache;
    this.#database = database;
  }

  start(): void {
    this.#timer = setInterval(() => void this.#update(), UPDATE_EVERY_MS / HOT_KEYS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #update(): Promise<void> {
    const key = hotKey(this.#next);
    this.#next = (this.#next + 1) % HOT_KEYS;
    const version = this.#database.versions.get(key) ?? 0;
    const cached = await this.#cache.get<number>(key);
    this.updates += 1;
    if (cached !== undefined && cached < version) this.staleSets += 1;
    this.#database.versions.set(key, version + 1);
    await this.#cache.delete(key);
  }
}

export class Readers {
  readonly #processes: readonly BenchProcess[];

  private constructor(processes: readonly BenchProcess[]) {
    this.#processes = processes;
  }

  static async start(processes: Processes, address: string, cpus: string): Promise<Readers> {
    const started = Array.from({ length: PROCESSES }, (_, index) =>
      processes.start(
        `reader ${index}`,
        process.execPath,
        ['-C', 'larder-source', READER, address, String(index)],
        { cpus, channel: true },
      ),
    );
    await Promise.all(started.map((reader) => until(reader, 'ready')));
    return new Readers(started);
  }

  /** Each reader's part; their queries go to the database. */
  async run(mode: Mode, milliseconds: number, database: Database): Promise<(Report & { kind: 'done' })[]> {
    const listeners = this.#processes.map(({ child }) => {
      const listen = (report: Report): void => {
        if (report.kind === 'query') database.answer(report.id, report.key, child);
      };
      child.on('message', listen);
      return () => child.off('message', listen);
    });
    const order: Order = { kind: 'run', mode, milliseconds };
    const done = Promise.all(this.#processes.map((reader) => until(reader, 'done')));
    for (const { child } of this.#processes) child.send(order);
    const reports = await done;
    for (const end of listeners) end();
    return reports as (Report & { kind: 'done' })[];
  }
}

function until(reader: BenchProcess, kind: Report['kind']): Promise<Report> {
  return new Promise((resolve, reject) => {
    const listen = (report: Report): void => {
      if (report.kind === 'failed') reject(new BenchError('SERVER', report.error));
      if (report.kind !== kind) return;
      reader.child.off('message', listen);
      resolve(report);
    };
    reader.child.on('message', listen);
    void reader.ended.then(() => reject(new BenchError('SERVER', `a reader ended: ${reader.output}`)));
  });
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export async function measureMode(
  readers: Readers,
  cache: Cache,
  mode: Mode,
  milliseconds: number,
): Promise<LeaseResult> {
  const database = new Database();
  const updater = new Updater(cache, database);
  await cache.deleteMany(Array.from({ length: HOT_KEYS }, (_, index) => hotKey(index)));
  updater.start();
  const reports = await readers.run(mode, milliseconds, database);
  updater.stop();
  const seconds = milliseconds / 1000;
  const latencies = reports.flatMap(({ latenciesMs }) => latenciesMs).sort((one, other) => one - other);
  return {
    mode,
    title: MODE_TITLES[mode],
    callsPerSecond: reports.reduce((sum, { calls }) => sum + calls, 0) / seconds,
    queriesPerSecond: database.queries / seconds,
    queriesPerSecondPeak: database.peakPerSecond,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    updates: updater.updates,
    staleSets: updater.staleSets,
  };
}
