/** `larder advise pools` as a user runs it. */
import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

function larder(args: readonly string[], input = ''): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, ['-C', 'larder-source', MAIN, 'advise', 'pools', ...args], {
    encoding: 'utf8',
    input,
  });
}

/** Two families of which one is large, seldom asked for, and each item by one client only. */
function trace(): string {
  const lines: string[] = [];
  for (let turn = 0; turn < 2000; turn++) {
    lines.push(`${Math.floor(turn / 100)},hot:${turn % 50},6,200,${turn % 40},get,0`);
    if (turn % 10 === 0) lines.push(`${Math.floor(turn / 100)},big:${turn},6,9000,${turn % 40},get,0`);
  }
  return `${lines.join('\n')}\n`;
}

test('advice from a capture, as a table and as JSON', () => {
  const folder = mkdtempSync(join(tmpdir(), 'larder-advise-'));
  try {
    const path = join(folder, 'trace.csv');
    writeFileSync(path, trace());
    const table = larder(['--capture', path, '--clusters', '3']);
    assert.equal(table.status, 0, table.stderr);
    assert.match(table.stdout, /^hot: .* stay$/m);
    assert.match(table.stdout, /^2200 requests in 19\.0 s/m);
    const json = larder(['--capture', '-', '--clusters', '3', '--json'], trace());
    const { families } = JSON.parse(json.stdout);
    assert.deepEqual(
      families.map((each: { traffic: { family: string; medianClients: number } }) => each.traffic.family),
      ['hot:', 'big:'],
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('wrong usage and unreachable servers are told in one line', () => {
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [[], 2, /expected --watch or --capture/],
    [['--capture', '/nowhere/at/all'], 1, /cannot read \/nowhere\/at\/all/],
    [['--watch', 'a:b:c:d:e'], 1, /is not a server's address/],
    [['--watch', '127.0.0.1:1'], 1, /cannot watch 127\.0\.0\.1:1/],
    [['--capture', '-', '--seconds', 'x'], 2, /--seconds/],
    [['--capture', '-', '--servers', '0'], 2, /--servers/],
    [['--capture', '-'], 1, /no traffic was seen/],
  ];
  for (const [args, status, message] of cases) {
    const result = larder(args);
    assert.match(result.stderr, message);
    assert.equal(result.status, status, args.join(' '));
    assert.doesNotMatch(result.stderr, /\n {4}at /, 'no stack');
  }
});
