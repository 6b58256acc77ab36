/** Requests that never come whole: what they hold together is bounded, and others go on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  GetReplyView,
  GetRequest,
  PutReplyView,
  PutRequest,
  Status,
  KeyValueTypes as types,
} from '@larder/protocol/rpc';
import { encode } from '@larder/wire';
import { FAILURE_TYPE, FailureView } from '@larder/wire/rpc';
import { type Answer, frameOf, RpcHarness, type RpcTestClient } from './testing/rpc-harness.ts';

const LIMIT_BYTES: number = 4 << 20;
const VALUE_BYTES = 900_000;
const LONG: Buffer = frameOf(
  encode(PutRequest.from({ key: 'long', val: new Uint8Array(VALUE_BYTES) })),
  types.put,
  3,
);

function codesOf(answers: readonly Answer[]): string[] {
  return answers.map(({ type, message }) =>
    type === FAILURE_TYPE ? new FailureView(message).code : 'reply',
  );
}

/** So many clients that have sent half of a long request. */
function halfSent(harness: RpcHarness, count: number): RpcTestClient[] {
  return Array.from({ length: count }, () => {
    const client = harness.connect();
    client.deliver(LONG.subarray(0, LONG.length >> 1));
    return client;
  });
}

test('many half-sent requests hold no more than the limit; who is refused goes on with the next request', () => {
  const harness = new RpcHarness({ gatherBytesMax: LIMIT_BYTES });
  const clients = halfSent(harness, 100);
  const held = harness.counter('gathered_bytes');
  assert.ok(held > LIMIT_BYTES / 2 && held <= LIMIT_BYTES, `${held} bytes`);
  const refused = clients.filter((client) => codesOf(client.answers()).includes('SERVER_BUSY'));
  assert.equal(refused.length, 100 - Math.floor(LIMIT_BYTES / VALUE_BYTES));
  assert.equal(harness.counter('read_buf_oom'), refused.length);
  const [last] = refused;
  // The rest of the refused request is thrown away, and the connection answers what comes behind it.
  last!.deliver(LONG.subarray(LONG.length >> 1));
  assert.deepEqual(codesOf(last!.answers()), [], 'it was answered already');
  const put = PutRequest.from({ key: 'short', val: 'v' });
  assert.equal(last!.ask(types.put, put, PutReplyView).status, Status.STATUS_OK);
  // Who had memory is stored when it is whole, and its memory is free again.
  const accepted = clients.filter((client) => !refused.includes(client));
  for (const client of accepted) {
    client.deliver(LONG.subarray(LONG.length >> 1));
    assert.deepEqual(codesOf(client.answers()), ['reply']);
  }
  assert.equal(harness.counter('gathered_bytes'), 0);
  const { val } = last!.ask(types.get, GetRequest.from({ key: 'long' }), GetReplyView);
  assert.equal(val.length, VALUE_BYTES);
  for (const client of clients) client.close();
  harness.settle();
  assert.equal(harness.leakedChunks(), 0);
});

test('a connection that ends gives back what it held', () => {
  const harness = new RpcHarness({ gatherBytesMax: LIMIT_BYTES });
  for (let round = 0; round < 50; round++) {
    const [client] = halfSent(harness, 1);
    assert.deepEqual(codesOf(client!.answers()), [], `round ${round}`);
    client!.close();
    assert.equal(harness.counter('gathered_bytes'), 0);
  }
});

test('who is slow gives way to those who come later, and learns of it', () => {
  const harness = new RpcHarness({ gatherBytesMax: LIMIT_BYTES });
  const slow = halfSent(harness, 100).filter((client) => client.answers().length === 0);
  const other = harness.connect();
  harness.nowMs = 9000;
  other.deliver(LONG);
  assert.deepEqual(codesOf(other.answers()), ['SERVER_BUSY'], 'they may still be quick');
  harness.nowMs = 60_000;
  other.deliver(LONG);
  assert.deepEqual(codesOf(other.answers()), ['reply']);
  const lost = slow.filter((client) => {
    client.deliver(LONG.subarray(LONG.length >> 1));
    return codesOf(client.answers())[0] === 'SERVER_BUSY';
  });
  assert.equal(lost.length, 1, 'as many as were needed');
});

test('whatever the limit, the largest request is taken when there is no other', () => {
  const harness = new RpcHarness({ gatherBytesMax: 1 });
  const client = harness.connect();
  const reply = client.ask(
    types.put,
    PutRequest.from({ key: 'a', val: new Uint8Array(1 << 20) }),
    PutReplyView,
  );
  assert.equal(reply.status, Status.STATUS_OK);
  const tooLong = frameOf(new Uint8Array(0), types.put, 9, (2 << 20) + 1);
  client.deliver(tooLong);
  assert.deepEqual(codesOf(client.answers()), ['BAD_MESSAGE']);
  assert.equal(client.connection.isEnded, true);
});
