/**
 * What callers get: a decoded value, `undefined` for a miss, and `undefined` for trouble too unless they asked
 * for an exception. Counts, and remembers failed keys.
 */
import type { Reply, Result } from '@larder/routing';
import { CacheError, CacheErrorCode } from '../errors.ts';
import type { CacheEmitter } from '../events.ts';
import type { FailedGets } from '../failed-gets.ts';
import { troubleOf } from '../send/trouble.ts';
import type { CacheStatistics } from '../statistics.ts';
import type { ValueCodec } from '../values/codec.ts';
import { ValueFlag } from '../values/flags.ts';
import type { PendingGet } from './pending-get.ts';
import type { ValuesSink } from './reply-values.ts';

export interface GetSettlerParts {
  readonly codec: ValueCodec;
  readonly statistics: CacheStatistics;
  readonly failedGets: FailedGets;
  readonly events: CacheEmitter;
  /** The value of a split one, put together: see chunks.ts. */
  readonly joinChunks: (
    key: string,
    manifest: Buffer,
    flags: number,
    schema: PendingGet['schema'],
  ) => Promise<unknown>;
}

export class GetSettler implements ValuesSink {
  readonly #parts: GetSettlerParts;
  readonly #statistics: CacheStatistics;
  readonly #codec: ValueCodec;
  readonly #failedGets: FailedGets;

  constructor(parts: GetSettlerParts) {
    this.#parts = parts;
    this.#statistics = parts.statistics;
    this.#codec = parts.codec;
    this.#failedGets = parts.failedGets;
  }

  onHit(get: PendingGet, reply: Buffer, start: number, end: number, flags: number): void {
    let value: unknown;
    if (flags === 0) {
      // memcached shows the stub of a lease as an empty value without flags.
      if (start === end) {
        this.onMiss(get);
        return;
      }
      if (get.schema === undefined) value = reply.toString('utf8', start, end);
    }
    if (value === undefined) {
      if ((flags & (ValueFlag.absent | ValueFlag.chunked)) !== 0) {
        this.#special(get, reply.subarray(start, end), flags);
        return;
      }
      try {
        value = this.#codec.decode(reply.subarray(start, end), flags, get.schema);
      } catch (thrown) {
        this.#unread(get, thrown);
        return;
      }
    }
    this.#statistics.hits += 1;
    this.#failedGets.delete(get.wireKey);
    get.resolve(value);
  }

  onMiss(get: PendingGet): void {
    this.#statistics.misses += 1;
    this.#failedGets.delete(get.wireKey);
    get.resolve(undefined);
  }

  onBroken(get: PendingGet, message: string): void {
    const text = message === '' ? 'the reply to a multiget makes no sense' : message;
    this.fail(get, new CacheError(CacheErrorCode.server, text, { key: get.key }));
  }

  /** All of them failed alike. */
  onFailure(gets: readonly PendingGet[], result: Result, server: string): void {
    for (const get of gets) this.fail(get, troubleOf(result, '', server, get.key));
  }

  /** The reply of a route handle. */
  onReply(get: PendingGet, reply: Reply): void {
    if (reply.isError) {
      this.fail(get, troubleOf(reply.result, reply.message, reply.destination?.label ?? '', get.key));
    } else if (reply.hasValue) {
      this.onHit(get, reply.valueSource, reply.valueStart, reply.valueEnd, reply.flags);
    } else {
      this.onMiss(get);
    }
  }

  fail(get: PendingGet, error: CacheError): void {
    this.#statistics.misses += 1;
    this.#statistics.failedGets += 1;
    // A value that cannot be read is no sign of an overloaded server, and has to be replaced.
    if (error.code !== CacheErrorCode.decode) this.#failedGets.add(get.wireKey);
    this.#parts.events.emit('trouble', { operation: 'get', key: get.key, error });
    if (get.reject === undefined) get.resolve(undefined);
    else get.reject(error);
  }

  /** A stored value was not read: it makes no sense, or a part of it could not be had. */
  #unread(get: PendingGet, thrown: unknown): void {
    const { code, message, cause, server } = CacheError.from(thrown, CacheErrorCode.decode);
    if (code === CacheErrorCode.decode) this.#statistics.decodeFailures += 1;
    const where = server === undefined ? { key: get.key } : { key: get.key, server };
    this.fail(get, new CacheError(code, message, { cause, ...where }));
  }

  #special(get: PendingGet, stored: Buffer, flags: number): void {
    if ((flags & ValueFlag.absent) !== 0) {
      this.#statistics.hits += 1;
      this.#statistics.negativeHits += 1;
      get.resolve(undefined);
      return;
    }
    this.#parts.joinChunks(get.wireKey, stored, flags, get.schema).then(
      (value) => {
        this.#statistics.hits += 1;
        get.resolve(value);
      },
      (thrown: unknown) => this.#unread(get, thrown),
    );
  }
}
