/**
 * mcrouter's preprocessor: a document with `macros` is expanded before it is read.
 *
 * ```
 *   "macros": {
 *     "pool": { "type": "macroDef", "params": ["name", { "name": "salt", "default": "" }],
 *               "result": { "type": "HashRoute", "salt": "%salt%", "children": "Pool|%name%" } },
 *     "zone": { "type": "constDef", "result": "west" }
 *   }
 *   "%zone%"                 a constant's, a parameter's or a variable's value; within a text as text
 *   "@pool(A,%zone%)"        a call, which takes the whole text; arguments without the spaces around them
 *   { "type": "pool", … }    the same with the parameters by name
 *   { "vars": { … }, … }     names for the rest of the object
 *   "@import(pools.json)"    what another document says
 *   \                        takes the meaning from the character behind it
 * ```
 *
 * Texts are read by a small recursive parser; arguments stay texts until the call wants them, so that of an `if`
 * only one side is ever expanded.
 */
import type { Random } from '../../clock.ts';
import { MACRO_DEPTH_MAX, MACRO_STEPS_MAX } from '../../limits.ts';
import { BUILT_INS } from './built-ins.ts';
import {
  booleanOf,
  define,
  entriesOf,
  integerOf,
  isList,
  isObject,
  kindOf,
  MacroError,
  mergeAll,
  type ObjectValue,
  textOf,
  type Value,
} from './values.ts';

/** Names that stand for values here: parameters and variables. */
type Scope = ReadonlyMap<string, Value | Variable>;

/** A variable beside others, which may be about each other in any order: expanded when it is first asked for. */
class Variable {
  readonly expression: Value;
  scope: Scope = new Map();
  value: Value | undefined = undefined;
  isOpen: boolean = false;

  constructor(expression: Value) {
    this.expression = expression;
  }
}

/** What expanding needs from outside. */
export interface MacroEnvironment {
  /** The document that `@import(path)` stands for, not expanded; throws an ImportNeeded if it is to be fetched. */
  readonly imported: (path: string) => Value | undefined;
  readonly random: Random;
}

interface Parameter {
  readonly name: string;
  readonly fallback: Value | undefined;
  readonly isOptional: boolean;
}

interface Macro {
  readonly parameters: readonly Parameter[];
  readonly result: Value;
}

/** An argument by its parameter's name, not expanded. */
type Arguments = ReadonlyMap<string, Value>;

/** Calls that expand their arguments themselves. */
const LAZY_PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  if: ['condition', 'is_true', 'is_false'],
  select: ['dictionary', 'key', 'default'],
  transform: ['dictionary', 'itemTransform', 'keyTransform', 'itemName', 'keyName'],
  process: ['initialValue', 'transform', 'dictionary', 'itemName', 'keyName', 'valueName'],
  foreach: ['key', 'item', 'from', 'where', 'use', 'top', 'noMatchResult'],
  defined: ['name'],
  and: ['A', 'B'],
  or: ['A', 'B'],
  shuffle: ['dictionary', 'seed'],
  import: ['path', 'default'],
};

const LEHMER_MODULUS = 2 ** 31 - 1;
const LEHMER_FACTOR = 48_271;

export class MacroExpander {
  readonly #macros: Map<string, Macro> = new Map();
  readonly #constants: Map<string, Value> = new Map();
  /** Constants that were expanded, and those that are just being. */
  readonly #values: Map<string, Value> = new Map();
  readonly #open: Set<string> = new Set();
  /** What paths stand for, expanded, and those that are just being. */
  readonly #imports: Map<string, Value> = new Map();
  readonly #openImports: Set<string> = new Set();
  readonly #environment: MacroEnvironment;
  #depth: number = 0;
  #steps: number = 0;

  constructor(environment: MacroEnvironment) {
    this.#environment = environment;
  }

