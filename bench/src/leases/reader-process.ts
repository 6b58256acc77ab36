/**
 * One of the processes that read the hot keys. Its database is its parent: a query is a message there and back.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Cache } from '@larder/client';
import { BenchError } from '../errors.ts';
import { Random } from '../random/random.ts';
import { CALLERS, HOT_KEYS, hotKey, type Mode, type Order, type Report } from './plan.ts';

const [address, seedText] = process.argv.slice(2);
const seed = Number(seedText);
if (address === undefined || !Number.isInteger(seed)) {
  throw new BenchError('USAGE', 'reader-process <address> <seed>');
}
const cache = await Cache.connect({ servers: address, throwOnTrouble: true });

let nextId = 0;
const waiting = new Map<number, (version: number) => void>();

function tell(report: Report): void {
  process.send?.(report);
}

function query(key: string): Promise<number> {
  const id = nextId++;
  return new Promise((resolve) => {
    waiting.set(id, resolve);
    tell({ kind: 'query', id, key });
  });
}

async function lookAside(key: string): Promise<number> {
  const cached = await cache.get<number>(key);
  if (cached !== undefined) return cached;
  const version = await query(key);
  await cache.set(key, version);
  return version;
}

const READ: Readonly<Record<Mode, (key: string) => Promise<number>>> = {
  'look-aside': lookAside,
  leases: (key) => cache.getOrSet(key, () => query(key)),
  'leases-stale': (key) => cache.getOrSet(key, () => query(key), { acceptStale: true }),
};

async function run(mode: Mode, milliseconds: number): Promise<void> {
  const read = READ[mode];
  const latenciesMs: number[] = [];
  const endsAt = performance.now() + milliseconds;
  const caller = async (index: number): Promise<void> => {
    // By chance, so that callers do not walk behind the updates and wait at every key.
    const random = new Random(seed * CALLERS + index);
    while (performance.now() < endsAt) {
      const startedMs = performance.now();
      await read(hotKey(random.u32() % HOT_KEYS));
      latenciesMs.push(performance.now() - startedMs);
      await pause(1);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, (_, index) => caller(index)));
  tell({ kind: 'done', calls: latenciesMs.length, latenciesMs: sample(latenciesMs) });
}

/** Enough of them for a 99th percentile, few enough for a message. */
function sample(values: readonly number[]): number[] {
  const step = Math.max(1, Math.floor(values.length / 5000));
  return values.filter((_, index) => index % step === 0);
}

process.on('message', (order: Order) => {
  if (order.kind === 'answer') {
    waiting.get(order.id)?.(order.version);
    waiting.delete(order.id);
    return;
  }
  run(order.mode, order.milliseconds).catch((error: unknown) =>
    tell({ kind: 'failed', error: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
tell({ kind: 'ready' });
