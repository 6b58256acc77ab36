/**
 * A process's life in the main thread: it starts the parts in order, watches them, and ends them in order.
 *
 * ```
 *   start    prepare ─▶ workers serve ─▶ admin pages ─▶ "serving"
 *   stop     admin pages ─▶ workers ─▶ release ─▶ sockets ─▶ closed resolves
 *   a worker dies: the process ends with code 1
 * ```
 */
import type { TransportKind } from '@larder/datapath';
import { AdminServer } from './admin/admin-server.ts';
import type { AdminSource } from './admin/pages.ts';
import { HostError } from './errors.ts';
import type { BoundAddress, Listeners } from './listeners.ts';
import type { Logger } from './logging.ts';
import type { HostSettings } from './options/host-options.ts';
import { formatHostPort } from './options/listen-address.ts';
import { WorkerPool, type WorkerPoolOptions } from './workers/worker-pool.ts';

export interface HostParts<
  Input extends { readonly index: number },
  FromWorker extends { readonly type: string },
> {
  /** What the process is, in its log: `server`, `router`. */
  readonly name: string;
  readonly log: Logger;
  readonly settings: HostSettings;
  readonly transport: TransportKind;
  readonly listeners: Listeners;
  /** What the operator should know; the host adds to it. */
  readonly notes: string[];
  readonly workers: WorkerPoolOptions<Input, FromWorker>;
  readonly admin: Omit<AdminSource, 'health'>;
  /** Before the workers run. */
  readonly prepare?: () => Promise<void>;
  /** When no worker runs any more; `isClean` unless one died or had to be ended by force. */
  readonly release?: (isClean: boolean) => void;
}

export class Host<Input extends { readonly index: number }, FromWorker extends { readonly type: string }> {
  /** Resolves with the exit code when everything has ended: 0 after `stop`, 1 when a worker died. */
  readonly closed: Promise<number>;
  readonly pool: WorkerPool<Input, FromWorker>;
  readonly #parts: HostParts<Input, FromWorker>;
  readonly #log: Logger;
  #resolveClosed: (code: number) => void = () => {};
  #admin: AdminServer | undefined;
  #stopping: Promise<void> | undefined;
  #failure = '';

  constructor(parts: HostParts<Input, FromWorker>) {
    this.#parts = parts;
    this.#log = parts.log;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.pool = new WorkerPool(parts.workers, {
      onLog: (_worker, { level, fields, text }) => this.#log[level](fields, text),
      onDeath: (worker, error) => this.#workerDied(worker, error),
    });
  }

  get addresses(): readonly BoundAddress[] {
    return this.#parts.listeners.addresses;
  }

  /** The first TCP port, 0 when there is none. */
  get port(): number {
    return this.addresses.find((address) => address.kind === 'tcp')?.port ?? 0;
  }

  /** Throws when something does not start; nothing runs then. */
  async start(): Promise<void> {
    try {
      await this.#parts.prepare?.();
      await this.pool.start();
      await this.#startAdmin();
    } catch (error) {
      await this.pool.stop();
      this.#parts.release?.(false);
      throw error;
    }
    const { transport, settings } = this.#parts;
    const { addresses } = this;
    this.#log.info({ transport, workers: settings.threads, addresses }, 'serving');
  }

  stop(reason: string = 'asked to'): Promise<void> {
    this.#stopping ??= this.#stop(reason, 0);
    return this.#stopping;
  }

  async #stop(reason: string, code: number): Promise<void> {
    this.#log.info({ reason }, 'stopping');
    await this.#admin?.close();
    const inOrder = await this.pool.stop();
    this.#parts.release?.(inOrder && code === 0);
    this.#parts.listeners.close();
    if (!inOrder) this.#log.error('a worker did not stop in time and was ended');
    this.#log.info('stopped');
    this.#resolveClosed(inOrder ? code : 1);
  }

  #workerDied(worker: number, error: Error): void {
    // While starting, `start` reports it.
    if (this.#failure !== '' || this.#stopping !== undefined) return;
    this.#failure = `worker ${worker} died: ${error.message}`;
    this.#log.fatal({ worker, err: error }, `a worker died: the ${this.#parts.name} ends`);
    this.#stopping = this.#stop(this.#failure, 1);
  }

  async #startAdmin(): Promise<void> {
    const { settings, admin, listeners, notes } = this.#parts;
    const { adminPort, adminHost, adminPortChosen } = settings;
    if (adminPort === 'off') return;
    const source: AdminSource = {
      ...admin,
      health: () => ({ ok: this.#failure === '', text: this.#failure === '' ? 'ok' : this.#failure }),
    };
    try {
      this.#admin = await AdminServer.listen(adminHost, adminPort, source);
    } catch (error) {
      if (adminPortChosen || !(error instanceof HostError && error.code === 'EADDRINUSE')) throw error;
      this.#admin = await AdminServer.listen(adminHost, 0, source);
      const note = `admin port ${adminPort} is taken; using ${this.#admin.address.port}`;
      notes.push(note);
      this.#log.info(note);
    }
    const { host, port } = this.#admin.address;
    listeners.addresses.push({ kind: 'admin', host, port, path: '', text: formatHostPort(host, port) });
  }
}
