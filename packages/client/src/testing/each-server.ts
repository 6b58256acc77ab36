/** Runs a group of tests against Larder and against memcached, one server for each group. */
import { after, before, describe } from 'node:test';
import { Cache } from '../cache.ts';
import type { CacheOptions } from '../options.ts';
import { SERVER_KINDS, type ServerKind, startServer, type TestServer } from './servers.ts';

export interface ServerGroup {
  readonly kind: ServerKind;
  /** Once the group runs. */
  readonly server: TestServer;
  /** A cache on the group's server; closed by whoever asks for it (`await using`). */
  connect(options?: CacheOptions): Promise<Cache>;
}

class Group implements ServerGroup {
  readonly kind: ServerKind;
  readonly #extra: readonly string[];
  #server: TestServer | undefined;

  constructor(kind: ServerKind, extra: readonly string[]) {
    this.kind = kind;
    this.#extra = extra;
  }

  get server(): TestServer {
    if (this.#server === undefined) throw new Error('the server of this group does not run yet');
    return this.#server;
  }

  connect(options: CacheOptions = {}): Promise<Cache> {
    return Cache.connect({ servers: this.server.address, ...options });
  }

  async start(): Promise<void> {
    this.#server = await startServer(this.kind, this.#extra);
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
  }
}

/** Options of the servers by kind. */
export type ExtraOptions = Partial<Readonly<Record<ServerKind, readonly string[]>>>;

export function eachServer(define: (group: ServerGroup) => void, extra: ExtraOptions = {}): void {
  for (const { kind, skip } of SERVER_KINDS) {
    describe(kind, { skip }, () => {
      const group = new Group(kind, extra[kind] ?? []);
      before(() => group.start());
      after(() => group.stop());
      define(group);
    });
  }
}
