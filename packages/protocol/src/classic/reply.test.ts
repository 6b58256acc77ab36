import assert from 'node:assert/strict';
import test from 'node:test';
import { ArenaText, TEXT_AT } from '../testing/arena-text.ts';
import { ClassicReply, ReplyKind } from './reply.ts';

test('replies are read one by one; a reply that is cut short asks for more', () => {
  const place = new ArenaText();
  const reply = new ClassicReply(place.arena);
  const text =
    'VALUE k 7 3 18446744073709551615\r\na\r\n\r\nLVALUE l 9 1 0\r\n\r\nNOT_FOUND_HOT\r\nEND\r\nSTORED\r\n12\r\nCLIENT_ERROR bad data chunk\r\nHELLO\r\n';
  const kinds: ReplyKind[] = [];
  let at = TEXT_AT;
  for (let end = TEXT_AT; end <= TEXT_AT + text.length; end++) {
    place.put(text);
    const used = reply.parse(at, end);
    if (used === 0) continue;
    kinds.push(reply.kind);
    if (reply.kind === ReplyKind.value) {
      assert.equal(place.text(reply.keyOffset, reply.keyBytes), 'k');
      assert.equal(place.text(reply.valueOffset, reply.valueBytes), 'a\r\n');
      assert.deepEqual([reply.flags, reply.wide.toBigInt()], [7, 2n ** 64n - 1n]);
    }
    if (reply.kind === ReplyKind.leaseValue)
      assert.deepEqual([reply.flags, reply.wide.low, reply.valueBytes], [1, 9, 0]);
    if (reply.kind === ReplyKind.number) assert.equal(reply.wide.low, 12);
    if (reply.kind === ReplyKind.clientError) {
      assert.equal(place.text(reply.textOffset, reply.textBytes), 'CLIENT_ERROR bad data chunk');
    }
    at += used;
  }
  assert.equal(at, TEXT_AT + text.length);
  assert.deepEqual(kinds, [
    ReplyKind.value,
    ReplyKind.leaseValue,
    ReplyKind.notFoundHot,
    ReplyKind.end,
    ReplyKind.stored,
    ReplyKind.number,
    ReplyKind.clientError,
    ReplyKind.unknown,
  ]);
});

test('a VALUE line that is none is told as unknown', () => {
  const place = new ArenaText();
  const reply = new ClassicReply(place.arena);
  for (const line of ['VALUE\r\n', 'VALUE k x 1\r\n', 'VALUE k 0 -1\r\n', 'VALUE k 0\r\n']) {
    assert.equal(reply.parse(TEXT_AT, place.put(line)), line.length);
    assert.equal(reply.kind, ReplyKind.unknown);
  }
});
