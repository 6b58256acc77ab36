/**
 * One client in a process of its own, which does what its parent asks for over the message channel.
 *
 * ```
 *   parent ── {callers, milliseconds} ──▶ callers ask for keys one after the other, all at the same time
 *   parent ◀── {gets, seconds, cpuSeconds} ── every value has been compared with what was stored
 * ```
 */
import { BenchError } from '../errors.ts';
import { connectClient, isClientName } from './contestants.ts';
import type { RunOrder, RunOutcome } from './results.ts';
import { KEYS, keyOf, storedValueOf } from './workload.ts';

const [name, address] = process.argv.slice(2);
if (name === undefined || address === undefined || !isClientName(name)) {
  throw new BenchError('USAGE', 'contestant-process <client> <address>');
}
const client = await connectClient(name, address);
const keys = Array.from({ length: KEYS }, (_, index) => keyOf(index));
const values = keys.map((_, index) => storedValueOf(index));

async function runOrder({ callers, milliseconds }: RunOrder): Promise<RunOutcome> {
  let gets = 0;
  let isOver = false;
  /** Walks the keys from a place of its own, in steps that are prime to their number. */
  const caller = async (index: number): Promise<void> => {
    let at = (index * 379) % KEYS;
    while (!isOver) {
      const value = await client.get(keys[at]!);
      if (!client.isValue(value, values[at]!)) {
        throw new BenchError('SERVER', `${name} gave something else for ${keys[at]}: ${String(value)}`);
      }
      gets += 1;
      at = (at + 7) % KEYS;
    }
  };
  const startedMs = performance.now();
  const cpuBefore = process.cpuUsage();
  const timer = setTimeout(() => {
    isOver = true;
  }, milliseconds);
  await Promise.all(Array.from({ length: callers }, (_, index) => caller(index)));
  clearTimeout(timer);
  const { user, system } = process.cpuUsage(cpuBefore);
  return { gets, seconds: (performance.now() - startedMs) / 1000, cpuSeconds: (user + system) / 1e6 };
}

process.on('message', (order: RunOrder) => {
  runOrder(order).then(
    (outcome) => process.send?.(outcome),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
process.send?.({ ready: true });
