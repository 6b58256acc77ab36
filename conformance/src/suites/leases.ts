/**
 * Leases on the wire, as mcrouter's ASCII commands, and hold-off deletes: only Larder has them. The server is
 * started with one token per key per second, so that the token timer can be observed by polling.
 */
import { strict as assert } from 'node:assert';
import type { RawClient } from '../client/raw.ts';
import { until } from '../client/until.ts';
import type { Suite } from './suite.ts';

/** mcrouter keeps a late fill as stale where a lease is known, and drops it otherwise; a get sees neither. */
const REFUSED = /^(STALE_STORED|NOT_STORED)\r\nEND\r\n$/;
const HOT = /^NOT_FOUND_HOT\r\nEND\r\n$/;

/** Takes the lease of a key without a stale value; returns the token. */
async function takeToken(client: RawClient, key: string): Promise<string> {
  const found = await client.match(
    `lease-get ${key}\r\n`,
    new RegExp(`^LVALUE ${key} (\\d+) 0 0\\r\\n\\r\\nEND\\r\\n$`),
  );
  const token = found[1] ?? '0';
  assert.notEqual(token, '0');
  return token;
}

function missTests(suite: Suite): void {
  suite.larderOnly('lease-get of a present key is an ordinary hit', async (client) => {
    const key = suite.key();
    await client.expect(`set ${key} 7 0 3\r\nabc\r\n`, 'STORED\r\n');
    await client.expect(`lease-get ${key}\r\n`, `VALUE ${key} 7 3\r\nabc\r\nEND\r\n`);
  });

  suite.larderOnly('a miss hands out one token; others are told to wait', async (client) => {
    const key = suite.key();
    await takeToken(client, key);
    await using other = await suite.connect();
    await other.match(`lease-get ${key}\r\n`, HOT);
    await client.match(`lease-get ${key}\r\n`, HOT);
  });

  suite.larderOnly('lease-set with the token stores, once', async (client) => {
    const key = suite.key();
    const token = await takeToken(client, key);
    await client.expect(`lease-set ${key} ${token} 5 0 2\r\nhi\r\n`, 'STORED\r\n');
    await client.expect(`lease-get ${key}\r\n`, `VALUE ${key} 5 2\r\nhi\r\nEND\r\n`);
    await client.expect(`get ${key}\r\n`, `VALUE ${key} 5 2\r\nhi\r\nEND\r\n`);
    await client.expect(`lease-set ${key} ${token} 5 0 2\r\nno\r\n`, 'NOT_STORED\r\n');
    await client.expect(`get ${key}\r\n`, `VALUE ${key} 5 2\r\nhi\r\nEND\r\n`);
  });

  suite.larderOnly('lease-set honours the expiry', async (client) => {
    const key = suite.key();
    const token = await takeToken(client, key);
    await client.expect(`lease-set ${key} ${token} 0 90 1\r\na\r\n`, 'STORED\r\n');
    await client.match(`mg ${key} t\r\n`, /^HD t(90|89)\r\n$/);
  });

  suite.larderOnly(
    'lease-set with a wrong token, or without any lease, stores nothing that a get sees',
    async (client) => {
      const key = suite.key();
      await client.expect(`lease-set ${key} 12345 0 0 1\r\na\r\nget ${key}\r\n`, 'NOT_STORED\r\nEND\r\n');
      const token = BigInt(await takeToken(client, key));
      await client.match(`lease-set ${key} ${token + 1n} 0 0 1\r\na\r\nget ${key}\r\n`, REFUSED);
      await client.expect(`lease-set ${key} ${token} 0 0 1\r\na\r\n`, 'STORED\r\n');
    },
  );

  suite.larderOnly('several keys in one lease-get, in the order asked', async (client) => {
    const [hit, miss, hot] = [suite.key(), suite.key(), suite.key()];
    await client.expect(`set ${hit} 0 0 1\r\na\r\n`, 'STORED\r\n');
    await takeToken(client, hot);
    await client.match(
      `lease-get ${hit} ${miss} ${hot}\r\n`,
      new RegExp(
        `^VALUE ${hit} 0 1\\r\\na\\r\\nLVALUE ${miss} \\d+ 0 0\\r\\n\\r\\nNOT_FOUND_HOT\\r\\nEND\\r\\n$`,
      ),
    );
  });

  suite.larderOnly('tokens of different keys differ', async (client) => {
    const tokens = new Set<string>();
    for (let index = 0; index < 20; index++) tokens.add(await takeToken(client, suite.key()));
    assert.equal(tokens.size, 20);
  });

  suite.larderOnly('the lease is no item: classic and meta commands see a miss', async (client) => {
    const key = suite.key();
    await takeToken(client, key);
    await client.expect(`get ${key}\r\ngets ${key}\r\ngat 0 ${key}\r\n`, 'END\r\nEND\r\nEND\r\n');
    await client.expect(`touch ${key} 0\r\nincr ${key} 1\r\n`, 'NOT_FOUND\r\nNOT_FOUND\r\n');
    await client.expect(
      `replace ${key} 0 0 1\r\na\r\nappend ${key} 0 0 1\r\na\r\n`,
      'NOT_STORED\r\nNOT_STORED\r\n',
    );
    await client.expect(`delete ${key}\r\n`, 'NOT_FOUND\r\n');
  });
}

