/** The keys and values of the client benchmark: as short as user records are, different from each other. */

/** Prime to the steps of the callers. */
export const KEYS: number = 1000;
export const VALUE_CHARACTERS: number = 100;

export function keyOf(index: number): string {
  return `user:${100_000 + index}:profile`;
}

export function storedValueOf(index: number): string {
  return `value ${index} `.repeat(VALUE_CHARACTERS).slice(0, VALUE_CHARACTERS);
}
