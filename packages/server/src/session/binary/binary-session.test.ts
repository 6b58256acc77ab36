/** The binary protocol over a session: every opcode, quiet ones, values in pieces, nonsense. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BinaryOpcode as Opcode, BinaryStatus as Status } from '@larder/protocol';
import { SessionHarness, type TestClient } from '../testing/session-harness.ts';

interface Response {
  readonly opcode: number;
  readonly status: number;
  readonly opaque: number;
  readonly cas: bigint;
  readonly extras: string;
  readonly key: string;
  readonly value: string;
}

interface Parts {
  readonly key?: string;
  readonly extras?: Buffer;
  readonly value?: string;
  readonly cas?: bigint;
  readonly opaque?: number;
}

function request(opcode: number, { key = '', extras, value = '', cas = 0n, opaque = 7 }: Parts = {}): string {
  const header = Buffer.alloc(24);
  const extra = extras ?? Buffer.alloc(0);
  header.writeUInt8(0x80, 0);
  header.writeUInt8(opcode, 1);
  header.writeUInt16BE(key.length, 2);
  header.writeUInt8(extra.length, 4);
  header.writeUInt32BE(extra.length + key.length + value.length, 8);
  header.writeUInt32BE(opaque, 12);
  header.writeBigUInt64BE(cas, 16);
  return Buffer.concat([header, extra]).toString('latin1') + key + value;
}

function words(...numbers: number[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * 4);
  for (const [index, number] of numbers.entries()) bytes.writeUInt32BE(number, index * 4);
  return bytes;
}

function change(delta: bigint, initial: bigint, exptime: number): Buffer {
  const bytes = Buffer.alloc(20);
  bytes.writeBigUInt64BE(delta, 0);
  bytes.writeBigUInt64BE(initial, 8);
  bytes.writeUInt32BE(exptime, 16);
  return bytes;
}

function responses(text: string): Response[] {
  const bytes = Buffer.from(text, 'latin1');
  const found: Response[] = [];
  for (let at = 0; at < bytes.length; ) {
    assert.equal(bytes[at], 0x81);
    const body = at + 24;
    const extras = body + bytes[at + 4]!;
    const key = extras + bytes.readUInt16BE(at + 2);
    const end = body + bytes.readUInt32BE(at + 8);
    found.push({
      opcode: bytes[at + 1]!,
      status: bytes.readUInt16BE(at + 6),
      opaque: bytes.readUInt32BE(at + 12),
      cas: bytes.readBigUInt64BE(at + 16),
      extras: bytes.toString('hex', body, extras),
      key: bytes.toString('latin1', extras, key),
      value: bytes.toString('latin1', key, end),
    });
    at = end;
  }
  return found;
}

function ask(client: TestClient, ...requests: string[]): Response[] {
  return responses(client.ask(requests.join('')));
}

/** Status and value of the only response. */
function one(client: TestClient, text: string): [number, string] {
  const found = ask(client, text);
  assert.equal(found.length, 1);
  return [found[0]!.status, found[0]!.value];
}

test('values are stored and found, with flags, CAS and opaque, and text sees them', () => {
  const harness = new SessionHarness();
  const client = harness.connect();
  const [stored] = ask(
    client,
    request(Opcode.set, { key: 'a b', extras: words(0xdeadbeef, 0), value: 'v\r\nx', opaque: 99 }),
  );
  assert.equal(stored!.status, Status.ok);
  assert.equal(stored!.opaque, 99);
  assert.notEqual(stored!.cas, 0n);
  const [hit, withKey] = ask(
    client,
    request(Opcode.get, { key: 'a b' }),
    request(Opcode.getKey, { key: 'a b' }),
  );
  assert.deepEqual([hit!.extras, hit!.key, hit!.value, hit!.cas], ['deadbeef', '', 'v\r\nx', stored!.cas]);
  assert.equal(withKey!.key, 'a b');
  assert.deepEqual(one(client, request(Opcode.get, { key: 'none' })), [Status.notFound, 'Not found']);
  assert.equal(ask(client, request(Opcode.getKey, { key: 'none' }))[0]!.key, 'none');
  client.ask(request(Opcode.set, { key: 'k', extras: words(5, 0), value: 'text' }));
  assert.equal(harness.ask('get k\r\n'), 'VALUE k 5 4\r\ntext\r\nEND\r\n');
  assert.equal(harness.counter('get_hits'), 3);
  assert.equal(harness.counter('cmd_set'), 2);
});

