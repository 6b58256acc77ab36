/**
 * Many connections over two workers doing conflicting things: whatever the order, the end result must be one
 * that some order of whole commands gives.
 */
import { strict as assert } from 'node:assert';
import type { RawClient } from '../client/raw.ts';
import type { Suite } from './suite.ts';

const CONNECTIONS = 24;

async function together(
  suite: Suite,
  body: (client: RawClient, index: number) => Promise<void>,
): Promise<void> {
  const clients = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => suite.connect(suite.server(), { timeoutMs: 30_000 })),
  );
  try {
    await Promise.all(clients.map(body));
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
}

/** How often `line` occurs among the reply's lines. */
function occurrences(reply: string, line: string): number {
  return reply.split('\r\n').filter((each) => each === line).length;
}

function counterTests(suite: Suite): void {
  suite.test('no increment is lost', async (client) => {
    const [key, quiet, meta] = [suite.key(), suite.key(), suite.key()];
    for (const each of [key, quiet, meta]) await client.expect(`set ${each} 0 0 1\r\n0\r\n`, 'STORED\r\n');
    const seen: number[] = [];
    await together(suite, async (own) => {
      const request = `incr ${key} 1\r\nincr ${quiet} 2 noreply\r\nma ${meta} D3 q\r\n`;
      const reply = await own.exchange(request.repeat(300));
      seen.push(...reply.split('\r\n').slice(0, -1).map(Number));
    });
    const total = CONNECTIONS * 300;
    await client.expect(
      `incr ${key} 0\r\nincr ${quiet} 0\r\nincr ${meta} 0\r\n`,
      `${total}\r\n${total * 2}\r\n${total * 3}\r\n`,
    );
    assert.equal(new Set(seen).size, total, 'every reply was a different number');
    assert.equal(Math.max(...seen), total);
  });

  suite.test('increments and decrements by the same amounts cancel out', async (client) => {
    const key = suite.key();
    await client.expect(`set ${key} 0 0 7\r\n1000000\r\n`, 'STORED\r\n');
    await together(suite, async (own, index) => {
      await own.exchange(`${index % 2 === 0 ? 'incr' : 'decr'} ${key} ${(index >> 1) + 1}\r\n`.repeat(200));
    });
    await client.expect(`incr ${key} 0\r\n`, '1000000\r\n');
  });
}

function compareTests(suite: Suite): void {
  suite.test('cas: every success is in the result exactly once', async (client) => {
    const key = suite.key();
    await client.expect(`set ${key} 0 0 1\r\n,\r\n`, 'STORED\r\n');
    const stored: string[] = [];
    await together(suite, async (own, index) => {
      for (let turn = 0; turn < 30; turn++) {
        const found = await own.match(`gets ${key}\r\n`, /^VALUE \S+ 0 \d+ (\d+)\r\n(.*)\r\nEND\r\n$/);
        const mark = `${index}-${turn},`;
        const value = `${found[2] ?? ''}${mark}`;
        const reply = await own.exchange(`cas ${key} 0 0 ${value.length} ${found[1]}\r\n${value}\r\n`);
        if (reply === 'STORED\r\n') stored.push(mark);
        else assert.equal(reply, 'EXISTS\r\n');
      }
    });
    const end = await client.match(`get ${key}\r\n`, /^VALUE \S+ 0 \d+\r\n,(.*)\r\nEND\r\n$/);
    assert.deepEqual(
      (end[1] ?? '')
        .split(',')
        .filter(Boolean)
        .map((mark) => `${mark},`)
        .sort(),
      stored.sort(),
    );
    assert.ok(stored.length >= 30, `${stored.length} succeeded`);
  });

  suite.test('add: exactly one of all succeeds for every key', async () => {
    const keys = Array.from({ length: 200 }, () => suite.key());
    let stored = 0;
    await together(suite, async (own, index) => {
      const reply = await own.exchange(keys.map((key) => `add ${key} ${index} 0 1\r\na\r\n`).join(''));
      stored += occurrences(reply, 'STORED');
      assert.equal(occurrences(reply, 'STORED') + occurrences(reply, 'NOT_STORED'), keys.length);
    });
    assert.equal(stored, keys.length);
  });

  suite.test('delete: exactly one of all deletes every key', async (client) => {
    const keys = Array.from({ length: 200 }, () => suite.key());
    await client.expect(keys.map((key) => `set ${key} 0 0 1 noreply\r\na\r\n`).join(''), '');
    let deleted = 0;
    await together(suite, async (own) => {
      const reply = await own.exchange(keys.map((key) => `delete ${key}\r\n`).join(''));
      deleted += occurrences(reply, 'DELETED');
    });
    assert.equal(deleted, keys.length);
  });

  suite.test('append: nothing is lost and nothing is torn', async (client) => {
    const key = suite.key();
    await client.expect(`set ${key} 0 0 0\r\n\r\n`, 'STORED\r\n');
    await together(suite, async (own, index) => {
      const marks = Array.from({ length: 60 }, (_, turn) => `<${index}.${turn}>`);
      const reply = await own.exchange(
        marks.map((mark) => `append ${key} 0 0 ${mark.length}\r\n${mark}\r\n`).join(''),
      );
      assert.equal(occurrences(reply, 'STORED'), marks.length);
    });
    const end = await client.match(`get ${key}\r\n`, /^VALUE \S+ 0 \d+\r\n(.*)\r\nEND\r\n$/);
    const marks = (end[1] ?? '').match(/<\d+\.\d+>/g) ?? [];
    assert.equal(marks.join(''), end[1]);
    assert.equal(new Set(marks).size, CONNECTIONS * 60);
  });
}