  /** Takes the document's `consts`, the older way of writing constants: a list of them with their names. */
  defineConstants(list: Value): void {
    const constants = this.expand(list, new Map());
    if (!isList(constants)) throw new MacroError('expected consts: a list of constants');
    for (const each of constants) {
      if (!isObject(each) || each.type !== 'constDef' || each.result === undefined) {
        throw new MacroError('expected a constant: an object with type constDef, name and result');
      }
      this.#constants.set(textOf(each.name ?? null, 'the name of a constant'), each.result);
    }
  }

  /** Takes the document's `macros`: an object, or lists of them. */
  define(macros: Value): void {
    if (isList(macros)) {
      for (const each of macros) this.define(each);
      return;
    }
    if (typeof macros === 'string' || (isObject(macros) && typeof macros.type === 'string')) {
      this.define(this.expand(macros, new Map()));
      return;
    }
    if (!isObject(macros)) throw new MacroError('expected macros: an object, or a list of them');
    for (const [escaped, definition] of Object.entries(macros)) {
      const name = textOf(this.#text(escaped, new Map()), 'the name of a macro');
      if (!isObject(definition) || definition.result === undefined) {
        throw new MacroError(`macro "${name}": expected an object with type and result`);
      }
      if (definition.type === 'constDef') this.#constants.set(name, definition.result);
      else if (definition.type === 'macroDef') this.#macros.set(name, macroOf(name, definition));
      else throw new MacroError(`macro "${name}": expected type macroDef or constDef`);
    }
  }

  expand(value: Value, scope: Scope): Value {
    if (++this.#steps > MACRO_STEPS_MAX) {
      throw new MacroError(`the configuration expands to too much (MACRO_STEPS_MAX, ${MACRO_STEPS_MAX})`);
    }
    if (++this.#depth > MACRO_DEPTH_MAX) {
      throw new MacroError(`macros are nested deeper than ${MACRO_DEPTH_MAX} (MACRO_DEPTH_MAX)`);
    }
    try {
      if (typeof value === 'string') return this.#text(value, scope);
      if (isList(value)) return value.map((each) => this.expand(each, scope));
      return isObject(value) ? this.#object(value, scope) : value;
    } finally {
      this.#depth--;
    }
  }

  #object(value: ObjectValue, outer: Scope): Value {
    const { type } = value;
    if (type === 'macroDef' || type === 'constDef') return value;
    let scope = outer;
    if (isObject(value.vars)) scope = this.#withVariables(value.vars, outer);
    if (typeof type === 'string') {
      const names = this.#parametersOf(type);
      if (names !== undefined) {
        const given = Object.entries(value).filter(([name]) => name !== 'type' && name !== 'vars');
        return this.#call(type, new Map(given), scope);
      }
    }
    const expanded: Record<string, Value> = {};
    for (const [name, each] of Object.entries(value)) {
      if (name === 'vars' && isObject(each)) continue;
      define(expanded, textOf(this.#text(name, scope), 'the name of a member'), this.expand(each, scope));
    }
    return expanded;
  }

  #withVariables(vars: ObjectValue, outer: Scope): Scope {
    const variables = Object.entries(vars).map(([name, each]) => [name, new Variable(each)] as const);
    const scope = new Map([...outer, ...variables]);
    for (const [name, variable] of variables) {
      // What it is called outside: a variable may go on from that.
      const known = outer.get(name);
      variable.scope = known === undefined ? scope : new Map([...scope, [name, known]]);
    }
    for (const [name] of variables) this.#name(name, scope);
    return scope;
  }

  /** A text: a call, or characters with names among them. */
  #text(text: string, scope: Scope): Value {
    if (text.startsWith('@')) return this.#callOf(text.slice(1), scope);
    const parts: Value[] = [];
    let plain = '';
    for (let at = 0; at < text.length; at++) {
      const character = text[at]!;
      if (character === '\\') {
        plain += text[++at] ?? '';
      } else if (character === '%') {
        const end = text.indexOf('%', at + 1);
        if (end < 0) throw new MacroError(`"${text}": a % has no other end`);
        if (plain !== '') parts.push(plain);
        plain = '';
        parts.push(this.#name(text.slice(at + 1, end), scope));
        at = end;
      } else plain += character;
    }
    if (plain !== '' || parts.length === 0) parts.push(plain);
    return parts.length === 1 ? parts[0]! : parts.map((part) => textOf(part, `a part of "${text}"`)).join('');
  }

  #name(name: string, scope: Scope): Value {
    const known = scope.get(name) ?? this.#values.get(name);
    if (known instanceof Variable) return this.#valueOf(name, known);
    if (known !== undefined) return known;
    const constant = this.#constants.get(name);
    if (constant === undefined) throw new MacroError(`%${name}% stands for nothing`);
    if (this.#open.has(name)) throw new MacroError(`%${name}% stands for itself`);
    this.#open.add(name);
    const value = this.expand(constant, new Map());
    this.#open.delete(name);
    this.#values.set(name, value);
    return value;
  }

  #valueOf(name: string, variable: Variable): Value {
    if (variable.value !== undefined) return variable.value;
    if (variable.isOpen) throw new MacroError(`%${name}% stands for itself`);
    variable.isOpen = true;
    variable.value = this.expand(variable.expression, variable.scope);
    variable.isOpen = false;
    return variable.value;
  }

