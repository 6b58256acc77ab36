import { describe } from 'node:test';
import { memcachedServer } from './servers/memcached.ts';
import { registerSuite } from './suites/suite.ts';
import { authSuite } from './suites/auth.ts';
import { tlsSuite } from './suites/tls.ts';
import { restartSuite } from './suites/restart.ts';
import { concurrencySuite } from './suites/concurrency.ts';
import { clientsSuite } from './suites/clients.ts';
import { administrationSuite } from './suites/administration.ts';
import { udpSuite } from './suites/udp.ts';
for (const kind of [memcachedServer()]) {
  describe(kind.name, { skip: kind.unavailable ?? false }, () => {
    describe('administration', () => registerSuite(kind, {}, administrationSuite));
    describe('udp', () => registerSuite(kind, {udp:true}, udpSuite));
    describe('auth', () => registerSuite(kind, {}, authSuite));
    describe('tls', () => registerSuite(kind, {}, tlsSuite));
    describe('restart', () => registerSuite(kind, {}, restartSuite));
    describe('concurrency', () => registerSuite(kind, {threads: 2}, concurrencySuite));
    describe('clients', () => registerSuite(kind, {}, clientsSuite));
  });
}
