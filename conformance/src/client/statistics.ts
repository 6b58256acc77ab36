/** Reads `stats` replies into maps, and polls them: tests wait for a counter, never for a time. */
import { strict as assert } from 'node:assert';
import type { RawClient } from './raw.ts';

/** The name → value pairs of `stats [argument]`. */
export async function readStats(client: RawClient, argument = ''): Promise<Map<string, string>> {
  const reply = await client.exchange(argument === '' ? 'stats\r\n' : `stats ${argument}\r\n`);
  assert.ok(
    reply.endsWith('END\r\n'),
    `stats ${argument} ends with END: ${JSON.stringify(reply.slice(-80))}`,
  );
  const stats = new Map<string, string>();
  for (const line of reply.slice(0, -'END\r\n'.length).split('\r\n')) {
    if (line === '') continue;
    const found = /^STAT (\S+) ?(.*)$/.exec(line);
    assert.ok(found, `a STAT line: ${JSON.stringify(line)}`);
    stats.set(found[1] ?? '', found[2] ?? '');
  }
  return stats;
}

/** One statistic as a number; it must be present. */
export async function readStat(client: RawClient, name: string): Promise<number> {
  const value = (await readStats(client)).get(name);
  assert.ok(value !== undefined, `stats has ${name}`);
  return Number(value);
}