function integrityTests(suite: Suite): void {
  suite.test(
    'readers never see a torn or foreign value while writers store, delete and grow it',
    async () => {
      const keys = Array.from({ length: 8 }, () => suite.key());
      const letters = 'abcdefghijklmnopqrstuvwxyz';
      await together(suite, async (own, index) => {
        for (let turn = 0; turn < 40; turn++) {
          const key = keys[(index + turn) % keys.length] ?? '';
          if (index % 2 === 0) {
            const length = ((index * 7_919 + turn * 104_729) % 60_000) + 1;
            // Every value is one letter throughout and its length is in the flags.
            const value = (letters[turn % 26] ?? 'x').repeat(length);
            await own.expect(`set ${key} ${length} 0 ${length}\r\n${value}\r\n`, 'STORED\r\n');
            if (turn % 5 === 0) await own.match(`delete ${key}\r\n`, /^(DELETED|NOT_FOUND)\r\n$/);
          } else {
            const reply = await own.exchange(`get ${key}\r\n`);
            if (reply === 'END\r\n') continue;
            const found = /^VALUE (\S+) (\d+) (\d+)\r\n(([a-z])\5*)\r\nEND\r\n$/.exec(reply);
            assert.ok(found, `torn: ${reply.slice(0, 80)}`);
            assert.equal(found[1], key);
            assert.equal(found[2], found[3]);
            assert.equal(Number(found[3]), found[4]?.length);
          }
        }
      });
    },
  );

  suite.test('mg N: exactly one of all wins', async () => {
    const keys = Array.from({ length: 50 }, () => suite.key());
    let won = 0;
    await together(suite, async (own) => {
      const reply = await own.exchange(keys.map((key) => `mg ${key} N30\r\n`).join(''));
      won += occurrences(reply, 'HD W');
      assert.equal(occurrences(reply, 'HD W') + occurrences(reply, 'HD Z'), keys.length);
    });
    assert.equal(won, keys.length);
  });

  suite.larderOnly('lease-get: exactly one of all gets the token', async () => {
    const keys = Array.from({ length: 50 }, () => suite.key());
    let tokens = 0;
    await together(suite, async (own) => {
      const reply = await own.exchange(keys.map((key) => `lease-get ${key}\r\n`).join(''));
      tokens += (reply.match(/LVALUE /g) ?? []).length;
      assert.equal(occurrences(reply, 'END'), keys.length);
    });
    assert.equal(tokens, keys.length);
  });
}

export function concurrencySuite(suite: Suite): void {
  counterTests(suite);
  compareTests(suite);
  integrityTests(suite);
}
