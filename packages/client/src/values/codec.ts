/**
 * Values to bytes and flags, and back. What was stored decides how it is read: strings, numbers, bigints,
 * bytes, JSON, structured clones (`node:v8`) and objects with a schema are told apart by flags (flags.ts).
 */
import { deserialize, serialize } from 'node:v8';
import { CacheError, CacheErrorCode } from '../errors.ts';
import { VALUE_BYTES_MAX } from '../limits.ts';
import { Compression, type CompressionOptions } from './compression.ts';
import { COMPRESSED_MASK, typeOf, ValueFlag } from './flags.ts';
import { isJsonSafe } from './json-safe.ts';

/** How values of one type become bytes and how bytes are read: a `wire` message, or anything of this shape. */
export interface ValueSchema<Input, View = Input> {
  /** The bytes of a value. They belong to the cache from then on. */
  encode(value: Input): Uint8Array;
  /** A view of the bytes, which are its own. May be lazy. Throws when they are not of this schema. */
  decode(bytes: Uint8Array): View;
}

/** How objects are stored: by what survives JSON, always as JSON, or always as a structured clone. */
export type ObjectFormat = 'auto' | 'json' | 'structured';

export interface CodecOptions {
  readonly format?: ObjectFormat;
  /** Off by default; `true` is zstd above 2048 bytes. */
  readonly compression?: boolean | CompressionOptions;
}

export interface EncodedValue {
  readonly bytes: Uint8Array;
  readonly flags: number;
}

const EMPTY_TEXT: EncodedValue = { bytes: new Uint8Array(0), flags: ValueFlag.text };

function invalid(message: string, cause?: unknown): CacheError {
  return new CacheError(CacheErrorCode.invalidValue, message, { cause });
}

function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

export class ValueCodec {
  readonly #format: ObjectFormat;
  readonly #writes: Compression | undefined;
  readonly #reads: Compression;

  constructor(options: CodecOptions = {}) {
    this.#format = options.format ?? 'auto';
    const { compression } = options;
    const settings = typeof compression === 'object' ? compression : {};
    this.#reads = new Compression(settings);
    this.#writes = compression === undefined || compression === false ? undefined : this.#reads;
  }

  encode<Input>(value: Input, schema?: ValueSchema<Input, unknown>): EncodedValue {
    const encoded = schema === undefined ? this.#plain(value) : this.#bySchema(value, schema);
    const { bytes } = encoded;
    if (bytes.length > VALUE_BYTES_MAX) {
      throw new CacheError(
        CacheErrorCode.valueTooLarge,
        `the value has ${bytes.length} bytes, at most ${VALUE_BYTES_MAX} are possible`,
      );
    }
    const writes = this.#writes;
    if (writes === undefined || bytes.length < writes.fromBytes) return encoded;
    return writes.compress(bytes, encoded.flags) ?? encoded;
  }

  /**
   * The value of stored bytes. They may lie in a buffer that is used again: what keeps them (bytes, views) is
   * copied. Throws a `CacheError` with the code DECODE.
   */
  decode(stored: Buffer, flags: number, schema?: ValueSchema<never, unknown>): unknown {
    if (flags === 0) return stored.toString('utf8');
    try {
      if ((flags & COMPRESSED_MASK) === 0) return this.#read(stored, typeOf(flags), schema, false);
      const bytes = this.#reads.decompress(stored, flags);
      return this.#read(bytes as Buffer, typeOf(flags), schema, true);
    } catch (thrown) {
      if (thrown instanceof CacheError && thrown.code === CacheErrorCode.decode) throw thrown;
      const message = `a stored value with flags ${flags} cannot be read: ${String(thrown)}`;
      throw new CacheError(CacheErrorCode.decode, message, { cause: thrown });
    }
  }

  #read(
    bytes: Buffer,
    type: number,
    schema: ValueSchema<never, unknown> | undefined,
    isOwn: boolean,
  ): unknown {
    if (schema !== undefined && type !== ValueFlag.schema) {
      throw new CacheError(CacheErrorCode.decode, 'the stored value was written without a schema');
    }
    switch (type) {
      case 0:
      case ValueFlag.text:
        return bytes.toString('utf8');
      case ValueFlag.json:
        return JSON.parse(bytes.toString('utf8')) as unknown;
      case ValueFlag.number:
        return readNumber(bytes);
      case ValueFlag.bigint:
        return BigInt(bytes.toString('latin1').trimEnd());
      case ValueFlag.bytes:
        return isOwn ? bytes : Buffer.from(bytes);
      case ValueFlag.clone:
        return deserialize(bytes);
      case ValueFlag.schema: {
        const own = isOwn ? bytes : Buffer.from(bytes);
        return schema === undefined ? own : schema.decode(own);
      }
      default:
        throw new CacheError(CacheErrorCode.decode, `nothing is known of the type ${type}`);
    }
  }

  #bySchema<Input>(value: Input, schema: ValueSchema<Input, unknown>): EncodedValue {
    try {
      return { bytes: schema.encode(value), flags: ValueFlag.schema };
    } catch (thrown) {
      throw invalid(`the value is not what its schema says: ${String(thrown)}`, thrown);
    }
  }

  #plain(value: unknown): EncodedValue {
    switch (typeof value) {
      case 'string':
        return value === '' ? EMPTY_TEXT : { bytes: Buffer.from(value, 'utf8'), flags: 0 };
      case 'number':
        return { bytes: Buffer.from(numberText(value), 'latin1'), flags: ValueFlag.number };
      case 'bigint':
        return { bytes: Buffer.from(String(value), 'latin1'), flags: ValueFlag.bigint };
      case 'boolean':
        return { bytes: Buffer.from(String(value), 'latin1'), flags: ValueFlag.json };
      case 'object':
        if (value instanceof Uint8Array && isBytes(value)) return { bytes: value, flags: ValueFlag.bytes };
        return this.#object(value);
      default:
        throw invalid(`a value of the type ${typeof value} cannot be stored`);
    }
  }

  #object(value: object | null): EncodedValue {
    const isJson = this.#format === 'json' || (this.#format === 'auto' && isJsonSafe(value));
    try {
      if (!isJson) return { bytes: serialize(value), flags: ValueFlag.clone };
      const text: string | undefined = JSON.stringify(value);
      if (text === undefined) throw invalid('the value has no JSON text');
      return { bytes: Buffer.from(text, 'utf8'), flags: ValueFlag.json };
    } catch (thrown) {
      throw thrown instanceof CacheError
        ? thrown
        : invalid(`the value cannot be stored: ${String(thrown)}`, thrown);
    }
  }
}

/** Buffer and Uint8Array themselves, not a class that extends them with a meaning of its own. */
function isBytes(value: Uint8Array): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Uint8Array.prototype || prototype === Buffer.prototype;
}

/** memcached pads what decr made shorter with spaces. */
function readNumber(bytes: Buffer): number {
  const text = bytes.toString('latin1').trimEnd();
  const number = Number(text);
  if (text === '' || (Number.isNaN(number) && text !== 'NaN')) {
    throw new CacheError(CacheErrorCode.decode, 'a stored number is none');
  }
  return number;
}
