/** The values that macros work on: plain JSON, and what counts as one of its kinds. */

export type Value = null | boolean | number | string | readonly Value[] | { readonly [name: string]: Value };
export type ObjectValue = { readonly [name: string]: Value };

/** Why a macro cannot be expanded; the place is added by whoever knows it. */
export class MacroError extends Error {
  override readonly name: string = 'MacroError';
}

export function isObject(value: Value | undefined): value is ObjectValue {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isList(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value);
}

/** The value as part of a text. */
export function textOf(value: Value, what: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new MacroError(`${what} is ${kindOf(value)}, expected text`);
}

export function booleanOf(value: Value, what: string): boolean {
  if (typeof value === 'boolean') return value;
  throw new MacroError(`${what} is ${kindOf(value)}, expected true or false`);
}

export function integerOf(value: Value, what: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw new MacroError(`${what} is ${kindOf(value)}, expected an integer`);
}

/** The members of an object, or the elements of a list with their indices as keys. */
export function entriesOf(value: Value, what: string): readonly (readonly [string | number, Value])[] {
  if (isList(value)) return value.map((item, index) => [index, item]);
  if (isObject(value)) return Object.entries(value);
  throw new MacroError(`${what} is ${kindOf(value)}, expected an object or a list`);
}

/** One after the other: lists are joined, objects merged (the later one wins), texts joined. */
export function mergeAll(values: readonly Value[]): Value {
  const [first, ...rest] = values;
  if (first === undefined) return [];
  if (isList(first)) return values.flatMap((value) => (isList(value) ? value : [value]));
  if (isObject(first)) {
    const merged: Record<string, Value> = {};
    for (const value of values) {
      if (!isObject(value)) throw new MacroError(`merge: ${kindOf(value)} among objects`);
      for (const [name, item] of Object.entries(value)) define(merged, name, item);
    }
    return merged;
  }
  return [first, ...rest].map((value) => textOf(value, 'a part of merge')).join('');
}

/** Sets a member whatever its name is (`__proto__` among them). */
export function define(target: Record<string, Value>, name: string, value: Value): void {
  Object.defineProperty(target, name, { value, enumerable: true, writable: true, configurable: true });
}

export function kindOf(value: Value): string {
  if (value === null) return 'null';
  if (isList(value)) return 'a list';
  if (isObject(value)) return 'an object';
  return typeof value === 'string' ? 'text' : `a ${typeof value}`;
}