function invalidationTests(suite: Suite): void {
  suite.larderOnly('a delete invalidates the token', async (client) => {
    const key = suite.key();
    const token = await takeToken(client, key);
    await client.exchange(`delete ${key}\r\n`);
    await client.match(`lease-set ${key} ${token} 0 0 1\r\na\r\nget ${key}\r\n`, REFUSED);
  });

  suite.larderOnly(
    'a plain set invalidates the token: the older fill does not overwrite it',
    async (client) => {
      const key = suite.key();
      const token = await takeToken(client, key);
      await client.expect(`set ${key} 0 0 3\r\nnew\r\n`, 'STORED\r\n');
      await client.expect(`lease-set ${key} ${token} 0 0 3\r\nold\r\n`, 'NOT_STORED\r\n');
      await client.expect(`get ${key}\r\n`, `VALUE ${key} 0 3\r\nnew\r\nEND\r\n`);
    },
  );

  suite.larderOnly(
    'a deleted value is served as stale with the token, then to the waiting with token 0',
    async (client) => {
      const key = suite.key();
      await client.expect(`set ${key} 9 0 3\r\nold\r\ndelete ${key}\r\n`, 'STORED\r\nDELETED\r\n');
      await client.expect(`get ${key}\r\n`, 'END\r\n');
      const found = await client.match(
        `lease-get ${key}\r\n`,
        new RegExp(`^LVALUE ${key} (\\d+) 9 3\\r\\nold\\r\\nEND\\r\\n$`),
      );
      const token = found[1] ?? '0';
      assert.notEqual(token, '0');
      await using other = await suite.connect();
      await other.expect(`lease-get ${key}\r\n`, `LVALUE ${key} 0 9 3\r\nold\r\nEND\r\n`);
      await other.expect(`get ${key}\r\nadd ${key}x 0 0 1\r\na\r\n`, 'END\r\nSTORED\r\n');
      await client.expect(`lease-set ${key} ${token} 1 0 3\r\nnew\r\n`, 'STORED\r\n');
      await other.expect(`lease-get ${key}\r\n`, `VALUE ${key} 1 3\r\nnew\r\nEND\r\n`);
    },
  );

  suite.larderOnly(
    'a fill that a delete overtook is kept as stale at most, never as fresh',
    async (client) => {
      const key = suite.key();
      const token = await takeToken(client, key);
      await client.exchange(`delete ${key}\r\n`);
      const reply = await client.exchange(`lease-set ${key} ${token} 0 0 3\r\nold\r\n`);
      assert.ok(['STALE_STORED\r\n', 'NOT_STORED\r\n'].includes(reply), reply);
      await client.expect(`get ${key}\r\n`, 'END\r\n');
      await client.match(
        `lease-get ${key}\r\n`,
        /^(LVALUE \S+ \d+ 0 \d\r\n(old)?\r\n|NOT_FOUND_HOT\r\n)END\r\n$/,
      );
    },
  );

  suite.larderOnly('a stale value can be stored anew by add', async (client) => {
    const key = suite.key();
    await client.expect(`set ${key} 0 0 3\r\nold\r\ndelete ${key}\r\n`, 'STORED\r\nDELETED\r\n');
    await client.expect(
      `add ${key} 0 0 3\r\nnew\r\nget ${key}\r\n`,
      `STORED\r\nVALUE ${key} 0 3\r\nnew\r\nEND\r\n`,
    );
  });

  suite.larderOnly('a second delete of a deleted key finds nothing', async (client) => {
    const key = suite.key();
    await client.expect(
      `set ${key} 0 0 1\r\na\r\ndelete ${key}\r\ndelete ${key}\r\n`,
      'STORED\r\nDELETED\r\nNOT_FOUND\r\n',
    );
  });
}

