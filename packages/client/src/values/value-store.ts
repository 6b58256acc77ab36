/** Values as the cache reads and writes them: the codec, and splitting where it is needed. */
import { exptimeOf } from '../duration.ts';
import { CacheError, CacheErrorCode } from '../errors.ts';
import type { FillerValues } from '../leases/filler.ts';
import type { ChunkStore } from './chunks.ts';
import type { EncodedValue, ValueCodec, ValueSchema } from './codec.ts';
import { ValueFlag } from './flags.ts';
import { withStaleMoment } from './freshness.ts';

type AnySchema = ValueSchema<never, unknown> | undefined;

export class ValueStore implements FillerValues {
  readonly #codec: ValueCodec;
  readonly #chunks: ChunkStore;
  readonly #wallNow: () => number;

  constructor(codec: ValueCodec, chunks: ChunkStore, wallNow: () => number) {
    this.#codec = codec;
    this.#chunks = chunks;
    this.#wallNow = wallNow;
  }

  decode(stored: Buffer, flags: number, key: string, schema: AnySchema): unknown {
    if ((flags & ValueFlag.absent) !== 0) return undefined;
    if ((flags & ValueFlag.chunked) !== 0) return this.join(key, stored, flags, schema);
    return this.#codec.decode(stored, flags, schema);
  }

  async join(key: string, manifest: Buffer, flags: number, schema: AnySchema): Promise<unknown> {
    const whole = await this.#chunks.join(key, manifest);
    return this.#codec.decode(whole, (flags & ~ValueFlag.chunked) >>> 0, schema);
  }

  encode(
    value: unknown,
    key: string,
    ttlMs: number,
    schema: AnySchema,
    staleAtMs: number = Infinity,
  ): EncodedValue | Promise<EncodedValue> {
    const plain = this.#codec.encode(value as never, schema);
    const encoded = staleAtMs === Infinity ? plain : withStaleMoment(plain, staleAtMs, this.#wallNow());
    if (!this.#chunks.isLarge(encoded)) return encoded;
    return this.#chunks.split(key, encoded, exptimeOf(ttlMs, this.#wallNow()));
  }

  /** For append and prepend: bytes as they are, never compressed or split. */
  encodePiece(value: string | Uint8Array): Uint8Array {
    if (typeof value === 'string') return Buffer.from(value, 'utf8');
    if (value instanceof Uint8Array) return value;
    throw new CacheError(CacheErrorCode.invalidValue, 'append and prepend take strings and bytes');
  }
}
