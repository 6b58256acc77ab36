/** A server's life in the main thread: it starts the parts in order, watches them, and ends them in order. */
import type { TransportKind } from '@larder/datapath';
import { AdminServer } from './admin/admin-server.ts';
import type { AdminSource } from './admin/pages.ts';
import { type CopyCalibration, copyCalibration } from './copy-calibration.ts';
import { ServerError } from './errors.ts';
import { closeListeners, type Listeners } from './listeners.ts';
import { type Logger, logLevel } from './logging.ts';
import { MaintenanceLoop } from './maintenance-loop.ts';
import type { Memory } from './memory.ts';
import { formatHostPort } from './options/listen-address.ts';
import type { ServerSettings } from './options/server-options.ts';
import type { BoundAddress, RunningServer } from './running-server.ts';
import type { StatisticsRow } from './session/statistics-source.ts';
import { settleHeap } from './settle-heap.ts';
import { ServerStatistics } from './statistics/server-statistics.ts';
import { latencyByCommand } from './statistics/shared-latency.ts';
import type { MessageFromWorker, WorkerInput } from './workers/messages.ts';
import { type SharedPlan, SharedState } from './workers/shared-state.ts';
import { WorkerPool } from './workers/worker-pool.ts';

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
}

export class Server implements RunningServer {
  readonly settings: ServerSettings;
  readonly transport: TransportKind;
  readonly workers: number;
  readonly notes: readonly string[];
  readonly restored: boolean;
  readonly closed: Promise<number>;
  readonly #parts: ServerParts;
  readonly #log: Logger;
  readonly #shared: SharedState;
  readonly #statistics: ServerStatistics;
  readonly #addresses: BoundAddress[] = [];
  #resolveClosed: (code: number) => void = () => {};
  #pool: WorkerPool | undefined;
  #maintenance: MaintenanceLoop | undefined;
  #admin: AdminServer | undefined;
  #calibration: CopyCalibration | undefined;
  #stopping: Promise<void> | undefined;
  #failure = '';

  constructor(parts: ServerParts) {
    this.#parts = parts;
    this.#log = parts.log;
    this.settings = parts.settings;
    this.transport = parts.kind;
    this.workers = parts.settings.threads;
    this.notes = parts.notes;
    this.restored = parts.memory.restored;
    this.#shared = new SharedState(parts.shared);
    const facts = {
      version: parts.version,
      transport: parts.kind,
      settings: parts.settings,
      startedAtMs: Date.now(),
      threads: parts.settings.threads,
    };
    this.#statistics = new ServerStatistics(facts, this.#shared, parts.memory.store);
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#listAddresses();
  }

  get addresses(): readonly BoundAddress[] {
    return this.#addresses;
  }

  get port(): number {
    return this.#addresses.find((address) => address.kind === 'tcp')?.port ?? 0;
  }