test('add, replace, append, prepend and CAS keep their rules', () => {
  const client = new SessionHarness().connect();
  const flags = words(0, 0);
  const set = (opcode: number, value: string, cas = 0n): number =>
    ask(client, request(opcode, { key: 'k', extras: flags, value, cas }))[0]!.status;
  const join = (opcode: number, value: string): number =>
    ask(client, request(opcode, { key: 'k', value }))[0]!.status;
  assert.equal(set(Opcode.replace, 'x'), Status.notFound);
  assert.equal(join(Opcode.append, 'x'), Status.notStored);
  assert.equal(set(Opcode.set, 'x', 5n), Status.notFound);
  assert.equal(set(Opcode.add, 'one'), Status.ok);
  assert.equal(set(Opcode.add, 'two'), Status.exists);
  assert.equal(join(Opcode.append, '>'), Status.ok);
  assert.equal(join(Opcode.prepend, '<'), Status.ok);
  const [found] = ask(client, request(Opcode.get, { key: 'k' }));
  assert.equal(found!.value, '<one>');
  assert.equal(set(Opcode.set, 'late', found!.cas + 1n), Status.exists);
  assert.equal(set(Opcode.set, 'right', found!.cas), Status.ok);
  assert.deepEqual(one(client, request(Opcode.delete, { key: 'k', cas: found!.cas })), [
    Status.exists,
    'Data exists for key.',
  ]);
  assert.deepEqual(one(client, request(Opcode.delete, { key: 'k' })), [Status.ok, '']);
  assert.equal(one(client, request(Opcode.delete, { key: 'k' }))[0], Status.notFound);
});

test('numbers: initial value, wrap, floor, what is no number', () => {
  const client = new SessionHarness().connect();
  const number = (opcode: number, delta: bigint, exptime = 0): bigint | number => {
    const [found] = ask(client, request(opcode, { key: 'n', extras: change(delta, 10n, exptime) }));
    return found!.status === Status.ok
      ? Buffer.from(found!.value, 'latin1').readBigUInt64BE()
      : found!.status;
  };
  assert.equal(number(Opcode.increment, 1n, 0xffff_ffff), Status.notFound);
  assert.equal(number(Opcode.increment, 1n), 10n);
  assert.equal(number(Opcode.increment, 2n ** 64n - 1n), 9n);
  assert.equal(number(Opcode.decrement, 20n), 0n);
  client.ask(request(Opcode.set, { key: 'n', extras: words(0, 0), value: 'abc' }));
  assert.equal(number(Opcode.increment, 1n), Status.notNumeric);
});

test('quiet requests answer only what was not expected', () => {
  const client = new SessionHarness().connect();
  const flags = words(0, 0);
  const found = ask(
    client,
    request(Opcode.setQuietly, { key: 'a', extras: flags, value: '1' }),
    request(Opcode.addQuietly, { key: 'a', extras: flags, value: '2', opaque: 1 }),
    request(Opcode.getQuietly, { key: 'a', opaque: 2 }),
    request(Opcode.getKeyQuietly, { key: 'none' }),
    request(Opcode.incrementQuietly, { key: 'a', extras: change(1n, 0n, 0) }),
    request(Opcode.appendQuietly, { key: 'a', value: '0' }),
    request(Opcode.deleteQuietly, { key: 'none', opaque: 3 }),
    request(Opcode.getAndTouchQuietly, { key: 'a', extras: words(100), opaque: 4 }),
    request(Opcode.noop, { opaque: 5 }),
  );
  assert.deepEqual(
    found.map(({ opaque, status, value }) => [opaque, status, value]),
    [
      [1, Status.exists, 'Data exists for key.'],
      [2, Status.ok, '1'],
      [3, Status.notFound, 'Not found'],
      [4, Status.ok, '20'],
      [5, Status.ok, ''],
    ],
  );
});

