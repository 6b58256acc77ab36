/**
 * Every suite against every server: memcached (the oracle: a failure there is a mistake of the suite) and
 * Larder on each transport. `CONFORMANCE_SERVERS=memcached,uring` limits a run by hand to some of them.
 */
import { describe, test } from 'node:test';
import { LARDER_TRANSPORTS, larderServer } from './servers/larder.ts';
import { memcachedServer } from './servers/memcached.ts';
import { ROUTER_SUITES, ROUTER_VARIANTS, routerServer } from './servers/router.ts';
import type { ServerKind, ServerOptions } from './servers/server.ts';
import { administrationSuite } from './suites/administration.ts';
import { authSuite } from './suites/auth.ts';
import { badInputSuite } from './suites/bad-input.ts';
import { classicSuite } from './suites/classic.ts';
import { clientsSuite } from './suites/clients.ts';
import { concurrencySuite } from './suites/concurrency.ts';
import { leaseSuite } from './suites/leases.ts';
import { limitsSuite } from './suites/limits.ts';
import { metaSuite } from './suites/meta.ts';
import { restartSuite } from './suites/restart.ts';
import { registerSuite, type SuiteBody } from './suites/suite.ts';
import { tlsSuite } from './suites/tls.ts';
import { udpSuite } from './suites/udp.ts';
import { unixSuite } from './suites/unix.ts';

interface SuiteEntry {
  readonly body: SuiteBody;
  /** The shared server's options, by kind, where Larder has more to say. */
  readonly options?: ServerOptions;
  readonly larder?: readonly string[];
}

const SUITES: Readonly<Record<string, SuiteEntry>> = {
  classic: { body: classicSuite },
  meta: { body: metaSuite },
  leases: { body: leaseSuite, larder: ['--lease-token-seconds', '1'] },
  administration: { body: administrationSuite },
  udp: { body: udpSuite, options: { udp: true } },
  'unix sockets': { body: unixSuite },
  'bad input': { body: badInputSuite },
  limits: { body: limitsSuite },
  authentication: { body: authSuite },
  tls: { body: tlsSuite },
  restart: { body: restartSuite },
  concurrency: { body: concurrencySuite, options: { threads: 2 } },
  clients: { body: clientsSuite },
};

function registerServer(kind: ServerKind, suites: readonly string[] = Object.keys(SUITES)): void {
  if (kind.unavailable !== undefined) {
    // A test and not a suite, because only tests are counted as skipped.
    test(kind.name, { skip: kind.unavailable }, () => undefined);
    return;
  }
  describe(kind.name, () => {
    for (const [name, entry] of Object.entries(SUITES)) {
      if (!suites.includes(name)) continue;
      const extra = kind.larder && entry.larder ? { larder: entry.larder } : {};
      describe(name, () => registerSuite(kind, { ...entry.options, ...extra }, entry.body));
    }
  });
}

const { CONFORMANCE_SERVERS } = process.env;
const wanted = CONFORMANCE_SERVERS?.split(',');
const selected = (name: string): boolean => wanted === undefined || wanted.includes(name);

if (selected('memcached')) registerServer(memcachedServer());
for (const transport of LARDER_TRANSPORTS) {
  if (selected(transport)) registerServer(await larderServer(transport));
}
for (const variant of ROUTER_VARIANTS) {
  if (selected(variant.id))
    registerServer(routerServer(variant, await larderServer('epoll')), variant.suites ?? ROUTER_SUITES);
}
