/**
 * Requests that go through the route handles as objects: everything that is not simply sent to one server. The
 * client's order is kept by the client itself; here a request becomes a promise, and its reply bytes again.
 */
import { type Destination, Operation, Reply, Request, Result, RoutingError } from '@larder/routing';
import { type Client, PENDING_GENERAL } from '../forwarding/client.ts';
import { isFailedRetrievalMissed } from '../forwarding/failure-line.ts';
import { ReplyMode } from '../forwarding/forwarder.ts';
import { GATHERED_BYTES_MAX } from '../limits.ts';
import { LEASES_BOUND, ROUTED } from '../statistics/counters.ts';
import { composeLease, composeReply, composeValue, errorOf, type WireKey } from './compose-reply.ts';
import { LeaseTokens } from './lease-tokens.ts';
import { MetaLeases } from './meta-leases.ts';

const END: Buffer = Buffer.from('END\r\n', 'latin1');

/** The tree of route handles. */
export interface GeneralRoutes {
  route(request: Request): Promise<Reply>;
  destinations(): Iterable<Destination>;
}

/** Keys that the router answers itself: `__mcrouter__.version`. */
export interface AdminKeys {
  /** The value, or undefined for a key that is not the router's. */
  answer(key: string): Promise<string> | string | undefined;
}

export interface GeneralPathOptions {
  readonly routes: GeneralRoutes;
  readonly admin: AdminKeys;
  readonly tokens: LeaseTokens;
  readonly counters: Float64Array;
  readonly missOnGetErrors: boolean;
  readonly onFailed: (result: Result) => void;
}

export class GeneralPath {
  /** Requests that are on their way. */
  pending = 0;
  /** Bytes of values in replies that are being put together. */
  #gatheredBytes = 0;
  readonly #metaLeases: MetaLeases = new MetaLeases();
  readonly #options: GeneralPathOptions;

  constructor(options: GeneralPathOptions) {
    this.#options = options;
  }

  /** Whether a lease-set's token stands for another server's. */
  isBoundToken(tokenHigh: number): boolean {
    return LeaseTokens.isBound(tokenHigh);
  }

  /** Answers get, gets, gat, gats or lease-get; `argument` is gat's expiry time as it was written. */
  retrieve(client: Client, operation: Operation, keys: readonly Buffer[], argument: string): void {
    const sequence = client.begin(1, PENDING_GENERAL);
    if (argument !== '' && !/^[+-]?\d{1,15}$/.test(argument)) {
      client.reply(sequence, 'CLIENT_ERROR invalid exptime argument\r\n');
      return;
    }
    this.#run(client, sequence, this.#retrieve(client, operation, keys, argument));
  }

  /** Answers a request for one key that is not a retrieval (but for mg). */
  change(client: Client, request: Request, mode: ReplyMode, bits: number, key?: WireKey): void {
    const sequence = client.begin(1, PENDING_GENERAL | bits);
    this.#run(client, sequence, this.#change(client, request, mode, key));
  }

  /** Sends flush_all to every server of the configuration. */
  flushAll(client: Client, delaySeconds: number, bits: number): void {
    const sequence = client.begin(1, PENDING_GENERAL | bits);
    this.#run(client, sequence, this.#flushAll(delaySeconds));
  }

