/**
 * The calls that every configuration has: `@name(…)`, or `{ "type": "name", … }` with the parameters' names. What
 * has to look at its arguments before they are expanded (if, select, transform …) is in `expander.ts`.
 */
import { isIP, isIPv6, SocketAddress } from 'node:net';
import { networkInterfaces } from 'node:os';
import { Murmur64A } from '../../hashes/murmur64a.ts';
import { WeightedRendezvousHash } from '../../hashes/weighted-rendezvous.ts';
import {
  booleanOf,
  entriesOf,
  integerOf,
  isList,
  isObject,
  kindOf,
  MacroError,
  mergeAll,
  textOf,
  type Value,
} from './values.ts';

export interface BuiltIn {
  /** In the order of a call's arguments. The last one takes all that follow when `isVariadic`. */
  readonly parameters: readonly string[];
  readonly isVariadic?: boolean;
  readonly apply: (values: readonly Value[]) => Value;
}

const RANGE_MAX = 100_000;
/** Of the upper half, for 53 bits in all. */
const UPPER_BITS = 0x1fffff;

const define = (parameters: string, apply: (...values: Value[]) => Value): BuiltIn => ({
  parameters: parameters.split(' '),
  apply: (values) => apply(...values),
});
const number = (apply: (one: number, other: number) => number): BuiltIn =>
  define('A B', (one, other) => {
    const result = apply(integerOf(one!, 'A'), integerOf(other!, 'B'));
    if (!Number.isFinite(result)) throw new MacroError('division by zero');
    return result;
  });
const bits = (apply: (one: number, other: number) => number): BuiltIn =>
  define('A B', (one, other) => apply(int32Of(one!, 'A'), int32Of(other!, 'B')));
const test = (holds: (value: Value) => boolean): BuiltIn => define('value', (value) => holds(value!));

export const BUILT_INS: Readonly<Record<string, BuiltIn>> = {
  int: define('value', toInteger),
  str: define('value', (value) => textOf(value!, 'value')),
  bool: define('value', toBoolean),
  keys: define('dictionary', (value) => entriesOf(value!, 'dictionary').map(([key]) => key)),
  values: define('dictionary', (value) => entriesOf(value!, 'dictionary').map(([, item]) => item)),
  size: define('dictionary', sizeOf),
  empty: define('dictionary', (value) => sizeOf(value!) === 0),
  range: define('from to', range),
  slice: define('dictionary from to', slice),
  split: define('dictionary delim', split),
  sort: define('dictionary', sort),
  contains: define('dictionary key', contains),
  set: define('dictionary key value', set),
  equals: define('A B', (one, other) => isEqual(one!, other!)),
  less: define('A B', (one, other) => compare(one!, other!) < 0),
  not: define('A', (value) => !booleanOf(value!, 'A')),
  // Numbers of JSON and bitwise operations agree up to 32 bits only.
  bitwiseAnd: bits((one, other) => one & other),
  bitwiseOr: bits((one, other) => one | other),
  bitwiseXor: bits((one, other) => one ^ other),
  bitwiseLeftShift: bits((one, other) => one << other),
  bitwiseRightShift: bits((one, other) => one >> other),
  bitwiseNot: define('A', (value) => ~int32Of(value!, 'A')),
  hash: define('value', (value) => hashOf(value!)),
  weightedHash: define('dictionary key', weightedHash),
  double: define('value', toNumber),
  add: number((one, other) => one + other),
  sub: number((one, other) => one - other),
  mul: number((one, other) => one * other),
  div: number((one, other) => (other === 0 ? Number.NaN : Math.trunc(one / other))),
  mod: number((one, other) => one % other),
  isArray: test(isList),
  isObject: test(isObject),
  isString: test((value) => typeof value === 'string'),
  isBool: test((value) => typeof value === 'boolean'),
  isDouble: test((value) => typeof value === 'number' && !Number.isInteger(value)),
  isLocalIp: define('ip', isLocalIp),
  /** `vars` beside it are in force when it is expanded. */
  define: define('result', (value) => value!),
  isInt: test((value) => typeof value === 'number' && Number.isInteger(value)),
  fail: define('msg', (text) => {
    throw new MacroError(textOf(text!, 'msg'));
  }),
  merge: { parameters: ['params'], isVariadic: true, apply: mergeAll },
};

function toNumber(value?: Value): number {
  const result =
    typeof value === 'boolean'
      ? Number(value)
      : typeof value === 'string'
        ? Number(value.trim() || Number.NaN)
        : value;
  if (typeof result === 'number' && Number.isFinite(result)) return result;
  throw new MacroError(`"${String(value)}" is not a number`);
}

function toInteger(value?: Value): Value {
  return Math.trunc(toNumber(value));
}

