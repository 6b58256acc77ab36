import { describe } from 'node:test';
import { memcachedServer } from './servers/memcached.ts';
import { classicSuite } from './suites/classic.ts';
import { metaSuite } from './suites/meta.ts';
import { registerSuite } from './suites/suite.ts';
for (const kind of [memcachedServer()]) {
  describe(kind.name, { skip: kind.unavailable ?? false }, () => {
    describe('classic', () => registerSuite(kind, {}, classicSuite));
    describe('meta', () => registerSuite(kind, {}, metaSuite));
  });
}