  #run(client: Client, sequence: number, work: Promise<Buffer>): void {
    this.pending++;
    this.#options.counters[ROUTED]! += 1;
    work
      .catch((error: unknown) => {
        const { message } = RoutingError.from(error);
        return Buffer.from(`SERVER_ERROR ${message.replace(/[\r\n]+/g, ' ')}\r\n`, 'latin1');
      })
      .then((bytes) => {
        this.pending--;
        client.replyBytes(sequence, bytes);
      });
  }

  async #retrieve(
    client: Client,
    operation: Operation,
    keys: readonly Buffer[],
    argument: string,
  ): Promise<Buffer> {
    const gathering = { bytes: 0 };
    try {
      const asked = keys.map((key) => this.#gather(gathering, this.#one(client, operation, key, argument)));
      return this.#together(operation, keys, await Promise.all(asked));
    } finally {
      this.#gatheredBytes -= gathering.bytes;
    }
  }

  /** Counts a value as it comes; beyond the limit it is dropped, and the request fails. */
  async #gather(gathering: { bytes: number }, asked: Promise<Reply>): Promise<Reply> {
    const reply = await asked;
    const bytes = reply.valueBytes;
    if (this.#gatheredBytes + bytes > GATHERED_BYTES_MAX) {
      return Reply.of(Result.busy, `more than ${GATHERED_BYTES_MAX} bytes of replies wait for their rest`);
    }
    gathering.bytes += bytes;
    this.#gatheredBytes += bytes;
    return reply;
  }

  #together(operation: Operation, keys: readonly Buffer[], replies: readonly Reply[]): Buffer {
    const parts: Buffer[] = [];
    let failure: Reply | undefined;
    for (const [index, reply] of replies.entries()) {
      if (reply.isError) {
        this.#options.onFailed(reply.result);
        const isMissed = this.#options.missOnGetErrors && isFailedRetrievalMissed(reply.result);
        if (!isMissed) failure ??= reply;
      } else if (operation === Operation.leaseGet) {
        parts.push(...composeLease(keys[index]!, reply, this.#tokenFor(reply)));
      } else parts.push(...composeValue(operation, keys[index]!, reply));
    }
    parts.push(failure === undefined ? END : Buffer.from(`${errorOf(failure)}\r\n`, 'latin1'));
    return Buffer.concat(parts);
  }

  async #one(client: Client, operation: Operation, key: Buffer, argument: string): Promise<Reply> {
    const answer = key[0] === 0x5f ? this.#options.admin.answer(key.toString('utf8')) : undefined;
    if (answer !== undefined) return Reply.hit(Buffer.from(await answer, 'utf8'));
    const request = new Request(operation, key, 0, key.length);
    request.clientId = client.clientId;
    if (argument !== '') request.exptime = Number(argument);
    return this.#options.routes.route(request);
  }

  async #change(
    client: Client,
    request: Request,
    mode: ReplyMode,
    key: WireKey | undefined,
  ): Promise<Buffer> {
    const reply = await this.#send(this.#metaLeases.bind(client, request));
    this.#metaLeases.remember(client, request, reply);
    if (reply.isError) this.#options.onFailed(reply.result);
    const bytes = composeReply(request, reply, key);
    return isHidden(bytes, mode) ? Buffer.alloc(0) : bytes;
  }

  /** A lease-set with a token of the router's goes to the server that issued the lease, and to no other. */
  #send(request: Request): Promise<Reply> {
    const { tokens, routes } = this.#options;
    if (request.operation !== Operation.leaseSet || !LeaseTokens.isBound(Number(request.token >> 32n))) {
      return routes.route(request);
    }
    const lease = tokens.find(request.token);
    if (lease?.destination === undefined) return Promise.resolve(Reply.of(Result.notStored));
    const bound = request.copy();
    bound.token = lease.token;
    return lease.destination.route(bound);
  }

  #tokenFor(reply: Reply): bigint {
    if (reply.token === 0n || reply.destination === undefined) return reply.token;
    this.#options.counters[LEASES_BOUND]! += 1;
    return this.#options.tokens.bind(reply.token, reply.destination);
  }

  async #flushAll(delaySeconds: number): Promise<Buffer> {
    const work: Promise<Reply>[] = [];
    for (const destination of this.#options.routes.destinations()) {
      const request = Request.of(Operation.flushAll, '');
      request.exptime = delaySeconds;
      work.push(destination.route(request));
    }
    const replies = await Promise.all(work);
    const failed = replies.find((reply) => reply.isError);
    return Buffer.from(failed === undefined ? 'OK\r\n' : `${errorOf(failed)}\r\n`, 'latin1');
  }
}

/** As the raw path hides replies of quiet requests. */
function isHidden(bytes: Buffer, mode: ReplyMode): boolean {
  const word = bytes.toString('latin1', 0, 2);
  if (mode === ReplyMode.quietMiss) return word === 'EN';
  if (mode === ReplyMode.quietDone) return word === 'HD';
  return mode === ReplyMode.quietNumber && (word === 'HD' || word === 'VA');
}
