/** Polling: a condition is asked again until it holds or the limit passes. */
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 15;
const LIMIT_MS = 10_000;

/**
 * Resolves as soon as `condition` returns something else than false or undefined, with that value. An error of
 * the condition ends the wait at once.
 */
export async function until<T>(
  what: string,
  condition: () => Promise<T | false | undefined> | T | false | undefined,
  limitMs: number = LIMIT_MS,
): Promise<T> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const value = await condition();
    if (value !== false && value !== undefined) return value;
    if (Date.now() > deadline) throw new Error(`not within ${limitMs} ms: ${what}`);
    await delay(POLL_MS);
  }
}
