/**
 * Leases on the wire, for one key at a time: look (and take the lease), fill with it, release it. See look.ts
 * for what the servers answer.
 */
import { type LeaseIssuer, Operation, type Reply, type Request, Result } from '@larder/routing';
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
  /** This caller has won the lease: it may fill. */
  readonly isWon: boolean;
  /** The CAS of what is there, which is also the lease's token; '' when unknown. */
  readonly cas: string;
  /** Another caller fills. */
  readonly isFilling: boolean;
  /** The server that gave `cas`, and in which of its lives: it means nothing to any other one. */
  readonly issuer: LeaseIssuer | undefined;
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
  isWon: false,
  cas: '',
  isFilling: false,
  issuer: undefined,
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
    const seen = {
      isWon: found.isWon && found.token !== '',
      isFilling: found.isOthers,
      cas: found.token,
      issuer: reply.issuer,
    };
    const isStub = reply.valueBytes === 0 && found.flags === 0 && (found.isWon || found.isOthers);
    if (!reply.hasValue || isStub) return { ...NOTHING, ...seen };
    return {
      trouble: undefined,
      value: reply.value,
      flags: found.flags,
      isStale: found.isStale,
      ttlSeconds: found.ttlSeconds,
      ...seen,
    };
  }

  /**
   * Stores if the lease still holds: nothing was deleted or stored since the look. A lease of a server that has been
   * restarted since, or that requests do not reach any more, is overtaken: what the key's server holds now may be newer.
   */
  async fill(key: string, look: Look, value: EncodedValue, exptime: number): Promise<FillOutcome> {
    const request = this.#bound(Operation.metaSet, key, look);
    request.value = value.bytes as Buffer;
    request.metaFlags = Buffer.from(`C${look.cas} F${value.flags} T${exptime}`, 'latin1');
    const reply = await this.#sender.send(request);
    if (reply.isError) return troubleOfReply(reply, key);
    return reply.result === Result.stored ? 'stored' : 'overtaken';
  }

  /** Gives the lease back, or removes what was seen, so that the next caller gets the lease at once. */
  release(key: string, look: Look): Promise<Reply> {
    return this.#metaDelete(key, look, '');
  }

  /** The same for a value that is to stay readable as stale for `seconds` (-1: as long as it lives). */
  releaseStale(key: string, look: Look, seconds: number): Promise<Reply> {
    return this.#metaDelete(key, look, seconds < 0 ? 'I ' : `I T${seconds} `);
  }

  #metaDelete(key: string, look: Look, flags: string): Promise<Reply> {
    const request = this.#bound(Operation.metaDelete, key, look);
    request.metaFlags = Buffer.from(`${flags}C${look.cas}`, 'latin1');
    return this.#sender.send(request);
  }

  /** A request that only the server takes that was looked at. */
  #bound(operation: Operation, key: string, look: Look): Request {
    const request = this.#sender.request(operation, key);
    request.issuer = look.issuer;
    return request;
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
