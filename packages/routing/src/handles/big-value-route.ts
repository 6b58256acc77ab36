/**
 * Splits values above `threshold` bytes into chunks with keys of their own, and puts them together again; a value
 * with a chunk missing is a miss.
 *
 * Chunks are stored first and the head last, so that a head is never seen before its chunks. `batch_size` chunks
 * are under way at a time. When a chunk is missing (evicted, say), a lease-get also takes the useless head away,
 * so that somebody gets a lease to fill the key again. append and prepend are never split, since a head behind
 * other bytes would be none; to a split value they make the head unreadable, hence a miss.
 */
import { z } from 'zod';
import type { Random } from '../clock.ts';
import { defineRouteHandle, type RouteHandleDefinition, routeJson } from '../registry.ts';
import { Reply, Result } from '../reply.ts';
import { isRetrieval, isStore, Operation, type Request } from '../request.ts';
import type { RouteHandle } from '../route-handle.ts';
import {
  BIG_VALUE_FLAG,
  type BigValueInfo,
  CHUNK_SUFFIX_BYTES_MAX,
  chunkSuffix,
  formatInfo,
  parseInfo,
} from './big-value-info.ts';
import { bareCopy } from './detached.ts';
import { metaFlag, withMetaFlag } from './meta-flags.ts';
import { hasRoom, withKeySuffix } from './request-key.ts';
import { worstOf } from './severity.ts';

/** Leaves room for the item's header and key below memcached's 1 MiB. */
const THRESHOLD_BYTES = 1024 * 1024 - 1024;
const BATCH_SIZE = 10;
/** Versions are below this, which is exact in a double. */
const VERSIONS = 2 ** 52;

export class BigValueRoute implements RouteHandle {
  readonly name: string;
  readonly children: readonly RouteHandle[];
  readonly #target: RouteHandle;
  readonly #thresholdBytes: number;
  readonly #batchSize: number;
  readonly #random: Random;

  /** `batchSize` 0: all chunks at once. */
  constructor(target: RouteHandle, thresholdBytes: number, batchSize: number, random: Random) {
    this.name = `big-value|threshold=${thresholdBytes}`;
    this.children = [target];
    this.#target = target;
    this.#thresholdBytes = thresholdBytes;
    this.#batchSize = batchSize === 0 ? Number.POSITIVE_INFINITY : batchSize;
    this.#random = random;
  }

  route(request: Request): Promise<Reply> {
    const { operation } = request;
    if (isRetrieval(operation)) {
      return operation === Operation.metaGet ? this.#metaGet(request) : this.#get(request);
    }
    const isBig = request.value.length > this.#thresholdBytes && replacesValue(request);
    return isBig && hasRoom(request, CHUNK_SUFFIX_BYTES_MAX)
      ? this.#store(request)
      : this.#target.route(request);
  }

  async #store(request: Request): Promise<Reply> {
    const { value } = request;
    const info: BigValueInfo = {
      chunks: Math.ceil(value.length / this.#thresholdBytes),
      version: String(Math.floor(this.#random() * VERSIONS)),
    };
    const isMeta = request.operation === Operation.metaSet;
    const exptime = isMeta ? Number(metaFlag(request.metaFlags, 'T') ?? 0) : request.exptime;
    const replies = await this.#inBatches(info.chunks, (index) => {
      const chunk = withKeySuffix(bareCopy(request), chunkSuffix(index, info));
      chunk.operation = Operation.set;
      chunk.exptime = exptime;
      const start = index * this.#thresholdBytes;
      chunk.value = value.subarray(start, start + this.#thresholdBytes);
      return this.#target.route(chunk);
    });
    const worst = worstOf(replies);
    if (worst.result !== Result.stored) return worst;
    const head = request.copy();
    head.value = formatInfo(info);
    head.flags = request.flags | BIG_VALUE_FLAG;
    if (isMeta) {
      const flags = Number(metaFlag(request.metaFlags, 'F') ?? 0) | BIG_VALUE_FLAG;
      head.metaFlags = withMetaFlag(request.metaFlags, 'F', String(flags));
    }
    return this.#target.route(head);
  }

  async #get(request: Request): Promise<Reply> {
    const head = await this.#target.route(request);
    if (!head.hasValue || (head.flags & BIG_VALUE_FLAG) === 0) return head;
    const joined = await this.#join(request, head);
    const isLease = request.operation === Operation.leaseGet;
    if (joined.result === Result.hit || joined.isError) return isLease ? leaseReply(head, joined) : joined;
    if (!isLease) return joined;
    // A stale value that is incomplete is no value; the lease that came with it stands.
    if (head.result !== Result.hit) return leaseReply(head, joined);
    return this.#leaseAgain(request, head);
  }

