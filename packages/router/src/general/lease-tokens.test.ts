import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Destination } from '@larder/routing';
import { LEASE_TOKENS_MAX } from '../limits.ts';
import { LEASE_TABLE_BYTES, LeaseTokens } from './lease-tokens.ts';

const destination = (key: string): Destination => ({ key }) as Destination;

test('a bound token leads back to the server and its token, in every worker; others are not bound', () => {
  const memory = new SharedArrayBuffer(LEASE_TABLE_BYTES);
  const [a, b] = [destination('a:1'), destination('b:1')];
  const worker = (): LeaseTokens => new LeaseTokens(memory, 0, () => [a, b]);
  const [first, second] = [worker(), worker()];
  const tokenA = first.bind(0xffff_ffff_0000_0001n, a);
  const tokenB = second.bind(7n, b);
  assert.notEqual(tokenA, tokenB);
  for (const tokens of [first, second]) {
    assert.deepEqual(tokens.find(tokenA), { token: 0xffff_ffff_0000_0001n, destination: a });
    assert.deepEqual(tokens.find(tokenB), { token: 7n, destination: b });
  }
  assert.ok(LeaseTokens.isBound(Number(tokenA >> 32n)));
  assert.ok(!LeaseTokens.isBound(7));
});

test('a token that was overtaken, or whose server is gone, is no longer good', () => {
  const memory = new SharedArrayBuffer(LEASE_TABLE_BYTES);
  const gone = destination('gone:1');
  const tokens = new LeaseTokens(memory, 0, () => []);
  const first = tokens.bind(1n, gone);
  assert.equal(tokens.find(first)?.destination, undefined);
  for (let count = 0; count < LEASE_TOKENS_MAX; count++) tokens.bind(2n, gone);
  assert.equal(tokens.find(first), undefined);
});
