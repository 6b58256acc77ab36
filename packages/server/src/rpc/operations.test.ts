/**
 * Every operation over TCP and over UDP, with requests and replies of one datagram and of several, and what the text
 * protocols make of the same keys. Without sockets: rpc.test.ts has the same server on every transport.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as rpc from '@larder/protocol/rpc';
import type { View, ViewClass, WireObject } from '@larder/wire';
import { RpcHarness } from './testing/rpc-harness.ts';

const { KeyValueTypes: types, Status } = rpc;
/** One datagram, several, and more than the copy threshold. */
const SIZES: readonly number[] = [0, 1, 300, 3000, 20_000];

interface Asker {
  readonly name: string;
  readonly ask: <V extends View>(type: number, request: WireObject, view: ViewClass<V>) => V;
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

function repeated(bytes: number, mark: string): string {
  return mark.repeat(Math.ceil(bytes / mark.length)).slice(0, bytes);
}

/** Runs once over each way, on a store of its own, and sees to it that nothing is held afterwards. */
function overBoth(name: string, run: (asker: Asker, harness: RpcHarness) => void): void {
  for (const way of ['TCP', 'UDP']) {
    test(`${name} over ${way}`, () => {
      // Versions and tokens beyond 32 bits, whose lower half looks negative.
      const harness = new RpcHarness({ datagramsMax: 64, store: { casBase: [0x00ff_ffff, 1] } });
      const client = harness.connect();
      const ask: Asker['ask'] =
        way === 'TCP'
          ? (type, request, view) => client.ask(type, request, view)
          : (type, request, view) => harness.askByDatagrams(type, request, view);
      run({ name: way, ask }, harness);
      harness.settle();
      assert.equal(harness.leakedChunks(), 0);
    });
  }
}

/** What the text protocol gives for a key. */
function textGet(harness: RpcHarness, key: string): string {
  const reply = harness.session.ask(`get ${key}\r\n`);
  return reply === 'END\r\n' ? '(none)' : reply.slice(reply.indexOf('\r\n') + 2, -'\r\nEND\r\n'.length);
}

overBoth('put, get', ({ ask }, harness) => {
  for (const bytes of SIZES) {
    const val = repeated(bytes, `put ${bytes} `);
    const key = `k${bytes}`;
    assert.equal(
      ask(types.put, rpc.PutRequest.from({ key, val, flags: 9 }), rpc.PutReplyView).status,
      Status.STATUS_OK,
    );
    const reply = ask(types.get, rpc.GetRequest.from({ key }), rpc.GetReplyView);
    assert.deepEqual([textOf(reply.val), reply.flags, reply.status], [val, 9, Status.STATUS_OK]);
    assert.equal(textGet(harness, key), val);
    const text = repeated(bytes, 'by text ');
    assert.equal(harness.session.ask(`set ${key} 5 0 ${bytes}\r\n${text}\r\n`), 'STORED\r\n');
    const changed = ask(types.get, rpc.GetRequest.from({ key, version: true }), rpc.GetReplyView);
    assert.deepEqual([textOf(changed.val), changed.flags], [text, 5]);
    assert.match(
      harness.session.ask(`gets ${key}\r\n`),
      new RegExp(`^VALUE ${key} 5 ${bytes} ${changed.version}\r`),
    );
  }
});

overBoth('putM, getM', ({ ask }, harness) => {
  const keys = SIZES.map((bytes) => `m${bytes}`);
  const vals = SIZES.map((bytes) => repeated(bytes, `${bytes}, `));
  const { statuses } = ask(types.putM, rpc.PutMRequest.from({ keys, vals, flags: 1 }), rpc.PutMReplyView);
  assert.equal(statuses.length, 0);
  const reply = ask(types.getM, rpc.GetMRequest.from({ keys: [...keys, 'none'] }), rpc.GetMReplyView);
  assert.deepEqual(reply.vals.toArray().map(textOf), [...vals, '']);
  assert.deepEqual([...reply.missing], [keys.length]);
  assert.deepEqual([...reply.flags], [...keys.map(() => 1), 0]);
  for (const [index, key] of keys.entries()) assert.equal(textGet(harness, key), vals[index]);
});

overBoth('putList, getList, getFromList, append', ({ ask }, harness) => {
  const elements = SIZES.map((bytes) => repeated(bytes, `element of ${bytes} `));
  const put = rpc.PutListRequest.from({ key: 'list', vals: elements, flags: 3 });
  assert.equal(ask(types.putList, put, rpc.PutReplyView).status, Status.STATUS_OK);
  const added = rpc.AppendRequest.from({ key: 'list', val: repeated(5000, 'added ') });
  assert.equal(ask(types.append, added, rpc.PutReplyView).status, Status.STATUS_OK);
  const all = [...elements, repeated(5000, 'added ')];
  const list = ask(types.getList, rpc.GetListRequest.from({ key: 'list' }), rpc.GetListReplyView);
  assert.deepEqual([list.vals.toArray().map(textOf), list.flags], [all, 3]);
  for (const [index, element] of all.entries()) {
    const request = rpc.GetFromListRequest.from({ key: 'list', index });
    const one = ask(types.getFromList, request, rpc.GetFromListReplyView);
    assert.deepEqual([textOf(one.val), one.count, one.flags], [element, all.length, 3]);
  }
  // To everybody else a list is the bytes of its elements.
  assert.equal(textGet(harness, 'list'), all.join(''));
  assert.match(harness.session.ask('mg list s v\r\n'), new RegExp(`^VA ${all.join('').length} s`));
  assert.equal(
    textOf(ask(types.get, rpc.GetRequest.from({ key: 'list' }), rpc.GetReplyView).val),
    all.join(''),
  );
  // And what everybody else appends makes it an ordinary value.
  assert.equal(harness.session.ask('append list 0 0 3\r\nend\r\n'), 'STORED\r\n');
  const joined = ask(types.getList, rpc.GetListRequest.from({ key: 'list' }), rpc.GetListReplyView);
  assert.deepEqual(joined.vals.toArray().map(textOf), [`${all.join('')}end`]);
  const beyond = rpc.GetFromListRequest.from({ key: 'list', index: 1 });
  assert.equal(ask(types.getFromList, beyond, rpc.GetFromListReplyView).status, Status.STATUS_NOT_FOUND);
});

overBoth('append to a value, delete', ({ ask }, harness) => {
  harness.session.ask('set a 0 0 5\r\nfirst\r\n');
  const more = repeated(4000, ' more');
  ask(types.append, rpc.AppendRequest.from({ key: 'a', val: more }), rpc.PutReplyView);
  assert.equal(textGet(harness, 'a'), `first${more}`);
  const none = rpc.AppendRequest.from({ key: 'none', val: 'x' });
  assert.equal(ask(types.append, none, rpc.PutReplyView).status, Status.STATUS_NOT_STORED);
  const held = () => rpc.DeleteRequest.from({ key: 'a', holdoff: 10 });
  assert.equal(ask(types.delete, held(), rpc.PutReplyView).status, Status.STATUS_OK);
  assert.equal(ask(types.delete, held(), rpc.PutReplyView).status, Status.STATUS_NOT_FOUND);
  assert.equal(textGet(harness, 'a'), '(none)');
  assert.equal(harness.session.ask('add a 0 0 1\r\nx\r\n'), 'NOT_STORED\r\n');
  const add = () => rpc.PutRequest.from({ key: 'a', val: 'x', mode: rpc.PutMode.PUT_MODE_ADD });
  assert.equal(ask(types.put, add(), rpc.PutReplyView).status, Status.STATUS_NOT_STORED);
  harness.session.advance(11);
  assert.equal(ask(types.put, add(), rpc.PutReplyView).status, Status.STATUS_OK);
});

overBoth('leaseGet, leaseSet: tokens are those of the text protocol', ({ ask }, harness) => {
  const get = () => rpc.LeaseGetRequest.from({ key: 'a' });
  const { status, token } = ask(types.leaseGet, get(), rpc.LeaseGetReplyView);
  assert.equal(status, Status.STATUS_FILL);
  assert.match(harness.session.ask('lease-get a\r\n'), /HOT/, 'one fills at a time');
  assert.equal(ask(types.leaseGet, get(), rpc.LeaseGetReplyView).status, Status.STATUS_WAIT);
  const val = repeated(6000, 'filled ');
  assert.equal(harness.session.ask(`lease-set a ${token} 0 0 6000\r\n${val}\r\n`), 'STORED\r\n');
  const hit = ask(types.leaseGet, get(), rpc.LeaseGetReplyView);
  assert.deepEqual([hit.status, hit.stale, textOf(hit.val)], [Status.STATUS_OK, false, val]);
  // The other way round: the text protocol gives the token, and a delete makes the value stale.
  harness.session.ask('delete a\r\n');
  const [, theirs] = /^LVALUE a (\d+) /.exec(harness.session.ask('lease-get a\r\n')) ?? [];
  const stale = ask(types.leaseGet, get(), rpc.LeaseGetReplyView);
  assert.deepEqual([stale.status, stale.stale, textOf(stale.val)], [Status.STATUS_WAIT, true, val]);
  const set = () =>
    rpc.LeaseSetRequest.from({ key: 'a', val: repeated(3000, 'new '), token: Number(theirs) });
  assert.equal(ask(types.leaseSet, set(), rpc.PutReplyView).status, Status.STATUS_OK);
  assert.equal(ask(types.leaseSet, set(), rpc.PutReplyView).status, Status.STATUS_NOT_STORED);
  assert.equal(textGet(harness, 'a'), repeated(3000, 'new '));
});

test('long elements of a list and long values of a getM are sent from where they lie, without being joined', () => {
  const harness = new RpcHarness();
  const client = harness.connect();
  const vals = Array.from({ length: 20 }, (_, index) => repeated(10_000 + index, `${index} `));
  client.ask(types.putList, rpc.PutListRequest.from({ key: 'list', vals }), rpc.PutReplyView);
  const keys = vals.map((_, index) => `k${index}`);
  client.ask(types.putM, rpc.PutMRequest.from({ keys, vals }), rpc.PutMReplyView);
  for (const [type, request] of [
    [types.getList, rpc.GetListRequest.from({ key: 'list' })],
    [types.getM, rpc.GetMRequest.from({ keys })],
    [types.get, rpc.GetRequest.from({ key: 'list' })],
  ] as const) {
    harness.settle();
    client.connection.references = 0;
    client.ask(type, request, rpc.GetListReplyView);
    assert.equal(client.connection.references, vals.length);
  }
  harness.settle();
  assert.equal(harness.leakedChunks(), 0);
});
