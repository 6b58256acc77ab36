/** What replies refer to, and that it is given back: items, and the memory in which copied values are gathered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GetMReplyView, GetMRequest, KeyValueTypes as types } from '@larder/protocol/rpc';
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
