/**
 * What choosing a server costs: nanoseconds and heap bytes per key, for each hash function.
 * Run: node -C larder-source --expose-gc packages/routing/src/hashes/hashes.bench.ts [filter]
 */
import process from 'node:process';
import { createKeyHash, type HashJson } from './registry.ts';

const CALLS = 1_000_000;
const KEYS: readonly Buffer[] = Array.from({ length: 1024 }, (_, index) =>
  Buffer.from(`user:${index * 7919}:profile`),
);
const CASES: readonly (readonly [string, HashJson, number])[] = [
  ['Ch3, 4 servers', 'Ch3', 4],
  ['Ch3, 100 servers', 'Ch3', 100],
  ['Ch3 with salt, 100 servers', { salt: 'v2' }, 100],
  ['WeightedCh3, 100 servers', { hash_func: 'WeightedCh3', weights: Array(100).fill(0.9) }, 100],
  ['Crc32, 100 servers', 'Crc32', 100],
  ['Ketama, 100 servers', 'Ketama', 100],
  ['Ketama of twemproxy, 100 servers', { hash_func: 'Ketama', ketama: 'twemproxy' }, 100],
  ['Jump, 100 servers', 'Jump', 100],
  ['Rendezvous, 10 servers', 'Rendezvous', 10],
  ['ConstShard, 100 servers', 'ConstShard', 100],
];

for (const [name, json, count] of CASES) {
  if (!name.includes(process.argv[2] ?? '')) continue;
  const names = Array.from({ length: count }, (_, index) => `10.0.0.${index}:11211`);
  const hash = createKeyHash(json, { count, names, weights: undefined }, (message) => {
    throw new Error(message);
  });
  let sum = 0;
  const run = (calls: number): void => {
    for (let call = 0; call < calls; call++) {
      const key = KEYS[call & 1023]!;
      sum += hash.select(key, 0, key.length);
    }
  };
  run(CALLS / 5);
  globalThis.gc?.();
  const heap = process.memoryUsage().heapUsed;
  const start = performance.now();
  run(CALLS);
  const nanoseconds = ((performance.now() - start) * 1e6) / CALLS;
  const bytes = (process.memoryUsage().heapUsed - heap) / CALLS;
  process.stdout.write(
    `${name.padEnd(36)} ${nanoseconds.toFixed(0).padStart(5)} ns  ${bytes.toFixed(2)} B  (${sum % 10})\n`,
  );
}
