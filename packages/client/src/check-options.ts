/**
 * Checks the options of a cache when it is made: a name that nobody knows is a typing error, and what would make no
 * sense later should be told now. Durations are read where they are used, configurations by the routing.
 */
import { CONNECTIONS_PER_DESTINATION_MAX, Dialect } from '@larder/routing';
import { CacheError, CacheErrorCode } from './errors.ts';
import { CHUNK_BYTES_MIN } from './limits.ts';
import type { CacheOptions } from './options.ts';

type Check = readonly [expected: string, holds: (value: unknown) => boolean];

const isText = (value: unknown): boolean => typeof value === 'string';
const isBoolean = (value: unknown): boolean => typeof value === 'boolean';
const isFunction = (value: unknown): boolean => typeof value === 'function';
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const has = (value: unknown, ...names: readonly string[]): boolean =>
  isObject(value) && names.every((name) => name in value);
const isWithin = (value: unknown, least: number, most: number): boolean =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
const isOneOf = (value: unknown, names: readonly string[]): boolean =>
  typeof value === 'string' && names.includes(value);
const isDuration = (value: unknown): boolean => typeof value === 'number' || isText(value);
const PORT_MAX = 0xffff;
const ZSTD_LEVEL_MAX = 22;
const NO_BYTES = new Uint8Array(0);
const DURATION = "milliseconds, or text such as '30s'";

function isCompression(value: unknown): boolean {
  if (isBoolean(value)) return true;
  if (!isObject(value)) return false;
  const { algorithm, fromBytes, level, dictionary, ...unknown } = value;
  const dictionaries = Array.isArray(dictionary) ? (dictionary as unknown[]) : [dictionary ?? NO_BYTES];
  return (
    Object.keys(unknown).length === 0 &&
    dictionaries.every((each) => each instanceof Uint8Array) &&
    (algorithm === undefined || isOneOf(algorithm, ['zstd', 'brotli'])) &&
    (fromBytes === undefined || isWithin(fromBytes, 0, Number.MAX_SAFE_INTEGER)) &&
    (level === undefined || isWithin(level, 1, ZSTD_LEVEL_MAX))
  );
}

function isCredentials(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { user, password } = value;
  const isPlain = typeof user === 'string' && typeof password === 'string';
  return isPlain && /^[^\s\p{Cc}]+$/u.test(user) && /^[^\p{Cc}]+$/u.test(password);
}

const CHECKS: { readonly [Name in keyof Required<CacheOptions>]: Check } = {
  servers: [
    'an address, or a list of them (not an empty one)',
    (value) => isText(value) || (Array.isArray(value) && value.length > 0 && value.every(isText)),
  ],
  config: [
    'a route configuration: an object, its text, { file } or { url }',
    (value) => isText(value) || isObject(value),
  ],
  hash: [
    'the name of a hash function, or an object with hash_func',
    (value) => isText(value) || has(value, 'hash_func'),
  ],
  discovery: ['what elastiCache, dnsServers, fileServers or urlServers give', (value) => has(value, 'find')],
  spoolFolder: ['the path of a folder', (value) => isText(value) && value !== ''],
  clientId: ['text', isText],
  keyPrefix: ['text', isText],
  ttl: [DURATION, isDuration],
  timeout: [`${DURATION}, above 0`, (value) => isDuration(value) && value !== 0 && value !== Infinity],
  connections: [
    `a whole number from 1 to ${CONNECTIONS_PER_DESTINATION_MAX}`,
    (value) => isWithin(value, 1, CONNECTIONS_PER_DESTINATION_MAX),
  ],
  tls: ['true, false, or TLS settings', (value) => isBoolean(value) || isObject(value)],
  credentials: ['user, a name without spaces, and password', isCredentials],
  dialect: [`one of ${Object.values(Dialect).join(', ')}`, (value) => isOneOf(value, Object.values(Dialect))],
  throwOnTrouble: ['true or false', isBoolean],
  format: ['auto, json or structured', (value) => isOneOf(value, ['auto', 'json', 'structured'])],
  compression: [
    `true, false, or an object with algorithm (zstd, brotli), fromBytes, level (1 to ${ZSTD_LEVEL_MAX}), dictionary (bytes)`,
    isCompression,
  ],
  chunkBytes: [
    `a whole number from ${CHUNK_BYTES_MIN} on`,
    (value) => isWithin(value, CHUNK_BYTES_MIN, Number.MAX_SAFE_INTEGER),
  ],
  window: ['a FlowWindow, or an object with initial, min, max', isObject],
  failedGetMemory: [DURATION, isDuration],
  udp: [
    `true, false, or an object with port (1 to ${PORT_MAX}), timeout`,
    (value) =>
      isBoolean(value) ||
      (isObject(value) &&
        Object.keys(value).every((name) => name === 'port' || name === 'timeout') &&
        (value.port === undefined || isWithin(value.port, 1, PORT_MAX))),
  ],
  routes: ['a route handle', (value) => has(value, 'route')],
  clock: ['a clock', (value) => has(value, 'now', 'setTimer')],
  random: ['a function', isFunction],
  links: ['a factory of links', (value) => has(value, 'open')],
};

/** Throws a CacheError INVALID_CONFIG that names the option and what was expected. */
export function checkOptions(options: CacheOptions): void {
  if (!isObject(options)) throw new CacheError(CacheErrorCode.invalidConfig, 'expected options, an object');
  for (const [name, value] of Object.entries(options)) {
    const check = Object.hasOwn(CHECKS, name) ? CHECKS[name as keyof CacheOptions] : undefined;
    if (check === undefined) {
      const known = Object.keys(CHECKS).join(', ');
      throw new CacheError(CacheErrorCode.invalidConfig, `there is no option "${name}", only ${known}`);
    }
    const [expected, holds] = check;
    if (value === undefined || holds(value)) continue;
    throw new CacheError(CacheErrorCode.invalidConfig, `${name}: expected ${expected}`);
  }
}
