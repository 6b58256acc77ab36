import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAuthLines, readAuthFile } from './auth-file.ts';

test('lines of user:password; blank lines and carriage returns do not matter', () => {
  assert.deepEqual(parseAuthLines('f', 'a:b\r\n\nuser:pass:with:colons\n'), ['a:b', 'user:pass:with:colons']);
});

test('what is wrong is told by line, never by content', () => {
  for (const text of ['secret', ':secret', 'secret:', 'a:b\nsecret']) {
    assert.throws(
      () => parseAuthLines('/etc/x', text),
      (error: Error) =>
        /-Y\/--auth-file: \/etc\/x: line \d/.test(error.message) && !error.message.includes('secret'),
    );
  }
  assert.throws(() => parseAuthLines('/etc/x', '\n\n'), /no user:password line/);
  assert.throws(() => parseAuthLines('/etc/x', 'a:b\n'.repeat(65)), /more than 64/);
});

test('a file that cannot be read', () => {
  assert.throws(() => readAuthFile('/nonexistent/larder'), { code: 'ENOENT', option: '-Y/--auth-file' });
});