test('touch, flush, version, verbosity, statistics and quit', () => {
  const harness = new SessionHarness();
  const client = harness.connect();
  client.ask(request(Opcode.set, { key: 'k', extras: words(3, 0), value: 'v' }));
  const [touched] = ask(client, request(Opcode.touch, { key: 'k', extras: words(10) }));
  assert.deepEqual([touched!.status, touched!.extras, touched!.value], [Status.ok, '00000003', '']);
  harness.advance(11);
  assert.equal(one(client, request(Opcode.get, { key: 'k' }))[0], Status.notFound);
  client.ask(request(Opcode.set, { key: 'k', extras: words(3, 0), value: 'v' }));
  assert.equal(one(client, request(Opcode.flush))[0], Status.ok);
  assert.equal(one(client, request(Opcode.get, { key: 'k' }))[0], Status.notFound);
  assert.deepEqual(one(client, request(Opcode.version)), [Status.ok, '1.6.45-larder-0.0.0']);
  assert.equal(one(client, request(Opcode.verbosity, { extras: words(1) }))[0], Status.ok);
  const rows = ask(client, request(Opcode.stat, { key: 'settings' }));
  assert.deepEqual([rows[0]!.key, rows[0]!.value, rows.at(-1)!.key], ['maxbytes', '1', '']);
  assert.equal(one(client, request(Opcode.stat, { key: 'bogus' }))[0], Status.notFound);
  assert.equal(one(client, request(Opcode.quit))[0], Status.ok);
  assert.ok(client.connection.isEnded);
});

test('a value that comes byte by byte, one that is refused, and one without bytes', () => {
  const harness = new SessionHarness({ store: { memoryBytes: 8 << 20, itemBytesMax: 100_000 } });
  const client = harness.connect();
  const set = (key: string, value: string): string =>
    request(Opcode.set, { key, extras: words(0, 0), value });
  const text = set('a', 'some value') + set('empty', '') + request(Opcode.get, { key: 'a' });
  const cut = responses(client.ask(text, new Array(text.length).fill(1)));
  assert.deepEqual(
    cut.map(({ status, value }) => [status, value]),
    [
      [Status.ok, ''],
      [Status.ok, ''],
      [Status.ok, 'some value'],
    ],
  );
  const [large, after] = ask(client, set('a', 'x'.repeat(2_000_000)), request(Opcode.get, { key: 'a' }));
  assert.equal(large!.status, Status.tooLarge);
  assert.equal(after!.status, Status.notFound, 'a set that failed leaves no old value');
  assert.deepEqual(one(client, request(Opcode.get, { key: 'empty' })), [Status.ok, '']);
});

test('nonsense is refused: opcodes, lengths, keys; another magic ends the connection', () => {
  const harness = new SessionHarness();
  const client = harness.connect();
  const cases: [string, number][] = [
    [request(0x77), Status.unknownCommand],
    [request(0x21, { key: 'PLAIN', value: 'secret' }), Status.unknownCommand],
    [request(Opcode.get), Status.invalid],
    [request(Opcode.get, { key: 'k', extras: words(1) }), Status.invalid],
    [request(Opcode.get, { key: 'k', value: 'v' }), Status.invalid],
    [request(Opcode.get, { key: 'k'.repeat(251) }), Status.invalid],
    [request(Opcode.set, { key: 'k', value: 'v' }), Status.invalid],
    [request(Opcode.set, { key: '', extras: words(0, 0), value: 'v' }), Status.invalid],
    [request(Opcode.increment, { key: 'k', extras: words(1) }), Status.invalid],
    [request(Opcode.noop, { key: 'k'.repeat(20_000) }), Status.invalid],
  ];
  for (const [text, status] of cases) {
    const found = ask(client, text, request(Opcode.noop));
    assert.deepEqual(
      found.map((response) => response.status),
      [status, Status.ok],
    );
  }
  client.ask('get k\r\n'.repeat(4));
  assert.ok(client.connection.isEnded);
  const text = harness.connect();
  text.ask('get k\r\n');
  assert.match(text.ask(`${request(Opcode.noop)}\r\n`), /^(CLIENT_)?ERROR/);
  const guarded = new SessionHarness({ users: ['user:password'] }).connect();
  assert.doesNotMatch(guarded.ask(`${request(Opcode.noop)}\r\n`), /^\x81/);
});
