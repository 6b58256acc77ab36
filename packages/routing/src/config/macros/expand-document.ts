/** A document without its macros: what is left when they are expanded. */
import type { Random } from '../../clock.ts';
import { CONFIG_DEPTH_MAX, MACRO_STEPS_MAX } from '../../limits.ts';
import { configError, parseDocument } from '../document.ts';
import { MacroExpander } from './expander.ts';
import { MacroError, type Value } from './values.ts';

/** A text that is a call: enough for a document to be expanded that defines nothing. */
const CALL = /^@\w+\(/;

/** A document that is imported has to be fetched first. */
export class ImportNeeded extends Error {
  override readonly name: string = 'ImportNeeded';
  readonly path: string;

  constructor(path: string) {
    super(`@import(${path})`);
    this.path = path;
  }
}

export interface Expansion {
  /** Texts of documents by the paths that they are imported by; undefined for one that does not exist. */
  readonly imports?: ReadonlyMap<string, string | undefined>;
  readonly random?: Random;
}

/**
 * Expands a document that has `macros` or `consts`, or a text that is a call; any other is returned as it is. Throws
 * an ImportNeeded for the first import that is not among `imports`.
 */
export function expandDocument(document: unknown, expansion: Expansion = {}): unknown {
  if (typeof document !== 'object' || document === null || !isMeant(document)) return document;
  // The document came out of a JSON parser.
  const { macros, consts, ...rest } = document as Readonly<Record<string, Value>>;
  const { imports = new Map(), random = Math.random } = expansion;
  const expander = new MacroExpander({
    random,
    imported: (path) => {
      if (!imports.has(path)) throw new ImportNeeded(path);
      const text = imports.get(path);
      return text === undefined ? undefined : parsed(path, text);
    },
  });
  let place = 'consts';
  try {
    if (consts !== undefined) expander.defineConstants(consts);
    place = 'macros';
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

function parsed(path: string, text: string): Value {
  try {
    return parseDocument(text) as Value;
  } catch (error) {
    throw new MacroError(`@import(${path}): ${error instanceof Error ? error.message : String(error)}`);
  }
}

function isMeant(document: object): boolean {
  return 'macros' in document || 'consts' in document || hasCall(document);
}

function hasCall(value: unknown): boolean {
  if (typeof value === 'string') return CALL.test(value);
  return typeof value === 'object' && value !== null && Object.values(value).some(hasCall);
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