  statistics(): ReadonlyMap<string, string | number | bigint> {
    return new Map(this.#statistics.general());
  }

  async start(workerEntry: URL): Promise<void> {
    const pool = new WorkerPool({
      entry: workerEntry,
      inputs: this.#parts.inputs,
      control: this.#shared.control,
      onMessage: (worker, message) => this.#receive(worker, message),
      onDeath: (worker, error) => this.#workerDied(worker, error),
    });
    this.#pool = pool;
    try {
      const { memory, kind, settings } = this.#parts;
      this.#calibration = copyCalibration(settings.calibrate, memory.store, memory.arena, kind, this.#log);
      await this.#calibration?.start();
      // Before the workers: the store's clock must run when the first request comes.
      this.#maintenance = new MaintenanceLoop(memory.store, this.#shared.control, () => {
        pool.wakeAll();
        this.#calibration?.look();
      });
      this.#maintenance.start();
      await pool.start();
      await this.#startAdmin();
    } catch (error) {
      this.#maintenance?.stop();
      await pool.stop();
      throw error;
    }
    settleHeap();
    const { transport, workers, addresses } = this;
    this.#log.info({ transport, workers, addresses }, 'serving');
  }

  stop(reason: string = 'asked to'): Promise<void> {
    this.#stopping ??= this.#stop(reason, 0);
    return this.#stopping;
  }

  async #stop(reason: string, code: number): Promise<void> {
    this.#log.info({ reason }, 'stopping');
    await this.#admin?.close();
    const inOrder = await this.#pool!.stop();
    this.#maintenance?.stop();
    closeListeners(this.#parts.listeners);
    // A store in which a thread was stopped midway may be inconsistent: it must not be taken for clean.
    if (inOrder && code === 0) this.#parts.memory.store.close();
    if (!inOrder) this.#log.error('a worker did not stop in time and was ended');
    this.#log.info('stopped');
    this.#resolveClosed(inOrder ? code : 1);
  }

  #workerDied(worker: number, error: Error): void {
    // While starting, `start` reports it.
    if (this.#failure !== '' || this.#stopping !== undefined) return;
    this.#failure = `worker ${worker} died: ${error.message}`;
    this.#log.fatal({ worker, err: error }, 'a worker died: the server ends');
    this.#stopping = this.#stop(this.#failure, 1);
  }

  #receive(worker: number, message: MessageFromWorker): void {
    switch (message.type) {
      case 'log':
        this.#log[message.level](message.fields, message.text);
        break;
      case 'shutdown':
        void this.stop(message.graceful ? 'shutdown graceful' : 'shutdown');
        break;
      case 'verbosity':
        this.#log.level = logLevel(message.level);
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
      default:
        this.#log.debug({ worker }, `worker ${message.type}`);
    }
  }

  async #startAdmin(): Promise<void> {
    const { adminPort, adminHost, adminPortChosen } = this.settings;
    if (adminPort === 'off') return;
    const source = this.#adminSource();
    try {
      this.#admin = await AdminServer.listen(adminHost, adminPort, source);
    } catch (error) {
      if (adminPortChosen || !(error instanceof ServerError && error.code === 'EADDRINUSE')) throw error;
      this.#admin = await AdminServer.listen(adminHost, 0, source);
      const note = `admin port ${adminPort} is taken; using ${this.#admin.address.port}`;
      this.#parts.notes.push(note);
      this.#log.info(note);
    }
    const { host, port } = this.#admin.address;
    this.#addresses.push({ kind: 'admin', host, port, path: '', text: formatHostPort(host, port) });
  }

  #adminSource(): AdminSource {
    const statistics = this.#statistics;
    const rows = (given: Iterable<StatisticsRow>) => new Map(given);
    return {
      version: this.#parts.version,
      transport: this.transport,
      general: () => rows(statistics.general()),
      latencies: () => latencyByCommand(this.#shared),
      health: () => ({ ok: this.#failure === '', text: this.#failure === '' ? 'ok' : this.#failure }),
      sections: () => ({
        general: rows(statistics.general()),
        items: rows(statistics.items()),
        slabs: rows(statistics.slabs()),
        settings: rows(statistics.settings()),
      }),
    };
  }

  #listAddresses(): void {
    const { streams, datagrams, tls, rpcPort } = this.#parts.listeners;
    for (const { address, port } of streams) {
      if (address.kind === 'unix') {
        this.#addresses.push({ kind: 'unix', host: '', port: 0, path: address.path, text: address.path });
      } else this.#addInternet(port === rpcPort ? 'rpc' : 'tcp', address.host, port);
    }
    for (const sockets of datagrams) {
      const { address, port } = sockets[0]!;
      if (address.kind === 'udp' && port !== rpcPort) this.#addInternet('udp', address.host, port);
    }
    for (const { address, port } of tls) {
      if (address.kind === 'tcp') this.#addInternet('tls', address.host, port);
    }
  }

  #addInternet(kind: 'tcp' | 'udp' | 'tls' | 'rpc', host: string, port: number): void {
    this.#addresses.push({ kind, host, port, path: '', text: formatHostPort(host, port) });
  }
}
