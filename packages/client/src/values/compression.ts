/**
 * Compression of values above a size: zstd, with a dictionary if one is given; brotli where this Node.js has
 * no zstd. A value that does not become smaller is stored as it is.
 *
 * The id of a dictionary is 16 bits of its SHA-256, never 0: a value compressed with a dictionary that the
 * reader does not have is a miss, not garbage. Several dictionaries may be known for reading, so that a new
 * one can be rolled out; the first one writes.
 */
import { createHash } from 'node:crypto';
import * as zlib from 'node:zlib';
import { CacheError, CacheErrorCode } from '../errors.ts';
import { COMPRESS_FROM_BYTES_DEFAULT, VALUE_BYTES_MAX } from '../limits.ts';
import { dictionaryIdOf, ValueFlag, withDictionary } from './flags.ts';

export interface CompressionOptions {
  /** Values of at least so many bytes are compressed. 2048 by default. */
  readonly fromBytes?: number;
  /** zstd level, 1 (fast) to 22 (small). 3 by default. */
  readonly level?: number;
  /** Trained (`zstd --train`) or raw dictionaries: the first writes, all of them read. */
  readonly dictionary?: Uint8Array | readonly Uint8Array[];
  /** For tests and mixed fleets: `brotli` writes what a Node.js without zstd can read. */
  readonly algorithm?: 'zstd' | 'brotli';
}

interface Dictionary {
  readonly id: number;
  readonly bytes: Uint8Array;
}

// Looked up by name: an older Node.js, or another runtime, has no such functions.
const zstdCompress = (zlib as Partial<typeof zlib>).zstdCompressSync;
const zstdDecompress = (zlib as Partial<typeof zlib>).zstdDecompressSync;
const BROTLI_QUALITY = 4;
/** Of the id in front of a dated value's bytes. */
const ID_BYTES = 2;

function dictionaryId(bytes: Uint8Array): number {
  return createHash('sha256').update(bytes).digest().readUInt16LE(0) || 1;
}

export class Compression {
  readonly fromBytes: number;
  readonly #level: number;
  readonly #dictionaries: readonly Dictionary[];
  readonly #isZstd: boolean;

  constructor(options: CompressionOptions = {}) {
    this.fromBytes = options.fromBytes ?? COMPRESS_FROM_BYTES_DEFAULT;
    this.#level = options.level ?? 3;
    const given = options.dictionary ?? [];
    const list = given instanceof Uint8Array ? [given] : given;
    this.#dictionaries = list.map((bytes) => ({ id: dictionaryId(bytes), bytes }));
    this.#isZstd = options.algorithm !== 'brotli' && zstdCompress !== undefined;
  }

  /** The bytes compressed and the flags with what was done, or undefined when it does not pay. */
  compress(bytes: Uint8Array, flags: number): { bytes: Uint8Array; flags: number } | undefined {
    const packed = this.#isZstd ? this.#zstd(bytes, flags) : this.#brotli(bytes, flags);
    return packed.bytes.length < bytes.length ? packed : undefined;
  }

  decompress(bytes: Uint8Array, flags: number): Uint8Array {
    try {
      return (flags & ValueFlag.brotli) !== 0
        ? zlib.brotliDecompressSync(bytes, { maxOutputLength: VALUE_BYTES_MAX })
        : (flags & ValueFlag.idInFront) !== 0
          ? this.#unzstd(bytes.subarray(ID_BYTES), bytes[0]! | (bytes[1]! << 8))
          : this.#unzstd(bytes, dictionaryIdOf(flags));
    } catch (thrown) {
      throw CacheError.from(thrown, CacheErrorCode.decode);
    }
  }

  #zstd(bytes: Uint8Array, flags: number): { bytes: Uint8Array; flags: number } {
    const dictionary = this.#dictionaries[0];
    const params = { [zlib.constants.ZSTD_c_compressionLevel]: this.#level };
    const options: zlib.ZstdOptions = { params };
    if (dictionary !== undefined) options.dictionary = dictionary.bytes;
    const packed = zstdCompress!(bytes, options);
    const flagged = (flags | ValueFlag.zstd) >>> 0;
    return {
      bytes: packed,
      flags: dictionary === undefined ? flagged : withDictionary(flagged, dictionary.id),
    };
  }

  #brotli(bytes: Uint8Array, flags: number): { bytes: Uint8Array; flags: number } {
    const params = {
      [zlib.constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
      [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    };
    return { bytes: zlib.brotliCompressSync(bytes, { params }), flags: (flags | ValueFlag.brotli) >>> 0 };
  }

  #unzstd(bytes: Uint8Array, id: number): Uint8Array {
    if (zstdDecompress === undefined) {
      throw new CacheError(
        CacheErrorCode.decode,
        'the value is compressed with zstd, which this runtime lacks',
      );
    }
    const options: zlib.ZstdOptions = { maxOutputLength: VALUE_BYTES_MAX };
    if (id !== 0) {
      const dictionary = this.#dictionaries.find((each) => each.id === id);
      if (dictionary === undefined) {
        throw new CacheError(
          CacheErrorCode.decode,
          `the value needs the zstd dictionary ${id}, which is not given`,
        );
      }
      options.dictionary = dictionary.bytes;
    }
    return zstdDecompress(bytes, options);
  }
}
