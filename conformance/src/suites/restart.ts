/**
 * Warm restart: with a memory file a clean stop and start keeps every live item, its expiry and its CAS; any
 * other file is refused with the reason in the log, and the server starts empty.
 */
import { strict as assert } from 'node:assert';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import type { RawClient } from '../client/raw.ts';
import { readStat } from '../client/statistics.ts';
import { until } from '../client/until.ts';
import type { RunningServer, ServerOptions } from '../servers/server.ts';
import { temporaryFolder } from '../servers/temporary-folder.ts';
import type { Suite } from './suite.ts';

const SHARED_MEMORY = '/dev/shm';
const ITEM_COUNT = 2_000;
/** The word behind the magic number of a memory file. */
const LAYOUT_VERSION_OFFSET = 4;

interface Life {
  readonly server: RunningServer;
  readonly client: RawClient;
}

async function fill(client: RawClient): Promise<void> {
  const lines: string[] = [];
  for (let index = 0; index < ITEM_COUNT; index++) {
    const value = `${index}`.padEnd(10 + (index % 700), '.');
    lines.push(
      `set item${index} ${index} ${index % 3 === 0 ? 0 : 5_000} ${value.length} noreply\r\n${value}\r\n`,
    );
  }
  await client.expect(lines.join(''), '');
}

async function verify(client: RawClient): Promise<void> {
  for (let index = 0; index < ITEM_COUNT; index++) {
    const value = `${index}`.padEnd(10 + (index % 700), '.');
    await client.expect(
      `get item${index}\r\n`,
      `VALUE item${index} ${index} ${value.length}\r\n${value}\r\nEND\r\n`,
    );
  }
}

/** A folder for memory files, and servers that use them. */
interface Home {
  path(name: string): string;
  begin(name: string, options?: ServerOptions): Promise<Life>;
}

function cleanTests(suite: Suite, { begin }: Home): void {
  suite.test('a clean restart keeps every item, its flags, its expiry and its token', async () => {
    const big = 'b'.repeat(900_000);
    const { server, client } = await begin('keep');
    await fill(client);
    await client.expect(`set big 1 0 ${big.length}\r\n${big}\r\n`, 'STORED\r\n');
    await client.expect(
      'set number 0 0 2\r\n41\r\nset gone 0 0 1\r\na\r\ndelete gone\r\n',
      'STORED\r\nSTORED\r\nDELETED\r\n',
    );
    const token =
      (await client.match('gets item7\r\n', /^VALUE item7 7 \d+ (\d+)\r\n.*\r\nEND\r\n$/))[1] ?? '';
    const count = await readStat(client, 'curr_items');
    const exit = await server.stop();
    assert.ok(exit.code === 0 || !suite.kind.larder, `exit ${JSON.stringify(exit)}\n${server.log()}`);

    const next = await begin('keep');
    await verify(next.client);
    await next.client.expect('get big\r\n', `VALUE big 1 ${big.length}\r\n${big}\r\nEND\r\n`);
    await next.client.expect('incr number 1\r\nget gone\r\n', '42\r\nEND\r\n');
    await next.client.match('mg item7 c t\r\n', new RegExp(`^HD c${token} t(49[5-9]\\d|5000)\\r\\n$`));
    await next.client.expect('mg item3 t\r\n', 'HD t-1\r\n');
    assert.equal(await readStat(next.client, 'curr_items'), count);
    const stored = await next.client.match('ms fresh 1 c\r\na\r\n', /^HD c(\d+)\r\n$/);
    assert.ok(BigInt(stored[1] ?? 0) > BigInt(token), 'new tokens are newer than all from before');
    await next.client.expect(`cas item7 0 0 1 ${token}\r\nz\r\n`, 'STORED\r\n');
    await next.server.stop();
  });

  suite.test('a second restart keeps what was stored between', async () => {
    for (let round = 0; round < 3; round++) {
      const { server, client } = await begin('rounds');
      for (let before = 0; before < round; before++) {
        await client.expect(`get r${before}\r\n`, `VALUE r${before} 0 1\r\n${before}\r\nEND\r\n`);
      }
      await client.expect(`set r${round} 0 0 1\r\n${round}\r\n`, 'STORED\r\n');
      await server.stop();
    }
  });

  suite.test('what expired while the server was down is gone, and time goes on', async () => {
    const { server, client } = await begin('expiry');
    const expiry = Math.floor(Date.now() / 1000) + 2;
    await client.expect(`set short 0 ${expiry} 1\r\na\r\nset long 0 1000 1\r\na\r\n`, 'STORED\r\nSTORED\r\n');
    await server.stop();
    await until('the expiry has passed', () => Date.now() / 1000 > expiry + 1);
    const next = await begin('expiry');
    await next.client.expect('get short\r\n', 'END\r\n');
    await next.client.match('mg long t\r\n', /^HD t99\d\r\n$/);
    await next.server.stop();
  });
}

