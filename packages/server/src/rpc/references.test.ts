/** What replies refer to, and that it is given back: items, and the memory in which copied values are gathered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GetMReplyView, GetMRequest, KeyValueTypes as types } from '@larder/protocol/rpc';
import { RPC_COPIED_BYTES_MAX } from '../limits.ts';
import { RpcHarness } from './testing/rpc-harness.ts';

test('a getM of copied values that no send buffer holds gives its memory back, and nothing else', () => {
  const harness = new RpcHarness();
  const text = harness.session.connect();
  const keys = ['a', 'b', 'c', 'd', 'e'];
  for (const key of keys)
    assert.equal(text.ask(`set ${key} 0 0 8000\r\n${key.repeat(8000)}\r\n`), 'STORED\r\n');
  text.close();
  const client = harness.connect();
  for (let round = 0; round < 50; round++) {
    const { vals } = client.ask(types.getM, GetMRequest.from({ keys }), GetMReplyView);
    assert.deepEqual(
      vals.toArray().map((val) => Buffer.from(val).toString()),
      keys.map((key) => key.repeat(8000)),
    );
    assert.ok(client.connection.owners.length > 0, 'the gathered values are referenced');
    harness.settle();
  }
  assert.equal(harness.leakedChunks(), 0);
});

test('a reply of many values copies a bounded part of them, and refers to the others', () => {
  const harness = new RpcHarness();
  harness.session.ask(`set k 0 0 8000\r\n${'k'.repeat(8000)}\r\n`);
  const client = harness.connect();
  const count = 1000;
  const request = GetMRequest.from({ keys: Array.from({ length: count }, () => 'k') });
  const { vals } = client.ask(types.getM, request, GetMReplyView);
  assert.ok(vals.toArray().every((val) => Buffer.from(val).toString() === 'k'.repeat(8000)));
  const copied = Math.ceil(RPC_COPIED_BYTES_MAX / 8000);
  // The copied part is one reference, to where it was gathered.
  assert.equal(client.connection.references, count - copied + 1);
  harness.settle();
  assert.equal(harness.leakedChunks(), 0);
});
