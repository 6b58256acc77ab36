/** A cache server in memory that stands where a destination would: obeys, fails or waits as a test says. */
import type { Clock } from '../../clock.ts';
import type { Address } from '../../destination/address.ts';
import {
  type Destination,
  DestinationState,
  type DestinationStatistics,
} from '../../destination/destination.ts';
import {
  DESTINATION_DEFAULTS,
  type DestinationOptions,
  Dialect,
} from '../../destination/destination-options.ts';
import { Reply, Result } from '../../reply.ts';
import { NO_BYTES, Operation, type Request } from '../../request.ts';
import { metaFlag } from '../meta-flags.ts';

interface Item {
  readonly value: Buffer;
  readonly flags: number;
  readonly exptime: number;
  readonly cas: bigint;
}

export class FakeCache implements Destination {
  readonly name: string;
  readonly label: string;
  readonly key: string;
  readonly children: readonly [] = [];
  readonly address: Address;
  readonly options: DestinationOptions = DESTINATION_DEFAULTS;
  dialect: Dialect = Dialect.larder;
  life = 0;
  readonly lastError = undefined;
  readonly items: Map<string, Item> = new Map();
  readonly requests: Request[] = [];
  /** Every request fails with this. */
  failure: Result | undefined;
  /** Replies wait until `release`. */
  isHeld = false;
  /** Answers before the cache does. */
  intercept: ((request: Request) => Reply | undefined) | undefined;
  /** Refuses hold-off times, as plain memcached. */
  refusesHoldOff = false;
  state: DestinationState = DestinationState.up;
  readonly #clock: Clock;
  readonly #held: (() => void)[] = [];
  readonly #holdOffs: Map<string, number> = new Map();
  readonly #tokens: Map<string, bigint> = new Map();
  readonly #listeners: Set<(state: DestinationState, destination: Destination) => void> = new Set();
  #cas = 0n;

  constructor(name: string, clock: Clock) {
    this.name = `fake|${name}`;
    this.label = name;
    this.key = name;
    this.address = { kind: 'tcp', host: name, port: 11211, serverName: '' };
    this.#clock = clock;
  }

  get isUp(): boolean {
    return this.state !== DestinationState.tko && this.state !== DestinationState.closed;
  }

  get statistics(): DestinationStatistics {
    throw new Error('a fake counts nothing');
  }

  /** The keys asked for, with their operations as numbers, oldest first; forgets them. */
  take(): string[] {
    return this.requests.splice(0).map((request) => request.keyText);
  }

  value(key: string): string | undefined {
    return this.items.get(key)?.value.toString();
  }