function int32Of(value: Value, what: string): number {
  const number = integerOf(value, what);
  if ((number | 0) === number || number >>> 0 === number) return number;
  throw new MacroError(`${what} is ${number}, expected an integer of 32 bits`);
}

/** A whole number from 0 to 2^53 - 1; always the same one, though not the one that mcrouter's build gives. */
function hashOf(value: Value): number {
  if (typeof value !== 'string') integerOf(value, 'value');
  const murmur = new Murmur64A();
  const bytes = Buffer.from(textOf(value, 'value'));
  murmur.hash(bytes, 0, bytes.length, 0);
  return (murmur.high & UPPER_BITS) * 2 ** 32 + (murmur.low >>> 0);
}

/** One of the names of `dictionary`, each for its weight's share of all keys. */
function weightedHash(dictionary?: Value, key?: Value): Value {
  if (!isObject(dictionary)) throw new MacroError(`weightedHash: ${kindOf(dictionary!)}, expected an object`);
  const names = Object.keys(dictionary);
  const weights = Object.values(dictionary).map((weight) => toNumber(weight));
  if (names.length === 0) throw new MacroError('weightedHash: the dictionary is empty');
  if (weights.some((weight) => weight < 0)) throw new MacroError('weightedHash: a weight is negative');
  const bytes = Buffer.from(textOf(key!, 'key'));
  return names[new WeightedRendezvousHash(names, weights).select(bytes, 0, bytes.length)]!;
}

/** Whether it is an address of this host. */
function isLocalIp(ip?: Value): Value {
  const text = textOf(ip!, 'ip');
  if (isIP(text) === 0) throw new MacroError(`isLocalIp: "${text}" is not an address`);
  const wanted = new SocketAddress({ address: text, family: isIPv6(text) ? 'ipv6' : 'ipv4' }).address;
  return Object.values(networkInterfaces())
    .flat()
    .some((each) => each?.address === wanted);
}

function toBoolean(value?: Value): Value {
  if (value === true || value === 'true' || value === 1 || value === '1') return true;
  if (value === false || value === 'false' || value === 0 || value === '0') return false;
  throw new MacroError(`"${String(value)}" is neither true nor false`);
}

function sizeOf(value?: Value): number {
  return typeof value === 'string' ? value.length : entriesOf(value!, 'dictionary').length;
}

function range(from?: Value, to?: Value): Value {
  const start = integerOf(from!, 'from');
  const length = Math.max(0, integerOf(to!, 'to') - start + 1);
  if (length > RANGE_MAX) throw new MacroError(`range of ${length}, at most ${RANGE_MAX}`);
  return Array.from({ length }, (_, index) => start + index);
}

function slice(dictionary?: Value, from?: Value, to?: Value): Value {
  const start = Math.max(0, integerOf(from!, 'from'));
  const end = integerOf(to!, 'to') + 1;
  if (typeof dictionary === 'string' || isList(dictionary))
    return dictionary.slice(start, Math.max(start, end));
  const [low, high] = [from!, to!].map((value) => textOf(value, 'a key'));
  return Object.fromEntries(
    entriesOf(dictionary!, 'dictionary').filter(([key]) => key >= low! && key <= high!),
  );
}

function split(dictionary?: Value, delimiter?: Value): Value {
  const text = textOf(dictionary!, 'dictionary');
  const by = textOf(delimiter!, 'delim');
  return by === '' ? [text] : text.split(by);
}

function sort(dictionary?: Value): Value {
  if (!isList(dictionary)) throw new MacroError(`sort: ${kindOf(dictionary!)}, expected a list`);
  return [...dictionary].sort(compare);
}

function contains(dictionary?: Value, key?: Value): Value {
  if (typeof dictionary === 'string') return dictionary.includes(textOf(key!, 'key'));
  if (isList(dictionary)) return dictionary.some((item) => isEqual(item, key!));
  return entriesOf(dictionary!, 'dictionary').some(([name]) => name === key);
}

function set(dictionary?: Value, key?: Value, value?: Value): Value {
  if (isList(dictionary)) {
    const index = integerOf(key!, 'key');
    if (index < 0 || index >= dictionary.length) throw new MacroError(`set: there is no element ${index}`);
    return dictionary.with(index, value!);
  }
  return mergeAll([dictionary!, { [textOf(key!, 'key')]: value! }]);
}

function isEqual(one: Value, other: Value): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Numbers before texts, each among themselves. */
function compare(one: Value, other: Value): number {
  if (typeof one === typeof other) {
    if (one === other) return 0;
    return (one ?? '') < (other ?? '') ? -1 : 1;
  }
  return typeof one === 'number' ? -1 : 1;
}
