/** A router in the main thread: what its workers tell of servers, statistics and admin pages around its host. */
import type { TransportKind } from '@larder/datapath';
import { type AdminSource, type BoundAddress, Host, type Listeners, type Logger } from '@larder/host';
import type { RouterSettings } from './options/router-options.ts';
import type { DestinationRow, RouteRow, RunningRouter } from './running-router.ts';
import { sumDestinations, sumRoutes } from './statistics/destination-rows.ts';
import { generalRows, type Row, settingRows } from './statistics/general-rows.ts';
import type { SharedStatistics } from './statistics/shared-statistics.ts';
import { SpoolWatch } from './statistics/spool-watch.ts';
import type { MessageFromWorker, MessageToWorker, RouteServers, WorkerInput } from './workers/messages.ts';

const RELOAD: MessageToWorker = { type: 'reload' };
const STOP: MessageToWorker = { type: 'stop' };

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
  /** The module that each worker runs. */
  readonly entry: URL;
}

export class Router implements RunningRouter {
  readonly settings: RouterSettings;
  readonly transport: TransportKind;
  readonly workers: number;
  readonly notes: readonly string[];
  readonly #parts: RouterParts;
  readonly #host: Host<WorkerInput, MessageFromWorker>;
  /** By worker: what its rows of servers are about. */
  readonly #labels: (readonly string[])[] = [];
  #routes: readonly RouteServers[] = [];
  readonly #spool: SpoolWatch;

  constructor(parts: RouterParts) {
    const { settings, kind, entry, inputs } = parts;
    this.#parts = parts;
    this.settings = settings;
    this.transport = kind;
    this.workers = settings.threads;
    this.notes = parts.notes;
    this.#spool = new SpoolWatch(settings.spoolFolder);
    this.#host = new Host({
      ...parts,
      name: 'router',
      transport: kind,
      admin: this.#adminSource(),
      workers: {
        entry,
        inputs,
        threadName: 'larder-router',
        requestStop: (pool) => pool.tell(STOP),
        onMessage: (worker, { labels, routes }) => {
          this.#labels[worker] = labels;
          this.#routes = routes;
        },
      },
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
    this.#host.pool.tell(RELOAD);
  }

  start(): Promise<void> {
    return this.#host.start();
  }

  stop(reason?: string): Promise<void> {
    return this.#host.stop(reason);
  }

  #generalRows(): Row[] {
    const rows = this.destinations();
    const count = (state: string): number => rows.filter((row) => row.state === state).length;
    const facts = { ...this.#parts, transport: this.transport };
    const servers = {
      all: rows.length,
      up: count('up'),
      down: count('tko'),
      unknown: count('new'),
    };
    return generalRows(facts, this.#parts.shared.sum(), servers, this.#spool.contents());
  }

  #adminSource(): Omit<AdminSource, 'health'> {
    const { version } = this.#parts;
    const { transport } = this;
    return {
      title: 'Larder router',
      statistics: () => ({
        version,
        transport,
        general: Object.fromEntries(this.#generalRows()),
        settings: Object.fromEntries(settingRows(this.settings)),
        routes: this.routes(),
        servers: this.destinations(),
      }),
      metrics: async () => {
        const { createMetrics } = await import('./admin/metrics.ts');
        return createMetrics({
          version,
          transport,
          general: () => this.#generalRows(),
          destinations: () => this.destinations(),
          routes: () => this.routes(),
        });
      },
    };
  }
}