  /** `name` or `name(argument,…)`, without the @. */
  #callOf(text: string, scope: Scope): Value {
    const open = findPlain(text, '(', 0);
    const end = open < 0 ? text.length : open;
    const name = textOf(this.#text(text.slice(0, end).trim(), scope), 'the name of a macro');
    const names = this.#parametersOf(name);
    if (names === undefined) throw new MacroError(`macro "${name}" does not exist`);
    if (open < 0) return this.#call(name, new Map(), scope);
    const trimmed = text.trimEnd();
    if (!trimmed.endsWith(')') || isEscaped(trimmed, trimmed.length - 1)) {
      throw new MacroError(`"@${text}": expected ) at the end`);
    }
    const values = splitArguments(trimmed.slice(open + 1, -1));
    const isVariadic = BUILT_INS[name]?.isVariadic === true;
    if (isVariadic) return this.#call(name, new Map([[names[0]!, values]]), scope);
    // `@name()` may be a call without arguments, or with an empty one.
    const isNothing = values.length === 1 && values[0] === '' && names.length === 0;
    const given = isNothing ? [] : values;
    if (given.length > names.length)
      throw new MacroError(`@${name} takes ${names.length} arguments, not ${given.length}`);
    return this.#call(name, new Map(given.map((value, index) => [names[index]!, value])), scope);
  }

