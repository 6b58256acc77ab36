/**
 * What a suite is given: the server kind under test, a server shared by the suite's ordinary tests, and
 * helpers that mark where memcached and Larder are meant to differ.
 */
import { after, before, test } from 'node:test';
import { RawClient, type RawClientOptions } from '../client/raw.ts';
import type { RunningServer, ServerKind, ServerOptions } from '../servers/server.ts';

/** A test's body with a fresh connection to the suite's shared server. */
export type ClientTest = (client: RawClient) => Promise<void>;

export interface Suite {
  readonly kind: ServerKind;
  /** The suite's shared server; only to be called within tests. */
  server(): RunningServer;
  /** Starts a server of its own for a test; ended after the suite if the test has not done so. */
  start(options: ServerOptions): Promise<RunningServer>;
  connect(server?: RunningServer, options?: RawClientOptions): Promise<RawClient>;
  /** A key that no other test uses. */
  key(hint?: string): string;
  /** A test on the shared server with a connection of its own. */
  test(name: string, body: ClientTest): void;
  /** As `test`, where memcached has the behaviour only since `version`. */
  since(version: string, name: string, body: ClientTest): void;
  /** As `test`, for what only Larder has. */
  larderOnly(name: string, body: ClientTest): void;
  /** As `test`, for what is about a server as such: nothing that a router in front of it could do. */
  serverOnly(name: string, body: ClientTest): void;
  /** The expectation for the server under test, where the two are meant to differ. */
  pick<T>(values: { readonly memcached: T; readonly larder: T }): T;
}

/** Registers a suite's tests. */
export type SuiteBody = (suite: Suite) => void;

function olderThan(version: string, wanted: string): boolean {
  const have = version.split('.').map(Number);
  const want = wanted.split('.').map(Number);
  for (let index = 0; index < want.length; index++) {
    const difference = (have[index] ?? 0) - (want[index] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** Runs `body` with one shared server started with `options`; call it within `describe`. */
export function registerSuite(kind: ServerKind, options: ServerOptions, body: SuiteBody): void {
  let shared: RunningServer | undefined;
  const own: RunningServer[] = [];
  let keyCount = 0;

  before(async () => {
    shared = await kind.start(options);
  });
  after(async () => {
    for (const server of own) await server.kill();
    await shared?.kill();
  });

  const server = (): RunningServer => {
    if (!shared) throw new Error('the shared server did not start');
    return shared;
  };
  const connect = (
    target: RunningServer = server(),
    clientOptions: RawClientOptions = {},
  ): Promise<RawClient> => RawClient.connect(target.address, clientOptions);
  const run = (name: string, clientTest: ClientTest, skip?: string): void => {
    const reason = skip ?? kind.unsupported?.get(name);
    test(name, reason === undefined ? {} : { skip: reason }, async () => {
      await using client = await connect();
      await clientTest(client);
    });
  };

  body({
    kind,
    server,
    connect,
    start: async (ownOptions) => {
      const started = await kind.start(ownOptions);
      own.push(started);
      return started;
    },
    key: (hint = 'k') => `${hint}:${++keyCount}`,
    test: (name, clientTest) => run(name, clientTest),
    since: (version, name, clientTest) => {
      const old = !kind.larder && olderThan(kind.version, version);
      run(name, clientTest, old ? `memcached ${kind.version} has this only since ${version}` : undefined);
    },
    larderOnly: (name, clientTest) => run(name, clientTest, kind.larder ? undefined : 'only Larder has this'),
    serverOnly: (name, clientTest) =>
      run(name, clientTest, kind.isRouter === true ? 'a router is not the server' : undefined),
    pick: (values) => (kind.larder ? values.larder : values.memcached),
  });
}
