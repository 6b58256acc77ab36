/**
 * One process of `spool.test.ts`: a cache with a spool folder on the servers it is given, which does what it is told
 * line by line and answers each line with JSON.
 *
 * ```
 *   delete <key> …   deletes them          {"deleted": …, "failed": …}
 *   spool            what is in the spool  {"written": …, "delivered": …, "entries": …}
 * ```
 */
import { createInterface } from 'node:readline';
import { Cache } from '../cache.ts';

const [folder = '', servers = ''] = process.argv.slice(2);
await using cache = await Cache.connect({
  config: {
    pools: { main: { servers: servers.split(','), server_timeout: 500, probe_delay_initial_ms: 50 } },
    route: 'PoolRoute|main',
  },
  spoolFolder: folder,
});

const spool = (): object => ({ ...cache.spool?.statistics, entries: cache.spool?.contents().entries });

for await (const line of createInterface(process.stdin)) {
  const [word, ...keys] = line.split(' ');
  let answer: object = {};
  if (word === 'delete') {
    const deleted = await cache.deleteMany(keys);
    answer = { deleted, failed: cache.statistics.deleteFailures, ...spool() };
  } else answer = spool();
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
