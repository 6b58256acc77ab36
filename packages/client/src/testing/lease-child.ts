/**
 * One of the hundred processes of `hundred-processes.test.ts`: connects to every server it is given, says so, and
 * at each word from its parent asks one of them for the same key as all the others.
 *
 * ```
 *   child                        parent
 *   ready ─────────────────────▶ when all are
 *   ◀───────────────────────────  go <index of the server>
 *   {"value": …, "waits": …} ──▶ … and so on, until the input ends
 * ```
 */
import { createInterface } from 'node:readline';
import { Cache } from '../cache.ts';

const FACTORY_MS = 150;

const caches = await Promise.all(process.argv.slice(2).map((servers) => Cache.connect({ servers })));
// A request each, so that the connections are there.
await Promise.all(caches.map((cache) => cache.get('warm', { throwOnTrouble: true })));
process.stdout.write('ready\n');

for await (const line of createInterface(process.stdin)) {
  const cache = caches[Number(line.split(' ')[1])]!;
  const value = await cache.getOrSet(
    'the hot key',
    async () => {
      await cache.incr('factory runs', 1, { initial: 1 });
      await new Promise((resolve) => setTimeout(resolve, FACTORY_MS));
      return `made by ${process.pid}`;
    },
    { ttl: '1h', throwOnTrouble: true },
  );
  process.stdout.write(`${JSON.stringify({ value, waits: cache.statistics.leaseWaits })}\n`);
}
await Promise.all(caches.map((cache) => cache.close()));
