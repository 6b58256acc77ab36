/**
 * Whether a value survives a trip through JSON: what comes back is equal to what went in. What does not
 * (Map, Set, Date, typed arrays, bigint, NaN, undefined in a list, …) is stored as a structured clone.
 */

/** Deeper values go the way of the structured clone, which has no such limit and finds cycles. */
const DEPTH_MAX = 64;

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function isObjectJsonSafe(value: object, depth: number): boolean {
  if (depth === 0) return false;
  if (Array.isArray(value)) {
    for (const item of value) if (!isJsonSafe(item, depth - 1)) return false;
    return true;
  }
  if (!isPlainObject(value)) {
    // A class that says how it wants to be written as JSON is taken at its word, except for Node's own.
    return hasOwnToJson(value);
  }
  for (const key in value) {
    const member = (value as Readonly<Record<string, unknown>>)[key];
    // JSON leaves undefined members out, and reading a member that is left out gives undefined.
    if (member !== undefined && !isJsonSafe(member, depth - 1)) return false;
  }
  return true;
}

function hasOwnToJson(value: object): boolean {
  if (value instanceof Date || value instanceof URL || ArrayBuffer.isView(value)) return false;
  return typeof (value as { readonly toJSON?: unknown }).toJSON === 'function';
}

export function isJsonSafe(value: unknown, depth: number = DEPTH_MAX): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0);
    case 'object':
      return value === null || isObjectJsonSafe(value, depth);
    default:
      return false;
  }
}
