import assert from 'node:assert/strict';
import test from 'node:test';
import type { DatagramReplies, DatagramSource } from '@larder/datapath';
import { Reassembly, ReassemblyOutcome, writeFrameHeader } from '@larder/protocol';
import { DatagramHandler, datagramGatherBytes, isLoopback } from './datagram-handler.ts';
import { SessionHarness } from './testing/session-harness.ts';

const DATAGRAMS_MAX = 5;

class Udp {
  readonly harness: SessionHarness = new SessionHarness();
  readonly handler: DatagramHandler;
  sent: Buffer[] = [];
  readonly #replies: DatagramReplies;
  readonly #source: DatagramSource;
  readonly #at: number;

  constructor(address: readonly number[] = [127, 0, 0, 1]) {
    const { arena, store } = this.harness;
    const network = store.networkAllocator();
    const gatherOffset = network.allocate(network.classFor(datagramGatherBytes(DATAGRAMS_MAX) + 64)) + 64;
    this.handler = new DatagramHandler(this.harness.handler, {
      allows: (source) => isLoopback(arena, source),
      datagramsMax: DATAGRAMS_MAX,
      gatherOffset,
    });
    this.#at = this.harness.pool.take();
    const reply = this.harness.pool.take();
    const addressOffset = this.harness.pool.take();
    arena.u8.set(address, addressOffset);
    this.#source = {
      family: address.length === 4 ? 4 : 6,
      addressOffset,
      port: 1,
      localPort: 0,
      localDescriptor: -1,
    };
    this.#replies = {
      begin: () => reply,
      reference: () => assert.fail('the replies of this protocol are copied'),
      end: (bytes) => void this.sent.push(Buffer.from(arena.node.subarray(reply, reply + bytes))),
    };
  }

  /** Sends a request and returns the datagrams that come back. */
  send(text: string, id = 7, sequence = 0, total = 1): Buffer[] {
    const { arena } = this.harness;
    writeFrameHeader(arena.view, this.#at, id, sequence, total);
    const bytes = arena.node.write(text, this.#at + 8, 'latin1');
    return this.raw(8 + bytes);
  }

  raw(bytes: number): Buffer[] {
    this.sent = [];
    this.handler.onDatagram(this.#replies, this.#source, this.#at, this.#at + bytes);
    return this.sent;
  }

  /** As `send`, with the reply put together by the client's half. */
  ask(text: string): string {
    const { arena } = this.harness;
    const reassembly = new Reassembly(arena, { clock: () => 0, timeoutMs: 1, bytesMax: 100_000 });
    reassembly.expect(7);
    for (const datagram of this.send(text).reverse()) {
      assert.ok(datagram.length <= 1400);
      arena.u8.set(datagram, this.#at);
      if (reassembly.add(this.#at, this.#at + datagram.length) === ReassemblyOutcome.complete) {
        return Buffer.from(reassembly.completed).toString('latin1');
      }
    }
    return '';
  }
}

test('one or several requests in a datagram, one reply', () => {
  const udp = new Udp();
  assert.equal(
    udp.ask('set a 0 0 1\r\nx\r\nget a\r\nmg a v\r\n'),
    'STORED\r\nVALUE a 0 1\r\nx\r\nEND\r\nVA 1\r\nx\r\n',
  );
  assert.equal(udp.ask('set a 0 0 1 noreply\r\ny\r\n'), '');
  assert.equal(udp.ask('get a\r\n'), 'VALUE a 0 1\r\ny\r\nEND\r\n');
  assert.equal(udp.harness.counter('udp_requests'), 3);
});

test('long replies are cut into datagrams, and too long ones are an error', () => {
  const udp = new Udp();
  const value = 'abcdefghij'.repeat(600);
  udp.harness.ask(`set big 0 0 ${value.length}\r\n${value}\r\n`);
  assert.equal(udp.send('get big\r\n').length, 5);
  assert.equal(udp.ask('get big\r\n'), `VALUE big 0 ${value.length}\r\n${value}\r\nEND\r\n`);
  for (const request of [
    'get big big\r\n',
    'gets big big\r\n',
    'mg big v\r\nmg big v\r\n',
    `get${' big'.repeat(40)}\r\n`,
  ]) {
    assert.equal(udp.ask(request), 'SERVER_ERROR reply too large for UDP\r\n', request);
  }
  assert.equal(udp.harness.counter('udp_too_large'), 4);
});

test('referenced values are released once they have been copied', () => {
  const udp = new Udp();
  const value = 'v'.repeat(6500);
  udp.harness.ask(`set big 0 0 ${value.length}\r\n${value}\r\n`);
  const before = udp.harness.store.totals().currBytes;
  for (let round = 0; round < 2000; round++) udp.send('get big\r\n');
  udp.harness.ask('delete big\r\n');
  udp.harness.advance(100);
  assert.ok(udp.harness.store.totals().currBytes < before);
});

test('nothing is kept from one datagram to the next', () => {
  const udp = new Udp();
  assert.equal(udp.ask('set a 0 0 10\r\nhalf'), '');
  assert.equal(udp.ask('rest..\r\n'), 'ERROR\r\n');
  assert.equal(udp.ask('get a'), '');
  assert.equal(udp.ask('version\r\n'), 'VERSION 1.6.45-larder-0.0.0\r\n');
  assert.equal(udp.harness.store.totals().currItems, 0);
  assert.equal(udp.harness.counter('udp_malformed'), 2);
});

test('what would keep a connection busy, or is none, is refused', () => {
  const udp = new Udp();
  assert.equal(udp.ask('watch\r\nlru_crawler metadump all\r\n'), 'ERROR\r\nERROR\r\n');
  assert.equal(udp.ask('shutdown\r\n'), 'ERROR: shutdown not enabled\r\n');
  assert.equal(udp.ask('version\r\nquit\r\nversion\r\n'), 'VERSION 1.6.45-larder-0.0.0\r\n');
  assert.match(
    udp.send('get a\r\n', 1, 0, 2)[0]!.toString('latin1', 8),
    /^SERVER_ERROR multi-packet request not supported/,
  );
});

test('malformed frames and strangers get no answer at all', () => {
  const udp = new Udp();
  assert.equal(udp.send('get a\r\n', 1, 1, 1).length, 0);
  assert.equal(udp.send('get a\r\n', 1, 0, 0).length, 0);
  assert.equal(udp.raw(7).length, 0);
  assert.equal(udp.raw(0).length, 0);
  assert.equal(udp.harness.counter('udp_malformed'), 4);
  const mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 127, 9, 9, 9];
  const local6 = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
  for (const address of [mapped, local6]) assert.equal(new Udp(address).ask('mn\r\n'), 'MN\r\n');
  for (const address of [
    [10, 0, 0, 1],
    [254, 128, ...local6.slice(2)],
    [...local6.slice(0, 15), 2],
  ]) {
    const stranger = new Udp(address);
    assert.equal(stranger.send('mn\r\n').length, 0);
    assert.equal(stranger.harness.counter('udp_refused'), 1);
  }
});
