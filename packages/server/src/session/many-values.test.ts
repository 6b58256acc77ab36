/** One line that asks for more than anybody should copy: replies come as they are, and take a bounded amount of buffers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SessionHarness } from './testing/session-harness.ts';

const VALUE = 'v'.repeat(1000);
const KEYS = 60;
const CONGESTED_BYTES = 20_000;

/** What a line with many keys is answered with, and how much of it was referenced. */
function ask(command: string, pattern: RegExp): { values: number; references: number } {
  const harness = new SessionHarness({ sendBufferBytes: 4096 });
  const client = harness.connect();
  assert.equal(client.ask(`set k 0 0 ${VALUE.length}\r\n${VALUE}\r\n`), 'STORED\r\n');
  // An access is noted under the lock; only after that values are copied without one.
  client.ask('get k\r\nget k\r\n');
  client.connection.references = 0;
  client.connection.congestedBytes = CONGESTED_BYTES;
  const reply = client.ask(`${command}${' k'.repeat(KEYS)}\r\n`);
  const { references } = client.connection;
  const values = [...reply.matchAll(pattern)].length;
  assert.ok(reply.endsWith('END\r\n'));
  client.close();
  harness.ask('flush_all\r\n');
  harness.advance(2);
  const used = harness.store.slabStatistics().reduce((sum, { usedChunks }) => sum + usedChunks, 0);
  assert.equal(used, 0, 'what was referenced is given back');
  return { values, references };
}

for (const [command, pattern] of [
  ['get', /VALUE k 0 1000\r\nv{1000}\r\n/g],
  ['gets', /VALUE k 0 1000 \d+\r\nv{1000}\r\n/g],
  ['gat 0', /VALUE k 0 1000\r\nv{1000}\r\n/g],
  ['lease-get', /VALUE k 0 1000\r\nv{1000}\r\n/g],
] as const) {
  test(`${command}: values are copied until the connection is congested, and referenced from then on`, () => {
    const { values, references } = ask(command, pattern);
    assert.equal(values, KEYS);
    const copied = KEYS - references;
    assert.ok(copied >= 15 && copied <= CONGESTED_BYTES / VALUE.length + 6, `${copied} copied`);
  });
}