  /** Takes the head away, unless it is another one by now, and asks for the lease once more. */
  async #leaseAgain(request: Request, head: Reply): Promise<Reply> {
    const question = bareCopy(request);
    question.operation = Operation.gets;
    const current = await this.#target.route(question);
    if (current.result === Result.hit && current.value.equals(head.value)) {
      const removal = bareCopy(request);
      removal.operation = Operation.cas;
      removal.cas = current.cas;
      removal.exptime = -1;
      await this.#target.route(removal);
    }
    const again = await this.#target.route(request);
    if (!again.hasValue || (again.flags & BIG_VALUE_FLAG) === 0) return again;
    const joined = await this.#join(request, again);
    if (joined.result === Result.hit || again.result !== Result.hit) return leaseReply(again, joined);
    // Torn once more: go without the cache.
    return joined.isError ? joined : new Reply(Result.miss);
  }

  async #metaGet(request: Request): Promise<Reply> {
    const flags = request.metaFlags;
    if (metaFlag(flags, 'v') === undefined) return this.#target.route(request);
    let asked = request;
    const asksFlags = metaFlag(flags, 'f') !== undefined;
    if (!asksFlags) {
      asked = request.copy();
      asked.metaFlags = withMetaFlag(flags, 'f', '');
    }
    const head = await this.#target.route(asked);
    if (!head.hasValue) return head;
    const headFlags = Number(metaFlag(head.metaFlags, 'f') ?? 0);
    const isBig = (headFlags & BIG_VALUE_FLAG) !== 0;
    if (!isBig && asksFlags) return head;
    const reply = isBig ? await this.#join(request, head) : head.as(head.result);
    if (reply.result !== Result.hit) return reply;
    reply.metaFlags = withMetaFlag(
      head.metaFlags,
      'f',
      asksFlags ? String(headFlags & ~BIG_VALUE_FLAG) : undefined,
    );
    if (metaFlag(reply.metaFlags, 's') !== undefined) {
      reply.metaFlags = withMetaFlag(reply.metaFlags, 's', String(reply.valueBytes));
    }
    return reply;
  }

  /** A hit with the chunks of the head put together, a miss if any is missing, or the worst error. */
  async #join(request: Request, head: Reply): Promise<Reply> {
    const info = parseInfo(head.value);
    if (info === undefined || !hasRoom(request, chunkSuffix(info.chunks, info).length)) {
      return new Reply(Result.miss);
    }
    const replies = await this.#inBatches(info.chunks, (index) => {
      const chunk = withKeySuffix(bareCopy(request), chunkSuffix(index, info));
      chunk.operation = Operation.get;
      return this.#target.route(chunk);
    });
    const worst = worstOf(replies);
    if (worst.isError) return worst;
    if (worst.result !== Result.hit || replies.length < info.chunks) return new Reply(Result.miss);
    const reply = head.as(Result.hit);
    const value = Buffer.concat(replies.map((each) => each.value));
    reply.setValue(value, 0, value.length);
    reply.flags = head.flags & ~BIG_VALUE_FLAG;
    return reply;
  }

  /** Routes chunk after chunk, a batch at a time; ends early when a batch has a failure. */
  async #inBatches(count: number, send: (index: number) => Promise<Reply>): Promise<Reply[]> {
    const replies: Reply[] = [];
    while (replies.length < count) {
      const size = Math.min(this.#batchSize, count - replies.length);
      const from = replies.length;
      const batch = await Promise.all(Array.from({ length: size }, (_, index) => send(from + index)));
      replies.push(...batch);
      if (batch.some((reply) => reply.result !== Result.hit && reply.result !== Result.stored)) break;
    }
    return replies;
  }
}

/** Whether the request's value would be the whole value: only then a head may stand in for it. */
function replacesValue(request: Request): boolean {
  const { operation } = request;
  if (operation === Operation.append || operation === Operation.prepend) return false;
  if (operation !== Operation.metaSet) return isStore(operation);
  return !/^[aApP]/.test(metaFlag(request.metaFlags, 'M') ?? '');
}

/** What a lease-get of a split value answers: the head's lease with the joined value, or without any. */
function leaseReply(head: Reply, joined: Reply): Reply {
  if (joined.isError && head.result === Result.hit) return joined;
  const reply = head.as(head.result);
  reply.flags = head.flags & ~BIG_VALUE_FLAG;
  const isWhole = joined.result === Result.hit;
  reply.setValue(isWhole ? joined.value : Buffer.alloc(0), 0, isWhole ? joined.valueBytes : 0);
  reply.hasValue = isWhole;
  reply.isStale = isWhole && head.isStale;
  return reply;
}

export const bigValueRoute: RouteHandleDefinition = defineRouteHandle({
  type: 'BigValueRoute',
  parameters: z.strictObject({
    target: routeJson,
    threshold: z.int().positive().optional(),
    batch_size: z.int().nonnegative().optional(),
  }),
  restParameter: 'target',
  build: (parameters, context) =>
    new BigValueRoute(
      context.route(parameters.target, 'target'),
      parameters.threshold ?? THRESHOLD_BYTES,
      parameters.batch_size ?? BATCH_SIZE,
      context.services.random,
    ),
});
