/** Random protobuf-es messages of any descriptor: the values for round trips. */
import { create, type DescField, type DescMessage, type Message, ScalarType } from '@bufbuild/protobuf';
import { type ReflectMessage, reflect } from '@bufbuild/protobuf/reflect';

const DEPTH_MAX = 4;
const TEXTS = [
  '',
  'a',
  'larder',
  'ünïcödé ✓',
  '😀 emoji',
  '__proto__',
  'x'.repeat(700),
  '\u0000',
  'constructor',
];
const NUMBERS_32 = [0, 1, -1, 127, 255, 65_536, 2 ** 31 - 1, -(2 ** 31), 12_345_678];
const DOUBLES = [
  0,
  -0,
  1,
  -1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  1e300,
  5e-324,
];

/** A random number generator of a seed, so that a failure can be repeated. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** In [0, below). */
  integer(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below) | 0;
  }

  chance(percent: number): boolean {
    return this.integer(100) < percent;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.integer(values.length)]!;
  }
}

export function randomMessage(desc: DescMessage, random: Random, depth = 0): Message {
  const message = create(desc);
  const target = reflect(desc, message);
  for (const field of desc.fields) {
    if (random.chance(field.fieldKind === 'message' || depth > 1 ? 40 : 60))
      setField(target, field, random, depth);
  }
  return message;
}

function setField(target: ReflectMessage, field: DescField, random: Random, depth: number): void {
  if (field.message !== undefined && depth >= DEPTH_MAX) return;
  if (field.fieldKind === 'list') {
    const list = target.get(field);
    const count = random.integer(random.chance(10) ? 40 : 4);
    for (let index = 0; index < count; index++) list.add(single(field, random, depth));
  } else if (field.fieldKind === 'map') {
    const map = target.get(field);
    const count = random.integer(5);
    for (let index = 0; index < count; index++) {
      // protobuf-es keeps maps in objects, which cannot have this key.
      const key = scalar(field.mapKey, field, random);
      if (key !== '__proto__') map.set(key as string, single(field, random, depth));
    }
  } else {
    target.set(field, single(field, random, depth));
  }
}

function single(field: DescField, random: Random, depth: number): unknown {
  if (field.message !== undefined)
    return reflect(field.message, randomMessage(field.message, random, depth + 1));
  if (field.enum !== undefined)
    return random.chance(80) ? random.pick(field.enum.values).number : random.pick(NUMBERS_32);
  return scalar(field.scalar ?? ScalarType.STRING, field, random);
}

function scalar(type: ScalarType, field: DescField, random: Random): unknown {
  switch (type) {
    case ScalarType.STRING:
      return random.pick(TEXTS) + (random.chance(50) ? random.integer(1000) : '');
    case ScalarType.BYTES:
      return new Uint8Array(random.chance(20) ? random.integer(3000) : random.integer(20)).fill(
        random.integer(256),
      );
    case ScalarType.BOOL:
      return random.chance(50);
    case ScalarType.FLOAT:
      return Math.fround(random.pick(DOUBLES));
    case ScalarType.DOUBLE:
      return random.chance(50) ? random.pick(DOUBLES) : random.integer(2 ** 31) / 7;
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return random.pick(NUMBERS_32) >>> 0;
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return random.pick(NUMBERS_32);
    default:
      return wide(type, field, random);
  }
}

/** 64 bits; numbers that `jstype = JS_NUMBER` can have are the only ones there. */
function wide(type: ScalarType, field: DescField, random: Random): bigint {
  const isSafe = field.proto.options?.jstype === 2;
  const high = isSafe ? random.integer(2 ** 20) : random.integer(2 ** 31);
  const value = (BigInt(high) << 32n) | BigInt(random.pick(NUMBERS_32) >>> 0);
  const isUnsigned = type === ScalarType.UINT64 || type === ScalarType.FIXED64;
  if (isUnsigned) return !isSafe && random.chance(30) ? value | (1n << 63n) : value;
  return random.chance(40) ? -value : value;
}