  #parametersOf(name: string): readonly string[] | undefined {
    const macro = this.#macros.get(name);
    if (macro !== undefined) return macro.parameters.map((parameter) => parameter.name);
    if (Object.hasOwn(LAZY_PARAMETERS, name)) return LAZY_PARAMETERS[name];
    return Object.hasOwn(BUILT_INS, name) ? BUILT_INS[name]!.parameters : undefined;
  }

  #call(name: string, given: Arguments, scope: Scope): Value {
    const macro = this.#macros.get(name);
    if (macro !== undefined) return this.#callMacro(name, macro, given, scope);
    const one = (parameter: string): Value => {
      const value = given.get(parameter);
      if (value === undefined) throw new MacroError(`${name}: ${parameter} is missing`);
      return this.expand(value, scope);
    };
    if (Object.hasOwn(LAZY_PARAMETERS, name)) return this.#callLazy(name, given, scope, one);
    const builtIn = BUILT_INS[name]!;
    if (builtIn.isVariadic) {
      const values = one(builtIn.parameters[0]!);
      return builtIn.apply(isList(values) ? values : [values]);
    }
    return builtIn.apply(builtIn.parameters.map(one));
  }

  #callMacro(name: string, macro: Macro, given: Arguments, scope: Scope): Value {
    const inner = new Map<string, Value>();
    for (const parameter of macro.parameters) {
      const value = given.get(parameter.name);
      if (value !== undefined) inner.set(parameter.name, this.expand(value, scope));
      else if (parameter.fallback !== undefined)
        inner.set(parameter.name, this.expand(parameter.fallback, inner));
      else if (!parameter.isOptional) throw new MacroError(`macro "${name}": ${parameter.name} is missing`);
    }
    for (const each of given.keys()) {
      if (!macro.parameters.some((parameter) => parameter.name === each)) {
        throw new MacroError(`macro "${name}" has no parameter ${each}`);
      }
    }
    return this.expand(macro.result, inner);
  }

  #callLazy(name: string, given: Arguments, scope: Scope, one: (parameter: string) => Value): Value {
    switch (name) {
      case 'if':
        return booleanOf(one('condition'), 'condition') ? one('is_true') : one('is_false');
      case 'defined': {
        const wanted = textOf(one('name'), 'name');
        return scope.has(wanted) || this.#constants.has(wanted);
      }
      case 'select':
        return select(one('dictionary'), one('key')) ?? one('default');
      case 'and':
        return booleanOf(one('A'), 'A') && booleanOf(one('B'), 'B');
      case 'or':
        return booleanOf(one('A'), 'A') || booleanOf(one('B'), 'B');
      case 'import':
        return this.#import(textOf(one('path'), 'path'), given, one);
      case 'shuffle': {
        const seed = given.has('seed') ? integerOf(one('seed'), 'seed') : undefined;
        return shuffle(one('dictionary'), seed === undefined ? this.#environment.random : seeded(seed));
      }
      case 'transform':
        return this.#transform(given, scope, one);
      case 'process':
        return this.#process(given, scope, one);
      default:
        return this.#forEach(given, scope, one);
    }
  }

  /** Another document, in which these macros and constants are known too; `default` where there is none. */
  #import(path: string, given: Arguments, one: (parameter: string) => Value): Value {
    const known = this.#imports.get(path);
    if (known !== undefined) return known;
    if (this.#openImports.has(path)) throw new MacroError(`@import(${path}) imports itself`);
    const imported = this.#environment.imported(path);
    if (imported === undefined) {
      if (given.has('default')) return one('default');
      throw new MacroError(`@import(${path}): there is nothing`);
    }
    this.#openImports.add(path);
    const value = this.expand(imported, new Map());
    this.#openImports.delete(path);
    this.#imports.set(path, value);
    return value;
  }

  #transform(given: Arguments, scope: Scope, one: (parameter: string) => Value): Value {
    const dictionary = one('dictionary');
    const [keyName, itemName] = this.#names(given, ['keyName', 'key'], ['itemName', 'item']);
    const { itemTransform, keyTransform } = Object.fromEntries(given);
    const inScope = (expression: Value, key: string | number, item: Value): Value =>
      this.expand(expression, new Map([...scope, [keyName, key], [itemName, item]]));
    if (isList(dictionary)) {
      return dictionary.map((item, key) =>
        itemTransform === undefined ? item : inScope(itemTransform, key, item),
      );
    }
    const result: Record<string, Value> = {};
    for (const [key, item] of entriesOf(dictionary, 'dictionary')) {
      const keys = keyTransform === undefined ? key : inScope(keyTransform, key, item);
      for (const each of isList(keys) ? keys : [keys]) {
        const name = textOf(each, 'a key');
        define(result, name, itemTransform === undefined ? item : inScope(itemTransform, key, item));
      }
    }
    return result;
  }

  #process(given: Arguments, scope: Scope, one: (parameter: string) => Value): Value {
    const [keyName, itemName] = this.#names(given, ['keyName', 'key'], ['itemName', 'item']);
    const [valueName] = this.#names(given, ['valueName', 'value'], ['valueName', 'value']);
    const transform = given.get('transform');
    if (transform === undefined) throw new MacroError('process: transform is missing');
    let value = one('initialValue');
    for (const [key, item] of entriesOf(one('dictionary'), 'dictionary')) {
      value = this.expand(
        transform,
        new Map([...scope, [keyName, key], [itemName, item], [valueName, value]]),
      );
    }
    return value;
  }

  #forEach(given: Arguments, scope: Scope, one: (parameter: string) => Value): Value {
    const [keyName, itemName] = this.#names(given, ['key', 'key'], ['item', 'item']);
    const { where, use } = Object.fromEntries(given);
    const top = given.has('top') ? integerOf(one('top'), 'top') : Number.POSITIVE_INFINITY;
    const found: Value[] = [];
    for (const [key, item] of entriesOf(one('from'), 'from')) {
      if (found.length >= top) break;
      const inner = new Map([...scope, [keyName, key], [itemName, item]]);
      if (where !== undefined && !booleanOf(this.expand(where, inner), 'where')) continue;
      found.push(
        use === undefined ? (typeof key === 'number' ? [item] : { [key]: item }) : this.expand(use, inner),
      );
    }
    if (found.length === 0 && given.has('noMatchResult')) return one('noMatchResult');
    return mergeAll(found);
  }

  /** The names that a call gives to what it goes through. */
  #names(given: Arguments, ...defaults: readonly (readonly [string, string])[]): [string, string] {
    const [first, second] = defaults.map(([parameter, fallback]) =>
      textOf(given.get(parameter) ?? fallback, parameter),
    );
    return [first!, second!];
  }
}

