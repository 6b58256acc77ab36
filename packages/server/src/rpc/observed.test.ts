/** What operators see of typed requests: `watch`, `stats detail`, counters and latencies, as of the others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as rpc from '@larder/protocol/rpc';
import { EventCategory } from '../session/event-log.ts';
import { COMMAND_KIND_NAMES, SAMPLE_EVERY_BATCHES } from '../session/latency.ts';
import { RpcHarness, type RpcTestClient } from './testing/rpc-harness.ts';

const { KeyValueTypes: types, Status } = rpc;

function put(client: RpcTestClient, init: rpc.PutRequestInit): number {
  return client.ask(types.put, rpc.PutRequest.from(init), rpc.PutReplyView).status;
}

/** Without the slab class, which is nobody's business here. */
function lines(harness: RpcHarness): string[] {
  return harness.session.events.lines.splice(0).map((line) => line.replace(/clsid=\d+/, 'clsid=n'));
}

test('watch fetchers: one line for each key, found or not, over TCP and UDP', () => {
  const harness = new RpcHarness();
  const client = harness.connect();
  put(client, { key: 'a', val: 'hello' });
  harness.session.events.mask = EventCategory.fetchers;
  const { vals } = client.ask(types.getM, rpc.GetMRequest.from({ keys: ['a', 'b'] }), rpc.GetMReplyView);
  assert.deepEqual(
    vals.toArray().map((val) => Buffer.from(val).toString()),
    ['hello', ''],
  );
  client.ask(types.getList, rpc.GetListRequest.from({ key: 'a' }), rpc.GetListReplyView);
  client.ask(types.getFromList, rpc.GetFromListRequest.from({ key: 'a' }), rpc.GetFromListReplyView);
  client.ask(types.leaseGet, rpc.LeaseGetRequest.from({ key: 'none' }), rpc.LeaseGetReplyView);
  harness.askByDatagrams(types.get, rpc.GetRequest.from({ key: 'a' }), rpc.GetReplyView);
  assert.deepEqual(lines(harness), [
    'type=item_get key=a status=found clsid=n cfd=7 size=5',
    'type=item_get key=b status=not_found clsid=n cfd=7 size=0',
    'type=item_get key=a status=found clsid=n cfd=7 size=5',
    'type=item_get key=a status=found clsid=n cfd=7 size=5',
    'type=item_get key=none status=not_found clsid=n cfd=7 size=0',
    'type=item_get key=a status=found clsid=n cfd=-1 size=5',
  ]);
  harness.session.events.mask = 0;
  client.ask(types.get, rpc.GetRequest.from({ key: 'a' }), rpc.GetReplyView);
  assert.deepEqual(lines(harness), []);
});

