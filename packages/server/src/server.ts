/** A server in the main thread: the store's maintenance, statistics and admin pages around its host. */
import type { TransportKind } from '@larder/datapath';
import { type BoundAddress, Host, type Listeners, type Logger, logLevel } from '@larder/host';
import { adminSource } from './admin/admin-source.ts';
import { type CopyCalibration, copyCalibration } from './copy-calibration.ts';
import { MaintenanceLoop } from './maintenance-loop.ts';
import type { Memory } from './memory.ts';
import type { ServerSettings } from './options/server-options.ts';
import type { RunningServer } from './running-server.ts';
import { settleHeap } from './settle-heap.ts';
import { ServerStatistics } from './statistics/server-statistics.ts';
import { Control } from './workers/control.ts';
import type { MessageFromWorker, WorkerInput } from './workers/messages.ts';
import { type SharedPlan, SharedState } from './workers/shared-state.ts';

/**
 * Workers allocate next to nothing while they serve; without a bound V8 would let each one's young generation
 * grow to several times what it uses.
 */
const YOUNG_GENERATION_MB = 3;

export interface ServerParts {
  readonly settings: ServerSettings;
  readonly kind: TransportKind;
  readonly log: Logger;
  readonly memory: Memory;
  readonly shared: SharedPlan;
  readonly listeners: Listeners;
  readonly inputs: readonly WorkerInput[];
  readonly notes: string[];
  readonly version: string;
  /** The module that each worker runs. */
  readonly entry: URL;
}

export class Server implements RunningServer {
  readonly settings: ServerSettings;
  readonly transport: TransportKind;
  readonly workers: number;
  readonly notes: readonly string[];
  readonly restored: boolean;
  readonly #parts: ServerParts;
  readonly #host: Host<WorkerInput, MessageFromWorker>;
  readonly #shared: SharedState;
  readonly #statistics: ServerStatistics;
  #maintenance: MaintenanceLoop | undefined;
  #calibration: CopyCalibration | undefined;

  constructor(parts: ServerParts) {
    const { settings, kind, memory, version, entry, inputs } = parts;
    this.#parts = parts;
    this.settings = settings;
    this.transport = kind;
    this.workers = settings.threads;
    this.notes = parts.notes;
    this.restored = memory.restored;
    const shared = new SharedState(parts.shared);
    this.#shared = shared;
    const facts = {
      version,
      transport: kind,
      settings,
      startedAtMs: Date.now(),
      threads: settings.threads,
    };
    this.#statistics = new ServerStatistics(facts, shared, memory.store);
    this.#host = new Host({
      ...parts,
      name: 'server',
      transport: kind,
      admin: adminSource(facts, shared, this.#statistics),
      workers: {
        entry,
        inputs,
        threadName: 'larder',
        youngGenerationMb: YOUNG_GENERATION_MB,
        requestStop: () => Atomics.store(shared.control, Control.stop, 1),
        onMessage: (_worker, message) => this.#receive(message),
      },
      prepare: () => this.#prepare(),
      release: (isClean) => this.#release(isClean),
    });
  }

  get closed(): Promise<number> {
    return this.#host.closed;
  }

  get addresses(): readonly BoundAddress[] {
    return this.#host.addresses;
  }

  get port(): number {
    return this.#host.port;
  }

  statistics(): ReadonlyMap<string, string | number | bigint> {
    return new Map(this.#statistics.general());
  }

  async start(): Promise<void> {
    await this.#host.start();
    settleHeap();
  }

  stop(reason?: string): Promise<void> {
    return this.#host.stop(reason);
  }

  async #prepare(): Promise<void> {
    const { memory, kind, settings, log } = this.#parts;
    const { control } = this.#shared;
    this.#calibration = copyCalibration(settings.calibrate, memory.store, memory.arena, kind, control, log);
    await this.#calibration?.start();
    // Before the workers: the store's clock must run when the first request comes.
    this.#maintenance = new MaintenanceLoop(memory.store, this.#shared.control, () => {
      this.#host.pool.wakeAll();
      void this.#calibration?.look();
    });
    this.#maintenance.start();
  }

  #release(isClean: boolean): void {
    this.#maintenance?.stop();
    // A store in which a thread was stopped midway may be inconsistent: it must not be taken for clean.
    if (isClean) this.#parts.memory.store.close();
  }

  #receive(message: MessageFromWorker): void {
    switch (message.type) {
      case 'shutdown':
        void this.stop(message.graceful ? 'shutdown graceful' : 'shutdown');
        break;
      case 'verbosity':
        this.#parts.log.level = logLevel(message.level);
        break;
      case 'crawl':
        this.#maintenance?.requestCrawl();
        break;
      case 'reassign':
        this.#maintenance?.reassign(message.source, message.target);
        break;
      case 'automove':
        this.#maintenance?.setAutomove(message.enabled);
        break;
    }
  }
}
