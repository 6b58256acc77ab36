/**
 * Locks that live in the arena: one word, even when free, odd when held. Taking and releasing it each add
 * one, so the word is also a version: a reader that finds the same even number before and after knows that
 * nothing guarded by the lock changed in between.
 *
 * Critical sections are short (well below a microsecond), so waiting is spinning; a waiter that spins long
 * (the holder was descheduled) sleeps between tries, so that it does not steal the holder's processor.
 */

/** Tries before a waiter begins to sleep. */
const SPINS_MAX = 200;
/** One sleep. */
const SLEEP_MS = 0.05;

/**
 * Whether a plain store becomes visible after all stores before it, as on x86: then releasing needs no atomic
 * operation, which would cost as much as taking the lock.
 */
const STORES_ARE_ORDERED: boolean = process.arch === 'x64' || process.arch === 'ia32';

const sleepWord: Int32Array = new Int32Array(new SharedArrayBuffer(4));

/** Takes the lock at word `index`, waiting as long as it is held. */
export function lock(words: Int32Array, index: number): void {
  const version = Atomics.load(words, index);
  if ((version & 1) === 0 && Atomics.compareExchange(words, index, version, (version + 1) | 0) === version)
    return;
  lockSlowly(words, index);
}

function lockSlowly(words: Int32Array, index: number): void {
  for (let spins = 0; ; spins++) {
    if (tryLock(words, index)) return;
    if (spins > SPINS_MAX) Atomics.wait(sleepWord, 0, 0, SLEEP_MS);
  }
}

/** Takes the lock if it is free. */
export function tryLock(words: Int32Array, index: number): boolean {
  const version = Atomics.load(words, index);
  return (version & 1) === 0 && Atomics.compareExchange(words, index, version, (version + 1) | 0) === version;
}

/** Releases a lock that this thread holds. */
export function unlock(words: Int32Array, index: number): void {
  if (STORES_ARE_ORDERED) words[index] = words[index]! + 1;
  else Atomics.add(words, index, 1);
}
