/** Unix sockets: the same protocol, the permissions of the socket file, and a file left by a dead server. */
import { strict as assert } from 'node:assert';
import { statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { readStats } from '../client/statistics.ts';
import { temporaryFolder } from '../servers/temporary-folder.ts';
import type { Suite } from './suite.ts';

const PERMISSION_BITS = 0o777;

export function unixSuite(suite: Suite): void {
  const path = temporaryFolder(tmpdir());

  suite.test('commands, large values and pipelining over a Unix socket', async () => {
    const server = await suite.start({ unixSocket: path('a') });
    await using client = await suite.connect(server);
    const value = 'u'.repeat(700_000);
    await client.expect(`set a 1 0 ${value.length}\r\n${value}\r\n`, 'STORED\r\n');
    await client.expect('get a\r\n'.repeat(5), `VALUE a 1 ${value.length}\r\n${value}\r\nEND\r\n`.repeat(5));
    await client.expect('get b\r\n'.repeat(3_000), 'END\r\n'.repeat(3_000));
    const conns = [...(await readStats(client, 'conns')).values()];
    assert.ok(
      conns.some((value) => value.startsWith('unix:')),
      conns.join(),
    );
  });

  suite.test('the permissions of -a, and 700 without it', async () => {
    for (const [letters, mode] of [
      [[], 0o700],
      [['-a', '770'], 0o770],
    ] as const) {
      const socket = path(`mode${mode}`);
      await suite.start({ unixSocket: socket, letters });
      assert.equal(statSync(socket).mode & PERMISSION_BITS, mode);
    }
  });

  suite.test('a socket file of a killed server does not prevent the next start', async () => {
    const socket = path('again');
    const first = await suite.start({ unixSocket: socket });
    await first.kill();
    assert.ok(statSync(socket).isSocket());
    const second = await suite.start({ unixSocket: socket });
    await using client = await suite.connect(second);
    await client.expect('get a\r\n', 'END\r\n');
  });
}
