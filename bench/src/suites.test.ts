import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findSuite, SUITES, suitesUsage } from './suites.ts';

test('every suite has its own name, one line in the help, and a module that runs', async () => {
  assert.equal(new Set(SUITES.map((suite) => suite.name)).size, SUITES.length);
  const usage = suitesUsage();
  for (const suite of SUITES) {
    assert.match(suite.name, /^[a-z][a-z0-9-]*$/);
    assert.doesNotMatch(suite.summary, /\n/);
    assert.ok(usage.includes(`  ${suite.name} `), suite.name);
    assert.equal(findSuite(suite.name), suite);
    const module = await suite.load();
    assert.equal(typeof module.run, 'function', suite.name);
  }
  assert.equal(findSuite('nonsense'), undefined);
});