/** Why Larder did not use a memory file, as its log tells. */
function loggedReason(log: string): string {
  const line = log.split('\n').find((each) => each.includes('"reason"') && each.includes('starting empty'));
  return line === undefined ? `(none in ${log})` : (JSON.parse(line) as { readonly reason: string }).reason;
}

function refusalTests(suite: Suite, { begin, path }: Home): void {
  const startsEmpty = async (life: Life, reason: RegExp): Promise<void> => {
    await life.client.expect('get item1 item2 item3\r\n', 'END\r\n');
    assert.equal(await readStat(life.client, 'curr_items'), 0);
    if (suite.kind.larder) assert.match(loggedReason(life.server.log()), reason);
    await life.client.expect('set a 0 0 1\r\na\r\nget a\r\n', 'STORED\r\nVALUE a 0 1\r\na\r\nEND\r\n');
    await life.server.stop();
  };

  suite.test('after an unclean stop the server starts empty and says why', async () => {
    const { server, client } = await begin('killed');
    await fill(client);
    await server.kill();
    await startsEmpty(await begin('killed'), /did not stop cleanly/);
  });

  suite.test('a file is used once: killed after a restart, the next start is empty', async () => {
    const first = await begin('once');
    await fill(first.client);
    await first.server.stop();
    const second = await begin('once');
    await verify(second.client);
    await second.server.kill();
    await startsEmpty(await begin('once'), /did not stop cleanly/);
  });

  suite.test('another memory size is refused', async () => {
    const { server, client } = await begin('grown');
    await fill(client);
    await server.stop();
    await startsEmpty(await begin('grown', { memoryMegabytes: 100 }), /it has \d+ bytes, .* need \d+/);
  });

  suite.test('other slab classes are refused', async () => {
    const { server, client } = await begin('classes');
    await fill(client);
    await server.stop();
    await startsEmpty(await begin('classes', { letters: ['-f', '1.5'] }), /other memory options/);
  });

  suite.larderOnly('a file of another layout version is refused', async () => {
    const { server, client } = await begin('older');
    await fill(client);
    await server.stop();
    const file = openSync(path('older'), 'r+');
    const version = Buffer.alloc(4);
    readSync(file, version, 0, version.length, LAYOUT_VERSION_OFFSET);
    version.writeUInt32LE(version.readUInt32LE() + 1);
    writeSync(file, version, 0, version.length, LAYOUT_VERSION_OFFSET);
    closeSync(file);
    await startsEmpty(await begin('older'), /layout version is \d+, this build has \d+/);
  });

  suite.larderOnly(
    'a file that is not a memory file is kept under another name, and the server says so',
    async () => {
      const text = 'somebody else wrote this\n'.repeat(1_000);
      writeFileSync(path('foreign'), text);
      const { server, client } = await begin('foreign');
      assert.match(loggedReason(server.log()), /not a Larder memory file/);
      await client.expect('set a 0 0 1\r\na\r\nget a\r\n', 'STORED\r\nVALUE a 0 1\r\na\r\nEND\r\n');
      const kept = readdirSync(path('.')).filter((name) => name.startsWith('foreign.'));
      assert.deepEqual(
        kept.map((name) => readFileSync(path(name), 'utf8')),
        [text],
      );
      await server.stop();
    },
  );
}

export function restartSuite(suite: Suite): void {
  if (!existsSync(SHARED_MEMORY)) throw new Error(`${SHARED_MEMORY} is needed for the memory file`);
  const path = temporaryFolder(SHARED_MEMORY);
  const begin = async (name: string, options: ServerOptions = {}): Promise<Life> => {
    const server = await suite.start({ memoryMegabytes: 64, memoryFile: path(name), ...options });
    return { server, client: await suite.connect(server) };
  };
  cleanTests(suite, { begin, path });
  refusalTests(suite, { begin, path });
}