function timerTests(suite: Suite): void {
  suite.larderOnly(
    'after the token time another reader gets a new token, and the old one is void',
    async (client) => {
      const key = suite.key();
      const first = await takeToken(client, key);
      const second = await until('a new token', async () => {
        const reply = await client.exchange(`lease-get ${key}\r\n`);
        return /^LVALUE \S+ (\d+) 0 0\r\n/.exec(reply)?.[1];
      });
      assert.notEqual(second, first);
      await client.match(`lease-set ${key} ${first} 0 0 3\r\nold\r\nget ${key}\r\n`, REFUSED);
      await client.expect(`lease-set ${key} ${second} 0 0 3\r\nnew\r\n`, 'STORED\r\n');
      await client.expect(`get ${key}\r\n`, `VALUE ${key} 0 3\r\nnew\r\nEND\r\n`);
    },
  );

  suite.larderOnly('the token time does not limit the life of what is stored with it', async (client) => {
    const key = suite.key();
    const marker = suite.key();
    const token = await takeToken(client, key);
    await client.expect(`lease-set ${key} ${token} 0 0 1\r\na\r\n`, 'STORED\r\n');
    await takeToken(client, marker);
    await until(
      'a token time has passed',
      async () => !HOT.test(await client.exchange(`lease-get ${marker}\r\n`)),
    );
    await client.expect(`get ${key}\r\n`, `VALUE ${key} 0 1\r\na\r\nEND\r\n`);
  });

  suite.larderOnly('stale values are kept for a limited time', async () => {
    const server = await suite.start({ larder: ['--stale-seconds', '1', '--lease-token-seconds', '1'] });
    await using client = await suite.connect(server);
    await client.expect('set a 0 0 3\r\nold\r\ndelete a\r\n', 'STORED\r\nDELETED\r\n');
    await until('the stale value is gone', async () =>
      /^(LVALUE a \d+ 0 0\r\n\r\n|NOT_FOUND_HOT\r\n)END\r\n$/.test(await client.exchange('lease-get a\r\n')),
    );
  });
}

function holdOffTests(suite: Suite): void {
  suite.larderOnly(
    'delete with hold-off makes add fail until it has passed; set is not held off',
    async (client) => {
      const [key, other] = [suite.key(), suite.key()];
      for (const each of [key, other]) await client.expect(`set ${each} 0 0 1\r\na\r\n`, 'STORED\r\n');
      await client.expect(`delete ${key} 2\r\ndelete ${other} 100\r\n`, 'DELETED\r\nDELETED\r\n');
      await client.expect(`add ${key} 0 0 1\r\nb\r\nget ${key}\r\n`, 'NOT_STORED\r\nEND\r\n');
      await client.expect(
        `set ${other} 0 0 1\r\nc\r\nget ${other}\r\n`,
        `STORED\r\nVALUE ${other} 0 1\r\nc\r\nEND\r\n`,
      );
      await until(
        'add is allowed',
        async () => (await client.exchange(`add ${key} 0 0 1\r\nd\r\n`)) === 'STORED\r\n',
      );
    },
  );

  suite.larderOnly('hold-off of a key that is absent holds as well', async (client) => {
    const key = suite.key();
    await client.expect(`delete ${key} 100\r\nadd ${key} 0 0 1\r\nb\r\n`, 'NOT_FOUND\r\nNOT_STORED\r\n');
    await client.expect(`delete ${key} 100 noreply\r\nadd ${key} 0 0 1\r\nb\r\n`, 'NOT_STORED\r\n');
  });

  suite.larderOnly('hold-off times that are no times', async (client) => {
    for (const time of ['x', '-1', '1x', '99999999999']) {
      await client.match(`delete a ${time}\r\n`, /^CLIENT_ERROR .*\r\n$/);
    }
  });
}

function malformedTests(suite: Suite): void {
  suite.larderOnly('malformed lease commands', async (client) => {
    await client.expect(
      'lease-get\r\nlease-set\r\nlease-set a\r\nlease-set a 1 0 0\r\n',
      'ERROR\r\n'.repeat(4),
    );
    for (const line of ['a x 0 0 1', 'a 1 x 0 1', 'a 1 0 x 1', 'a 1 0 0 x', 'a 1 0 0 -1', 'a -1 0 0 1']) {
      await client.match(`lease-set ${line}\r\n`, /^CLIENT_ERROR .*\r\n$/);
    }
    await client.expect(`lease-get ${'k'.repeat(251)}\r\n`, 'CLIENT_ERROR bad command line format\r\n');
  });
}

export function leaseSuite(suite: Suite): void {
  missTests(suite);
  invalidationTests(suite);
  timerTests(suite);
  holdOffTests(suite);
  malformedTests(suite);
}
