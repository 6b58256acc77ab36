/** A document without its macros: what is left when they are expanded. */

import { CONFIG_DEPTH_MAX, MACRO_STEPS_MAX } from '../../limits.ts';
import { configError } from '../document.ts';
import { MacroExpander } from './expander.ts';
import { MacroError, type Value } from './values.ts';

/** Expands a document that has `macros`; any other is returned as it is. */
export function expandDocument(document: unknown): unknown {
  if (typeof document !== 'object' || document === null || !('macros' in document)) return document;
  // The document came out of a JSON parser.
  const { macros, ...rest } = document as Readonly<Record<string, Value>>;
  const expander = new MacroExpander();
  let place = 'macros';
  try {
    expander.define(macros ?? {});
    const expanded: [string, Value][] = [];
    for (const [name, value] of Object.entries(rest)) {
      place = name;
      expanded.push([name, expander.expand(value, new Map())]);
    }
    const result = Object.fromEntries(expanded);
    count(result, 0);
    return result;
  } catch (error) {
    if (error instanceof MacroError) throw configError([place], error.message);
    throw error;
  }
}

/**
 * What macros make may hold the same part many times, and those parts others: small in memory, endless for
 * whoever goes through it. Returns how many values there are so far.
 */
function count(value: Value, before: number, depth: number = 0): number {
  let values = before + 1;
  if (values > MACRO_STEPS_MAX) {
    throw new MacroError(`the configuration expands to too much (MACRO_STEPS_MAX, ${MACRO_STEPS_MAX})`);
  }
  if (depth > CONFIG_DEPTH_MAX) {
    throw new MacroError(
      `the configuration expands to more than ${CONFIG_DEPTH_MAX} levels (CONFIG_DEPTH_MAX)`,
    );
  }
  if (typeof value !== 'object' || value === null) return values;
  for (const each of Object.values(value)) values = count(each, values, depth + 1);
  return values;
}
