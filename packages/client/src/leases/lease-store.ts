/**
 * Leases on the wire, for one key at a time: look (and take the lease), fill with it, release it. See look.ts
 * for what the servers answer.
 */
import { Operation, type Reply, Result } from '@larder/routing';
import type { CacheError } from '../errors.ts';
import type { Sender } from '../send/sender.ts';
import { troubleOfReply } from '../send/trouble.ts';
import type { EncodedValue } from '../values/codec.ts';
import { MetaReturn } from './look.ts';

/** What a look found. */
export interface Look {
  /** Set when the get failed: nothing is known, and nothing is to be set. */
  readonly trouble: CacheError | undefined;
  readonly value: Buffer | undefined;
  readonly flags: number;
  /** The value was deleted or marked; false says nothing about its age, see `ttlSeconds`. */
  readonly isStale: boolean;
  readonly ttlSeconds: number;
  /** The token to fill with, when this caller has won the lease; otherwise ''. */
  readonly lease: string;
  /** The value's CAS, '' when unknown. */
  readonly cas: string;
  /** Another caller fills. */
  readonly isFilling: boolean;
}

export interface LookOptions {
  readonly leaseSeconds: number;
  /** Win the lease when less than this is left to live; 0 for never. */
  readonly aheadSeconds: number;
}

const NOTHING: Look = {
  trouble: undefined,
  value: undefined,
  flags: 0,
  isStale: false,
  ttlSeconds: -1,
  lease: '',
  cas: '',
  isFilling: false,
};

/** What became of a fill. */
export type FillOutcome = 'stored' | 'overtaken' | CacheError;

export class LeaseStore {
  readonly #sender: Sender;
  /** Flags of a look as bytes; there are few different ones. */
  readonly #flagTexts: Map<number, Buffer> = new Map();

  constructor(sender: Sender) {
    this.#sender = sender;
  }

  async look(key: string, options: LookOptions): Promise<Look> {
    const request = this.#sender.request(Operation.metaGet, key);
    request.metaFlags = this.#lookFlags(options);
    const reply = await this.#sender.send(request);
    if (reply.isError) return { ...NOTHING, trouble: troubleOfReply(reply, key) };
    const found = MetaReturn.parse(reply.metaFlags.toString('latin1'));
    const lease = found.isWon ? found.token : '';
    const isStub = reply.valueBytes === 0 && found.flags === 0 && (found.isWon || found.isOthers);
    if (!reply.hasValue || isStub) return { ...NOTHING, lease, isFilling: found.isOthers };
    return {
      trouble: undefined,
      value: reply.value,
      flags: found.flags,
      isStale: found.isStale,
      ttlSeconds: found.ttlSeconds,
      lease,
      cas: found.token,
      isFilling: found.isOthers,
    };
  }

  /** Stores if the lease still holds: nothing was deleted or stored since the look. */
  async fill(key: string, lease: string, value: EncodedValue, exptime: number): Promise<FillOutcome> {
    const request = this.#sender.request(Operation.metaSet, key);
    request.value = value.bytes as Buffer;
    request.metaFlags = Buffer.from(`C${lease} F${value.flags} T${exptime}`, 'latin1');
    const reply = await this.#sender.send(request);
    if (reply.isError) return troubleOfReply(reply, key);
    return reply.result === Result.stored ? 'stored' : 'overtaken';
  }

  /** Gives the lease back, so that the next caller gets it at once. */
  release(key: string, lease: string): Promise<Reply> {
    return this.#metaDelete(key, `C${lease}`);
  }

  /** The same for a value that is to stay readable as stale for `seconds` (-1: as long as it lives). */
  releaseStale(key: string, lease: string, seconds: number): Promise<Reply> {
    return this.#metaDelete(key, seconds < 0 ? `I C${lease}` : `I C${lease} T${seconds}`);
  }

  #metaDelete(key: string, flags: string): Promise<Reply> {
    const request = this.#sender.request(Operation.metaDelete, key);
    request.metaFlags = Buffer.from(flags, 'latin1');
    return this.#sender.send(request);
  }

  #lookFlags(options: LookOptions): Buffer {
    const id = options.leaseSeconds * 0x1_0000_0000 + options.aheadSeconds;
    const known = this.#flagTexts.get(id);
    if (known !== undefined) return known;
    const ahead = options.aheadSeconds > 0 ? ` R${options.aheadSeconds}` : '';
    const bytes = Buffer.from(`v f c t N${options.leaseSeconds}${ahead}`, 'latin1');
    if (this.#flagTexts.size > 256) this.#flagTexts.clear();
    this.#flagTexts.set(id, bytes);
    return bytes;
  }
}
