/** ASCII authentication (`-Y`): nothing is served before a first `set` that carries user and password. */
import { strict as assert } from 'node:assert';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { RawClient } from '../client/raw.ts';
import { readStats } from '../client/statistics.ts';
import type { RunningServer } from '../servers/server.ts';
import { temporaryFolder } from '../servers/temporary-folder.ts';
import type { Suite } from './suite.ts';

const UNAUTHENTICATED = 'CLIENT_ERROR unauthenticated';
const LOGIN = 'set auth 0 0 9\r\nuser pass\r\n';

export function authSuite(suite: Suite): void {
  const path = temporaryFolder(tmpdir());

  const startWithPasswords = (): Promise<RunningServer> => {
    const authFile = path('passwords');
    writeFileSync(authFile, 'user:pass\nsecond:word2\n');
    return suite.start({ authFile });
  };

  let started: Promise<RunningServer> | undefined;
  const connect = async (): Promise<RawClient> => {
    started ??= startWithPasswords();
    return RawClient.connect((await started).address);
  };

  suite.test('every command is refused before authentication', async () => {
    for (const command of [
      'version',
      'get a',
      'mn',
      'mg a',
      'stats',
      'delete a',
      'flush_all',
      'lease-get a',
    ]) {
      await using client = await connect();
      client.write(`${command}\r\n`);
      assert.equal(await client.readLine(), UNAUTHENTICATED, command);
    }
  });

  suite.test('the right user and password are STORED, and not as an item', async () => {
    for (const login of ['user pass', 'second word2']) {
      await using client = await connect();
      await client.expect(`set auth 0 0 ${login.length}\r\n${login}\r\nget auth\r\n`, 'STORED\r\nEND\r\n');
      await client.expect('set a 0 0 1\r\na\r\nget a\r\n', 'STORED\r\nVALUE a 0 1\r\na\r\nEND\r\n');
    }
  });

  suite.test('wrong passwords, users and forms are refused', async () => {
    for (const login of [
      'user word2',
      'nobody pass',
      'user',
      'user pas',
      'user passs',
      'pass user',
      ' ',
      'User pass',
    ]) {
      await using client = await connect();
      client.write(`set auth 0 0 ${login.length}\r\n${login}\r\n`);
      assert.match(
        await client.readLine(),
        /^CLIENT_ERROR (unauthenticated|authentication failure|bad .*)$/,
        login,
      );
    }
  });

  suite.test('after a failure the connection may try again', async () => {
    await using client = await connect();
    client.write('set auth 0 0 9\r\nuser nope\r\n');
    assert.match(await client.readLine(), /^CLIENT_ERROR /);
    await client.expect(`${LOGIN}get auth\r\n`, 'STORED\r\nEND\r\n');
  });

  suite.test('authentication is per connection', async () => {
    await using first = await connect();
    await first.expect(LOGIN, 'STORED\r\n');
    await using second = await connect();
    second.write('get a\r\n');
    assert.equal(await second.readLine(), UNAUTHENTICATED);
  });

  suite.test('login split at every byte', async () => {
    for (let cut = 1; cut < LOGIN.length; cut++) {
      await using client = await connect();
      await client.writeAll(LOGIN.slice(0, cut));
      await using pace = await connect();
      await pace.expect(LOGIN, 'STORED\r\n');
      await client.expect(LOGIN.slice(cut), 'STORED\r\n');
    }
  });

  suite.test('junk instead of a login is refused or closes, and costs nothing', async () => {
    for (const junk of [
      'x'.repeat(4_000),
      `set auth 0 0 999999999\r\n${'x'.repeat(100_000)}`,
      '\0\x01\x02\r\n',
    ]) {
      await using client = await connect();
      await client.writeAll(junk).catch(() => undefined);
      client.endInput();
      assert.match(await client.untilClosed(), /^(CLIENT_ERROR [^\r]*\r\n)*$/);
    }
    await using client = await connect();
    await client.expect(LOGIN, 'STORED\r\n');
    const stats = await readStats(client);
    assert.ok(Number(stats.get('auth_cmds')) > Number(stats.get('auth_errors')));
    assert.ok(Number(stats.get('auth_errors')) >= 2);
  });
}
