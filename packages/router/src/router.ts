/** A router's life in the main thread: it starts the parts in order, watches them, and ends them in order. */
import type { TransportKind } from '@larder/datapath';
import { AdminServer } from './admin/admin-server.ts';
import type { AdminSource } from './admin/pages.ts';
import { RouterError } from './errors.ts';
import { formatHostPort, type Listeners } from './listeners.ts';
import type { Logger } from './logging.ts';
import type { RouterSettings } from './options/router-options.ts';
import type { DestinationRow, RouteRow, RouterAddress, RunningRouter } from './running-router.ts';
import { sumDestinations, sumRoutes } from './statistics/destination-rows.ts';
import { generalRows, type Row, settingRows } from './statistics/general-rows.ts';
import type { SharedStatistics } from './statistics/shared-statistics.ts';
import type { MessageFromWorker, RouteServers, WorkerInput } from './workers/messages.ts';
import { WorkerPool } from './workers/worker-pool.ts';

export interface RouterParts {
  readonly settings: RouterSettings;
  readonly kind: TransportKind;
  readonly log: Logger;
  readonly shared: SharedStatistics;
  readonly listeners: Listeners;
  readonly inputs: readonly WorkerInput[];
  readonly notes: string[];
  readonly version: string;
  readonly startedAtMs: number;
}

export class Router implements RunningRouter {
  readonly settings: RouterSettings;
  readonly transport: TransportKind;
  readonly workers: number;
  readonly notes: readonly string[];
  readonly closed: Promise<number>;
  readonly #parts: RouterParts;
  readonly #log: Logger;
  readonly #addresses: RouterAddress[] = [];
  /** By worker: what its rows of servers are about. */
  readonly #labels: (readonly string[])[] = [];
  #routes: readonly RouteServers[] = [];
  #resolveClosed: (code: number) => void = () => {};
  #pool: WorkerPool | undefined;
  #admin: AdminServer | undefined;
  #stopping: Promise<void> | undefined;
  #failure = '';

  constructor(parts: RouterParts) {
    this.#parts = parts;
    this.#log = parts.log;
    this.settings = parts.settings;
    this.transport = parts.kind;
    this.workers = parts.inputs.length;
    this.notes = parts.notes;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#listAddresses();
  }

  get addresses(): readonly RouterAddress[] {
    return this.#addresses;
  }

  get port(): number {
    return this.#addresses.find((address) => address.kind === 'tcp')?.port ?? 0;
  }

  statistics(): ReadonlyMap<string, string | number> {
    return new Map(this.#generalRows());
  }

  destinations(): readonly DestinationRow[] {
    return sumDestinations(this.#parts.shared, this.#labels);
  }

  routes(): readonly RouteRow[] {
    return sumRoutes(this.#routes, this.destinations());
  }

  reload(): void {
    this.#pool?.tell({ type: 'reload' });
  }

  async start(entry: URL): Promise<void> {
    const pool = new WorkerPool({
      entry,
      inputs: this.#parts.inputs,
      onMessage: (worker, message) => this.#receive(worker, message),
      onDeath: (worker, error) => this.#workerDied(worker, error),
    });
    this.#pool = pool;
    try {
      await pool.start();
      await this.#startAdmin();
    } catch (error) {
      await pool.stop();
      throw error;
    }
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
    this.#parts.listeners.close();
    if (!inOrder) this.#log.error('a worker did not stop in time and was ended');
    this.#log.info('stopped');
    this.#resolveClosed(inOrder ? code : 1);
  }

  #workerDied(worker: number, error: Error): void {
    // While starting, `start` reports it.
    if (this.#failure !== '' || this.#stopping !== undefined) return;
    this.#failure = `worker ${worker} died: ${error.message}`;
    this.#log.fatal({ worker, err: error }, 'a worker died: the router ends');
    this.#stopping = this.#stop(this.#failure, 1);
  }

  #receive(worker: number, message: MessageFromWorker): void {
    if (message.type === 'log') this.#log[message.level](message.fields, message.text);
    else if (message.type === 'destinations') {
      this.#labels[worker] = message.labels;
      this.#routes = message.routes;
    } else this.#log.debug({ worker }, `worker ${message.type}`);
  }

  #generalRows(): Row[] {
    const rows = this.destinations();
    const count = (state: string): number => rows.filter((row) => row.state === state).length;
    const facts = { ...this.#parts, transport: this.transport };
    return generalRows(facts, this.#parts.shared.sum(), {
      all: rows.length,
      up: count('up'),
      down: count('tko'),
      unknown: count('new'),
    });
  }

  async #startAdmin(): Promise<void> {
    const { adminPort, adminHost, adminPortChosen } = this.settings;
    if (adminPort === 'off') return;
    const source = this.#adminSource();
    try {
      this.#admin = await AdminServer.listen(adminHost, adminPort, source);
    } catch (error) {
      if (adminPortChosen || !(error instanceof RouterError && error.code === 'EADDRINUSE')) throw error;
      this.#admin = await AdminServer.listen(adminHost, 0, source);
      const note = `admin port ${adminPort} is taken; using ${this.#admin.address.port}`;
      this.#parts.notes.push(note);
      this.#log.info(note);
    }
    const { host, port } = this.#admin.address;
    this.#addresses.push({ kind: 'admin', host, port, path: '', text: formatHostPort(host, port) });
  }

  #adminSource(): AdminSource {
    return {
      version: this.#parts.version,
      transport: this.transport,
      general: () => this.#generalRows(),
      settings: () => settingRows(this.settings),
      destinations: () => this.destinations(),
      routes: () => this.routes(),
      health: () => ({ ok: this.#failure === '', text: this.#failure === '' ? 'ok' : this.#failure }),
    };
  }

  #listAddresses(): void {
    const first = this.#parts.listeners.workers[0]!;
    for (const { address, port } of first.streams) {
      if (address.kind === 'unix') {
        this.#addresses.push({ kind: 'unix', host: '', port: 0, path: address.path, text: address.path });
      } else this.#addInternet('tcp', address.host, port);
    }
    for (const { address, port } of first.datagrams) {
      if (address.kind === 'udp') this.#addInternet('udp', address.host, port);
    }
  }

  #addInternet(kind: 'tcp' | 'udp', host: string, port: number): void {
    this.#addresses.push({ kind, host, port, path: '', text: formatHostPort(host, port) });
  }
}
