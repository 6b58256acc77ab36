import { describe } from 'node:test';
import { memcachedServer } from './servers/memcached.ts';
import { administrationSuite } from './suites/administration.ts';
import { badInputSuite } from './suites/bad-input.ts';
import { classicSuite } from './suites/classic.ts';
import { leaseSuite } from './suites/leases.ts';
import { limitsSuite } from './suites/limits.ts';
import { metaSuite } from './suites/meta.ts';
import { registerSuite } from './suites/suite.ts';
import { udpSuite } from './suites/udp.ts';
for (const kind of [memcachedServer()]) {
  describe(kind.name, { skip: kind.unavailable ?? false }, () => {
    describe('classic', () => registerSuite(kind, {}, classicSuite));
    describe('meta', () => registerSuite(kind, {}, metaSuite));
    describe('administration', () => registerSuite(kind, {}, administrationSuite));
    describe('leases', () => registerSuite(kind, {}, leaseSuite));
    describe('udp', () => registerSuite(kind, {udp:true}, udpSuite));
    describe('bad', () => registerSuite(kind, {}, badInputSuite));
    describe('limits', () => registerSuite(kind, {}, limitsSuite));
  });
}
