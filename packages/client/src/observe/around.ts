/**
 * Puts something around the calls of one cache: spans, durations. The methods of that object are replaced by
 * wrapped ones, so that a cache that nobody observes pays nothing.
 */
import type { Cache } from '../cache.ts';

/** Calls that are observed, with the names that telemetry uses. */
const OPERATIONS = [
  'get',
  'getMany',
  'gets',
  'getAndTouch',
  'set',
  'setMany',
  'add',
  'replace',
  'cas',
  'append',
  'prepend',
  'incr',
  'decr',
  'touch',
  'delete',
  'deleteMany',
  'getOrSet',
  'update',
] as const;
export type ObservedOperation = (typeof OPERATIONS)[number];

/** Keys of a call, as far as its arguments say. */
export interface ObservedCall {
  readonly operation: ObservedOperation;
  /** The key, when there is exactly one. */
  readonly key: string | undefined;
  /** How many, when that is known without consuming the argument. */
  readonly keyCount: number | undefined;
}

export type Around = (call: ObservedCall, run: () => Promise<unknown>) => Promise<unknown>;

function describe(operation: ObservedOperation, first: unknown): ObservedCall {
  if (typeof first === 'string') return { operation, key: first, keyCount: 1 };
  if (Array.isArray(first)) return { operation, key: undefined, keyCount: first.length };
  if (first instanceof Set || first instanceof Map)
    return { operation, key: undefined, keyCount: first.size };
  return { operation, key: undefined, keyCount: undefined };
}

/** Observes a cache; what is returned ends that. Several observers nest. */
export function observeCalls(cache: Cache, around: Around): () => void {
  const target = cache as unknown as Record<string, (...values: unknown[]) => Promise<unknown>>;
  const former = new Map<ObservedOperation, PropertyDescriptor | undefined>();
  for (const operation of OPERATIONS) {
    former.set(operation, Object.getOwnPropertyDescriptor(target, operation));
    const method = target[operation]!.bind(cache);
    target[operation] = (...values) => around(describe(operation, values[0]), () => method(...values));
  }
  return () => {
    for (const [operation, descriptor] of former) {
      if (descriptor === undefined) delete target[operation];
      else Object.defineProperty(target, operation, descriptor);
    }
  };
}