function macroOf(name: string, definition: ObjectValue): Macro {
  const { params, result } = definition;
  if (params !== undefined && !isList(params))
    throw new MacroError(`macro "${name}": expected params, a list`);
  const parameters = (params ?? []).map((each): Parameter => {
    if (typeof each === 'string') return { name: each, fallback: undefined, isOptional: false };
    if (!isObject(each) || typeof each.name !== 'string') {
      throw new MacroError(`macro "${name}": expected a parameter's name, or an object with it`);
    }
    return { name: each.name, fallback: each.default, isOptional: each.optional === true };
  });
  return { parameters, result: result! };
}

function shuffle(dictionary: Value, random: Random): Value {
  if (!isList(dictionary)) throw new MacroError(`shuffle: ${kindOf(dictionary)}, expected a list`);
  const items = [...dictionary];
  for (let index = items.length - 1; index > 0; index--) {
    const other = Math.floor(random() * (index + 1));
    [items[index], items[other]] = [items[other]!, items[index]!];
  }
  return items;
}

/** The same order for the same seed, though not mcrouter's: C++'s Park and Miller, drawn in another way. */
function seeded(seed: number): Random {
  if (seed < 0) throw new MacroError('shuffle: the seed is negative');
  let state = seed % LEHMER_MODULUS || 1;
  return () => {
    state = (state * LEHMER_FACTOR) % LEHMER_MODULUS;
    return state / LEHMER_MODULUS;
  };
}

function select(dictionary: Value, key: Value): Value | undefined {
  if (isList(dictionary)) return dictionary.at(integerOf(key, 'key'));
  if (!isObject(dictionary)) throw new MacroError('select: expected a dictionary');
  const name = textOf(key, 'key');
  return Object.hasOwn(dictionary, name) ? dictionary[name] : undefined;
}

/** The first such character that is not escaped and not inside a call's parentheses or a %name%. */
function findPlain(text: string, wanted: string, from: number): number {
  let parentheses = 0;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (character === '\\') at++;
    else if (parentheses === 0 && character === wanted) return at;
    else if (character === '(') parentheses++;
    else if (character === ')') parentheses--;
  }
  return -1;
}

/** Arguments between commas, without the spaces around them (escaped ones stay). */
function splitArguments(text: string): string[] {
  const parts: string[] = [];
  for (let from = 0; ; ) {
    const comma = findPlain(text, ',', from);
    const part = text.slice(from, comma < 0 ? text.length : comma).trimStart();
    const trimmed = part.trimEnd();
    parts.push(isEscaped(part, trimmed.length) ? part.slice(0, trimmed.length + 1) : trimmed);
    if (comma < 0) return parts;
    from = comma + 1;
  }
}

/** Whether an odd number of backslashes stands in front. */
function isEscaped(text: string, at: number): boolean {
  let count = 0;
  while (text[at - 1 - count] === '\\') count++;
  return count % 2 === 1;
}
