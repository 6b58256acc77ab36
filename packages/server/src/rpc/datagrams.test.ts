/** Datagrams of the typed protocol: how much one can make the server send, to whom, and from where it is taken. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as rpc from '@larder/protocol/rpc';
import { DATAGRAM_BYTES, encode, type WireObject } from '@larder/wire';
import { FAILURE_TYPE } from '@larder/wire/rpc';
import { fragmentsOf, RpcHarness } from './testing/rpc-harness.ts';

const { KeyValueTypes: types } = rpc;
const PORT = 11_212;

function request(type: number, object: WireObject): Buffer {
  return fragmentsOf(encode(object), type, 1)[0]!;
}

/** With a value of so many bytes under `a`. */
function holding(valueBytes: number, datagramsMax = 16): RpcHarness {
  const harness = new RpcHarness({ datagramsMax });
  const val = Buffer.alloc(valueBytes, 'v');
  harness.askByDatagrams(types.put, rpc.PutRequest.from({ key: 'a', val }), rpc.PutReplyView);
  return harness;
}

test('strangers get no answer, whatever they send', () => {
  const harness = new RpcHarness({ allows: () => false });
  for (const datagram of [
    request(types.get, rpc.GetRequest.from({ key: 'a' })),
    Buffer.alloc(3),
    Buffer.alloc(40),
  ])
    assert.deepEqual(harness.datagram(datagram), []);
  assert.equal(harness.counter('udp_refused'), 3 + 1, 'and one of the harness');
  assert.equal(harness.counter('udp_requests'), 0);
});

test('a reply has at most so many datagrams; the rest is refused in one', () => {
  const harness = holding(20_000, 4);
  const short = request(types.get, rpc.GetRequest.from({ key: 'a' }));
  const refused = harness.datagram(short);
  assert.equal(refused.length, 1);
  assert.equal(refused[0]!.readUInt32LE(4), FAILURE_TYPE);
  const allowed = holding(4 * 1456 - 300, 4).datagram(short);
  assert.equal(allowed.length, 4);
  assert.ok(allowed.every((each) => each.length <= DATAGRAM_BYTES));
  const many = rpc.GetMRequest.from({ keys: Array.from({ length: 4000 }, () => 'b') });
  const replies = fragmentsOf(encode(many), types.getM, 1).flatMap((each) => harness.datagram(each));
  assert.equal(replies.length, 1, 'a reply without values is as long as any');
});

test('what is no datagram of this protocol is not answered', () => {
  const harness = holding(10);
  const get = request(types.get, rpc.GetRequest.from({ key: 'a' }));
  const forged = (change: (datagram: Buffer) => void): Buffer => {
    const copy = Buffer.from(get);
    change(copy);
    return copy;
  };
  const before = harness.counter('udp_malformed');
  const malformed = [
    Buffer.alloc(0),
    get.subarray(0, 15),
    forged((datagram) => datagram.writeUInt16LE(0, 14)), // no parts
    forged((datagram) => datagram.writeUInt16LE(3, 12)), // a part that there is not
    forged((datagram) => datagram.writeUInt32LE(0xffff_ffff, 8)), // longer than it is
    forged((datagram) => datagram.writeUInt16LE(60_000, 14)), // so many parts for so few bytes
  ];
  for (const datagram of malformed) assert.deepEqual(harness.datagram(datagram), []);
  assert.equal(harness.counter('udp_malformed') - before, malformed.length);
  assert.equal(harness.datagram(get).length, 1);
});

test('two servers cannot be made to answer each other for ever', () => {
  const harness = holding(1);
  // A failure, as another server would send it to whoever seems to have asked.
  const failure = harness.datagram(fragmentsOf(new Uint8Array(8), 12_345, 1)[0]!);
  assert.equal(failure[0]!.readUInt32LE(4), FAILURE_TYPE);
  assert.deepEqual(harness.datagram(failure[0]!), []);
  // A request that says it comes from the server's own port, there or here.
  const get = request(types.get, rpc.GetRequest.from({ key: 'a' }));
  assert.deepEqual(harness.datagram(get, PORT, PORT), []);
  assert.equal(harness.datagram(get, PORT + 1, PORT).length, 1);
});

test('a long value leaves in datagrams as it lies in the store', () => {
  const harness = holding(20_000);
  const val = Buffer.alloc(20_000, 'v');
  const reply = harness.askByDatagrams(types.get, rpc.GetRequest.from({ key: 'a' }), rpc.GetReplyView);
  assert.ok(val.equals(reply.val));
  assert.equal(harness.owners.length, 14, 'each datagram refers to it');
  harness.settle();
  assert.equal(harness.leakedChunks(), 0);
});
