/**
 * Real processes for bad days: cache servers that can be killed, stopped and started again on the same port, and a
 * router in front of them.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loggedAddresses } from '../servers/larder.ts';
import { ServerProcess } from '../servers/process.ts';

const MAIN = fileURLToPath(new URL('../../../packages/cli/src/main.ts', import.meta.url));
const HOST = '127.0.0.1';

/** A `larder serve` or `larder router` that keeps its port when it is started again. */
export class Machine {
  readonly name: string;
  readonly #command: readonly string[];
  #process: ServerProcess | undefined;
  #port = 0;
  #udpPort = 0;

  constructor(name: string, command: readonly string[]) {
    this.name = name;
    this.#command = command;
  }

  static cache(name: string): Machine {
    return new Machine(name, ['serve', '-m', '64', '-t', '1']);
  }

  get address(): string {
    return `${HOST}:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  get udpPort(): number {
    return this.#udpPort;
  }

  async start(): Promise<void> {
    const port = String(this.#port);
    const args = [...this.#command, '-v', '--no-admin', '-l', HOST, '-p', port];
    const started = new ServerProcess(process.execPath, ['-C', 'larder-source', MAIN, ...args], {});
    this.#process = started;
    const addresses = await started.started(() => loggedAddresses(started.log()));
    this.#port = addresses.find((each) => each.kind === 'tcp')?.port ?? 0;
    this.#udpPort = addresses.find((each) => each.kind === 'udp')?.port ?? 0;
  }

  /** kill -9. */
  async kill(): Promise<void> {
    await this.#process?.kill();
    this.#process = undefined;
  }

  /** Holds it still: connections are accepted by the kernel, and nothing is answered. */
  freeze(): void {
    process.kill(this.#process!.pid, 'SIGSTOP');
  }

  thaw(): void {
    process.kill(this.#process!.pid, 'SIGCONT');
  }

  log(): string {
    return this.#process?.log() ?? '';
  }
}

/** What a bad day's router is told beside its configuration: fail fast, look again soon. */
const IMPATIENT = [
  '--server-timeout',
  '200',
  '--connect-timeout',
  '200',
  '--tko-failures',
  '2',
  '--probe-delay',
  '100',
  '--reload',
  '100',
];

export class Cluster implements AsyncDisposable {
  readonly folder: string;
  readonly caches: readonly Machine[];
  readonly gutter: Machine;
  readonly router: Machine;

  private constructor(caches: number, flags: readonly string[]) {
    this.folder = mkdtempSync(join(tmpdir(), 'larder-bad-day-'));
    this.caches = Array.from({ length: caches }, (_, index) => Machine.cache(`cache-${index + 1}`));
    this.gutter = Machine.cache('gutter');
    const config = join(this.folder, 'router.json');
    this.router = new Machine('router', ['router', '--config', config, '-t', '1', ...IMPATIENT, ...flags]);
  }

  /** `route` is built when the servers' addresses are known. */
  static async start(
    caches: number,
    config: (cluster: Cluster) => unknown,
    flags: readonly string[] = [],
  ): Promise<Cluster> {
    const cluster = new Cluster(caches, flags);
    try {
      await Promise.all([...cluster.caches, cluster.gutter].map((machine) => machine.start()));
      cluster.configure(config(cluster));
      await cluster.router.start();
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Writes the router's configuration; it is noticed while the router runs. */
  configure(config: unknown): void {
    writeFileSync(
      join(this.folder, 'router.json'),
      typeof config === 'string' ? config : JSON.stringify(config),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.router, this.gutter, ...this.caches].map((machine) => machine.kill()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The caches' pool alone: what a server's death costs without a gutter. */
export function plainConfig(cluster: Cluster, addresses: readonly string[] = addressesOf(cluster)): unknown {
  return { pools: { main: { servers: addresses } }, route: 'PoolRoute|main' };
}

/** The caches' pool with the gutter behind it. */
export function gutterConfig(cluster: Cluster, addresses: readonly string[] = addressesOf(cluster)): unknown {
  return {
    pools: { main: { servers: addresses }, gutter: { servers: [cluster.gutter.address] } },
    route: {
      type: 'FailoverWithExptimeRoute',
      normal: 'PoolRoute|main',
      failover: 'PoolRoute|gutter',
      failover_exptime: 10,
    },
  };
}

export function addressesOf(cluster: Cluster): string[] {
  return cluster.caches.map((machine) => machine.address);
}
