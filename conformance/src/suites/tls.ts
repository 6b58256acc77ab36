/** TLS: the same protocol over an encrypted connection, and a plain client that does not get through. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { RawClient } from '../client/raw.ts';
import type { RunningServer } from '../servers/server.ts';
import type { Suite } from './suite.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));

export function tlsSuite(suite: Suite): void {
  const certificateFile = fixture('localhost-certificate.pem');
  const certificateAuthority = readFileSync(certificateFile, 'latin1');
  let started: Promise<RunningServer> | undefined;
  const server = (): Promise<RunningServer> => {
    started ??= suite.start({ tls: { certificateFile, keyFile: fixture('localhost-key.pem') } });
    return started;
  };
  const connect = async (): Promise<RawClient> =>
    RawClient.connect((await server()).address, { certificateAuthority });

  suite.test('classic and meta commands over TLS', async () => {
    await using client = await connect();
    const key = suite.key();
    await client.expect(
      `set ${key} 5 0 3\r\nabc\r\nget ${key}\r\n`,
      `STORED\r\nVALUE ${key} 5 3\r\nabc\r\nEND\r\n`,
    );
    await client.expect(
      `mg ${key} v f\r\ndelete ${key} noreply\r\nget ${key}\r\n`,
      'VA 3 f5\r\nabc\r\nEND\r\n',
    );
  });

  suite.test('large values and pipelining over TLS', async () => {
    await using client = await connect();
    const value = Array.from({ length: 900_000 }, (_, index) => String.fromCharCode(33 + (index % 91))).join(
      '',
    );
    await client.expect(`set big 0 0 ${value.length}\r\n${value}\r\n`, 'STORED\r\n');
    await client.expect(
      'get big\r\n'.repeat(5),
      `VALUE big 0 ${value.length}\r\n${value}\r\nEND\r\n`.repeat(5),
    );
    await client.expect('get none\r\n'.repeat(3_000), 'END\r\n'.repeat(3_000));
  });

  suite.test('clients share items over connections', async () => {
    const clients = await Promise.all(Array.from({ length: 10 }, connect));
    for (const [index, client] of clients.entries()) {
      await client.expect(`set t${index} 0 0 1\r\n${index}\r\n`, 'STORED\r\n');
    }
    for (const [index, client] of clients.entries()) {
      const wanted = (index + 1) % clients.length;
      await client.expect(`get t${wanted}\r\n`, `VALUE t${wanted} 0 1\r\n${wanted}\r\nEND\r\n`);
    }
    await Promise.all(clients.map((client) => client.close()));
  });

  suite.test('a plain client on the TLS port is not served, and harms nobody', async () => {
    await using plain = await RawClient.connect((await server()).address);
    plain.write('version\r\n');
    assert.doesNotMatch(await plain.untilClosed(), /VERSION/);
    await using client = await connect();
    await client.match('version\r\n', /^VERSION \S+\r\n$/);
  });

  suite.test('a client that does not know the authority refuses the server', async () => {
    const { address } = await server();
    await assert.rejects(RawClient.connect(address, { certificateAuthority: '' }));
    await using client = await connect();
    await client.expect('get none\r\n', 'END\r\n');
  });
}
