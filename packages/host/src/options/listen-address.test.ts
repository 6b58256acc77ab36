import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatHostPort, isLoopback, parseListen } from './listen-address.ts';

test('addresses of -l', () => {
  assert.deepEqual(parseListen('-l', '127.0.0.1, [::1]:99,::1,*:5,localhost,db-1.internal:7'), [
    { host: '127.0.0.1', port: undefined },
    { host: '::1', port: 99 },
    { host: '::1', port: undefined },
    { host: '0.0.0.0', port: 5 },
    { host: '127.0.0.1', port: undefined },
    { host: 'db-1.internal', port: 7 },
  ]);
  for (const text of ['', '1.2.3.4:99999', '[1.2.3.4', 'a b', '1.2.3.4.5', ':80', '-x']) {
    assert.throws(() => parseListen('-l', text), { code: 'OPTION' }, text);
  }
  assert.equal(formatHostPort('::1', 5), '[::1]:5');
  assert.ok(isLoopback('127.8.8.8') && isLoopback('::1') && !isLoopback('0.0.0.0'));
});