  put(key: string, value: string, flags = 0, exptime = 0): void {
    this.items.set(key, { value: Buffer.from(value), flags, exptime, cas: ++this.#cas });
  }

  setState(state: DestinationState): void {
    this.state = state;
    for (const listener of [...this.#listeners]) listener(state, this);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  onState(listener: (state: DestinationState, destination: Destination) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get held(): number {
    return this.#held.length;
  }

  /** Lets held replies go, the oldest first. */
  release(count: number = this.#held.length): void {
    for (const go of this.#held.splice(0, count)) go();
  }

  direct(): Destination {
    return this;
  }

  submit(): void {
    throw new Error('a fake is only routed to');
  }

  forward(): Result {
    throw new Error('a fake is only routed to');
  }

  route(request: Request): Promise<Reply> {
    this.requests.push(request);
    const reply = this.#answer(request);
    if (!this.isHeld) return Promise.resolve(reply);
    return new Promise((resolve) => this.#held.push(() => resolve(reply)));
  }

  #answer(request: Request): Reply {
    const intercepted = this.#refuseToken(request) ?? this.intercept?.(request);
    const reply =
      intercepted ?? (this.failure === undefined ? this.#serve(request) : new Reply(this.failure));
    reply.destination = this;
    reply.life = this.life;
    return reply;
  }

  /** Tokens of others are none here, as at every destination. */
  #refuseToken({ issuer, operation }: Request): Reply | undefined {
    if (issuer === undefined || (issuer.destination === this && issuer.life === this.life)) return undefined;
    return new Reply(operation === Operation.leaseSet ? Result.notStored : Result.exists);
  }

  #serve(request: Request): Reply {
    const key = request.keyText;
    const item = this.items.get(key);
    switch (request.operation) {
      case Operation.get:
      case Operation.gets:
      case Operation.gat:
        return item === undefined ? new Reply(Result.miss) : hitOf(item);
      case Operation.leaseGet:
        return item === undefined ? this.#lease(key) : hitOf(item);
      case Operation.metaGet:
        return item === undefined ? this.#vivify(request) : metaHit(item, request);
      case Operation.leaseSet:
        if (this.#tokens.get(key) !== request.token) return new Reply(Result.notStored);
        this.#tokens.delete(key);
        return this.#store(request);
      case Operation.add: {
        const isHeldOff = (this.#holdOffs.get(key) ?? 0) > this.#clock.now();
        // Plain memcached has no hold-off, and a stub is in the way.
        const isInTheWay = this.dialect === Dialect.larder ? isHeldOff : this.#tokens.has(key);
        return item !== undefined || isInTheWay ? new Reply(Result.notStored) : this.#store(request);
      }
      case Operation.cas:
        if (item === undefined) return new Reply(Result.miss);
        return item.cas === request.cas ? this.#store(request) : new Reply(Result.exists);
      case Operation.metaSet: {
        const cas = metaFlag(request.metaFlags, 'C');
        if (cas !== undefined && BigInt(cas) !== (item?.cas ?? this.#tokens.get(key))) {
          return new Reply(Result.exists);
        }
        this.#tokens.delete(key);
        return this.#store(request);
      }
      case Operation.set:
        return this.#store(request);
      case Operation.delete:
      case Operation.metaDelete:
        return this.#delete(request);
      default:
        return new Reply(Result.ok);
    }
  }

  #lease(key: string): Reply {
    const reply = new Reply(this.#tokens.has(key) ? Result.hotMiss : Result.miss);
    if (reply.result === Result.miss) {
      reply.token = ++this.#cas;
      this.#tokens.set(key, reply.token);
    }
    return reply;
  }

  /** What `N` does on a miss: a stub for the first who asks, and for the others the news that it is there. */
  #vivify(request: Request): Reply {
    if (metaFlag(request.metaFlags, 'N') === undefined) return new Reply(Result.miss);
    const isWon = !this.#tokens.has(request.keyText);
    if (isWon) this.#tokens.set(request.keyText, ++this.#cas);
    const stub: Item = { value: NO_BYTES, flags: 0, exptime: 0, cas: this.#tokens.get(request.keyText)! };
    const reply = metaHit(stub, request);
    reply.metaFlags = Buffer.from(`${reply.metaFlags.toString('latin1')} ${isWon ? 'W' : 'Z'}`.trim());
    return reply;
  }

  #store(request: Request): Reply {
    const isMeta = request.operation === Operation.metaSet;
    const flags = isMeta ? Number(metaFlag(request.metaFlags, 'F') ?? 0) : request.flags;
    const exptime = isMeta ? Number(metaFlag(request.metaFlags, 'T') ?? 0) : request.exptime;
    if (exptime < 0) this.items.delete(request.keyText);
    else
      this.items.set(request.keyText, {
        value: Buffer.from(request.value),
        flags,
        exptime,
        cas: ++this.#cas,
      });
    return new Reply(Result.stored);
  }

  #delete(request: Request): Reply {
    const key = request.keyText;
    if (request.holdOffSeconds > 0) {
      if (this.refusesHoldOff) return new Reply(Result.clientError);
      this.#holdOffs.set(key, this.#clock.now() + request.holdOffSeconds * 1000);
    }
    this.#tokens.delete(key);
    return new Reply(this.items.delete(key) ? Result.deleted : Result.miss);
  }
}

function hitOf(item: Item): Reply {
  const reply = Reply.hit(item.value, item.flags);
  reply.cas = item.cas;
  return reply;
}

/** The return flags in the order they were asked for, as servers do it. */
function metaHit(item: Item, request: Request): Reply {
  const words = request.metaFlags.toString('latin1').split(' ');
  const wantsValue = words.includes('v');
  const reply = wantsValue ? Reply.hit(item.value) : new Reply(Result.hit);
  const answers = words.flatMap((word) => {
    if (word === 'f') return [`f${item.flags}`];
    if (word === 'c') return [`c${item.cas}`];
    if (word === 's') return [`s${item.value.length}`];
    if (word === 't') return [`t${item.exptime === 0 ? -1 : item.exptime}`];
    return word.startsWith('O') || word === 'k' ? [word] : [];
  });
  reply.metaFlags = Buffer.from(answers.join(' '), 'latin1');
  return reply;
}