test('watch mutations and deletions: the names of the text protocol', () => {
  const harness = new RpcHarness();
  const client = harness.connect();
  put(client, { key: 'a', val: 'was there' });
  harness.session.events.mask = EventCategory.mutations | EventCategory.deletions;
  put(client, { key: 'a', val: 'now this' });
  put(client, { key: 'a', val: 'x', mode: rpc.PutMode.PUT_MODE_ADD, expiry: 60 });
  put(client, { key: 'a', val: 'x', mode: rpc.PutMode.PUT_MODE_COMPARE, version: 1 });
  put(client, { key: 'big', val: new Uint8Array(70_000) });
  client.ask(types.putM, rpc.PutMRequest.from({ keys: ['m1', 'm2'], vals: ['1', '22'] }), rpc.PutMReplyView);
  client.ask(types.putList, rpc.PutListRequest.from({ key: 'list', vals: ['1', '22'] }), rpc.PutReplyView);
  client.ask(types.append, rpc.AppendRequest.from({ key: 'list', val: '333' }), rpc.PutReplyView);
  client.ask(types.append, rpc.AppendRequest.from({ key: 'none', val: '333' }), rpc.PutReplyView);
  const { token } = client.ask(types.leaseGet, rpc.LeaseGetRequest.from({ key: 'l' }), rpc.LeaseGetReplyView);
  client.ask(types.leaseSet, rpc.LeaseSetRequest.from({ key: 'l', val: 'v', token }), rpc.PutReplyView);
  client.ask(types.delete, rpc.DeleteRequest.from({ key: 'a' }), rpc.PutReplyView);
  client.ask(types.delete, rpc.DeleteRequest.from({ key: 'a' }), rpc.PutReplyView);
  assert.deepEqual(lines(harness), [
    'type=item_store key=a status=stored cmd=set ttl=0 clsid=n cfd=7 size=8',
    'type=item_store key=a status=not_stored cmd=add ttl=60 clsid=n cfd=7 size=1',
    'type=item_store key=a status=exists cmd=cas ttl=0 clsid=n cfd=7 size=1',
    'type=item_store key=big status=stored cmd=set ttl=0 clsid=n cfd=7 size=70000',
    'type=item_store key=m1 status=stored cmd=set ttl=0 clsid=n cfd=7 size=1',
    'type=item_store key=m2 status=stored cmd=set ttl=0 clsid=n cfd=7 size=2',
    'type=item_store key=list status=stored cmd=put-list ttl=0 clsid=n cfd=7 size=3',
    'type=item_store key=list status=stored cmd=append ttl=0 clsid=n cfd=7 size=6',
    'type=item_store key=none status=not_stored cmd=append ttl=0 clsid=n cfd=7 size=3',
    'type=item_store key=l status=stored cmd=lease-set ttl=0 clsid=n cfd=7 size=1',
    'type=deleted key=a cmd=delete clsid=n cfd=7 size=8',
  ]);
});

test('stats detail counts both protocols under one prefix', () => {
  const harness = new RpcHarness();
  const client = harness.connect();
  harness.session.statistics.detail.enabled = true;
  harness.session.ask('set user:1 0 0 1\r\nx\r\nget user:1\r\n');
  put(client, { key: 'user:2', val: 'y' });
  client.ask(types.getM, rpc.GetMRequest.from({ keys: ['user:2', 'user:3'] }), rpc.GetMReplyView);
  client.ask(types.putList, rpc.PutListRequest.from({ key: 'user:4', vals: ['1'] }), rpc.PutReplyView);
  client.ask(types.delete, rpc.DeleteRequest.from({ key: 'user:2' }), rpc.PutReplyView);
  assert.deepEqual([...harness.session.statistics.detail.dump()], ['PREFIX user get 3 hit 2 set 3 del 1']);
});

test('typed requests are counted apart, and one batch in so many is timed', () => {
  const harness = new RpcHarness();
  const client = harness.connect();
  put(client, { key: 'a', val: '1' });
  const { version } = client.ask(
    types.get,
    rpc.GetRequest.from({ key: 'a', version: true }),
    rpc.GetReplyView,
  );
  const mode = rpc.PutMode.PUT_MODE_COMPARE;
  assert.equal(put(client, { key: 'a', val: '2', mode, version }), Status.STATUS_OK);
  assert.equal(put(client, { key: 'a', val: '3', mode, version }), Status.STATUS_EXISTS);
  assert.equal(put(client, { key: 'b', val: '3', mode, version }), Status.STATUS_NOT_FOUND);
  const counted = ['cmd_set', 'cmd_get', 'get_hits', 'cas_hits', 'cas_badval', 'cas_misses'];
  assert.deepEqual(
    counted.map((name) => harness.counter(name)),
    [4, 1, 1, 1, 1, 1],
  );
  assert.ok(counted.every((name) => harness.session.counter(name) === 0));
  harness.session.latency.records.length = 0;
  for (let batch = 0; batch < 3 * SAMPLE_EVERY_BATCHES; batch++)
    client.ask(types.get, rpc.GetRequest.from({ key: 'a' }), rpc.GetReplyView);
  const records = harness.session.latency.records.map(([kind, ns]) => [COMMAND_KIND_NAMES[kind], ns]);
  assert.deepEqual(records, [
    ['rpc_get', 100],
    ['rpc_get', 100],
    ['rpc_get', 100],
  ]);
});
