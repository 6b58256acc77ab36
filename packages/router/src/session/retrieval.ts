/**
 * get, gets, gat, gats and lease-get.
 *
 * A line whose keys all lie on one server is forwarded as it is. Keys of several servers make one line per server;
 * the replies' values are given to the client as they come, and one END behind them. Everything else goes through
 * the route handles, key by key.
 */
import { KeyList, KeyStep, NEWLINE, ReplyShape, writeAscii } from '@larder/protocol';
import { type Destination, Dialect, OPERATION_NAMES, Operation } from '@larder/routing';
import { PENDING_SPLIT } from '../forwarding/client.ts';
import { ReplyMode } from '../forwarding/forwarder.ts';
import { SPLIT_KEYS_MAX } from '../limits.ts';
import { CMD_GET, CMD_LEASE, CMD_TOUCH, FORWARDED, KEYS_ASKED, SPLIT } from '../statistics/counters.ts';
import type { ClientSession } from './client-session.ts';
import { SCRATCH_BYTES, type SessionContext } from './context.ts';

const BAD_FORMAT = 'CLIENT_ERROR bad command line format';
const SPACE = 32;

export class Retrieval {
  readonly #context: SessionContext;
  readonly #keys: KeyList;
  readonly #u8: Uint8Array;
  readonly #starts: Float64Array = new Float64Array(SPLIT_KEYS_MAX);
  readonly #ends: Float64Array = new Float64Array(SPLIT_KEYS_MAX);
  /** Which of `#servers` each key lies on. */
  readonly #places: Int32Array = new Int32Array(SPLIT_KEYS_MAX);
  /** The servers of the line being split, `#serverCount` of them; never made shorter, which would cost memory. */
  readonly #servers: Destination[] = [];
  #serverCount = 0;
  #count = 0;

  constructor(context: SessionContext) {
    this.#context = context;
    this.#keys = new KeyList(context.arena);
    this.#u8 = context.u8;
  }

  /**
   * Runs a retrieval whose line [at, …) is known to end before `end`; `behind` is the place behind its name.
   * Returns where the next request begins, or `at` when it has to wait.
   */
  run(session: ClientSession, operation: Operation, at: number, behind: number, end: number): number {
    const keys = this.#keys;
    keys.at = behind;
    let argumentEnd = behind;
    if (operation === Operation.gat || operation === Operation.gats) {
      const step = keys.next();
      if (step !== KeyStep.key) return this.#bad(session, step, end);
      argumentEnd = keys.at;
    }
    const { client } = session;
    const step = keys.next();
    if (step !== KeyStep.key) return this.#bad(session, step, end);
    const first = this.#context.destinationOf(
      client,
      operation,
      keys.keyOffset,
      keys.keyBytes + keys.keyOffset,
    );
    const keyStart = keys.keyOffset;
    const keyEnd = keys.at;
    // A single key, which nearly every get is.
    const rest = keys.next();
    if (rest === KeyStep.end && first !== undefined && this.#isRaw(operation, first)) {
      if (!this.#context.mayForward(client, false)) return at;
      this.#countKeys(operation, 1);
      this.#forward(session, operation, first, at, keys.at);
      return keys.at;
    }
    this.#starts[0] = keyStart;
    this.#ends[0] = keyEnd;
    return this.#many(session, operation, at, argumentEnd, end, first, rest);
  }

  /** Several keys, or one that cannot be forwarded. */
  #many(
    session: ClientSession,
    operation: Operation,
    at: number,
    argumentEnd: number,
    end: number,
    first: Destination | undefined,
    second: KeyStep,
  ): number {
    const keys = this.#keys;
    const { client } = session;
    this.#serverCount = 0;
    let isRaw = first !== undefined && this.#isRaw(operation, first);
    if (first !== undefined) this.#placeOf(first);
    this.#places[0] = 0;
    let count = 1;
    let step = second;
    for (; step === KeyStep.key; step = keys.next()) {
      if (count === SPLIT_KEYS_MAX) return this.#tooMany(session, end);
      this.#starts[count] = keys.keyOffset;
      this.#ends[count] = keys.at;
      if (isRaw) {
        const server = this.#context.destinationOf(client, operation, keys.keyOffset, keys.at);
        isRaw = server !== undefined && this.#isRaw(operation, server);
        if (isRaw) this.#places[count] = this.#placeOf(server!);
      }
      count++;
    }
    if (step === KeyStep.bad) return this.#bad(session, step, end);
    this.#count = count;
    // A lease-get answers every key in its order, which parts of several servers cannot.
    if (operation === Operation.leaseGet && this.#serverCount > 1) isRaw = false;
    const bytes = keys.at - at;
    if (!isRaw || bytes > SCRATCH_BYTES / 2) return this.#route(session, operation, at, argumentEnd);
    if (!this.#context.mayForward(client, false)) return at;
    this.#countKeys(operation, count);
    if (this.#serverCount === 1) this.#forward(session, operation, this.#servers[0]!, at, keys.at);
    else this.#split(session, operation, argumentEnd);
    return keys.at;
  }

  #forward(
    session: ClientSession,
    operation: Operation,
    server: Destination,
    start: number,
    end: number,
  ): void {
    const { client } = session;
    const context = this.#context;
    const shape = operation === Operation.leaseGet ? ReplyShape.leases : ReplyShape.values;
    context.counters[FORWARDED]! += 1;
    const sequence = client.begin(1, 0);
    context.options.forwarder.forward(
      server,
      context.node,
      start,
      end,
      shape,
      client,
      sequence,
      ReplyMode.values,
    );
  }

  /** One line per server, put together in the scratch memory. */
  #split(session: ClientSession, operation: Operation, argumentEnd: number): void {
    const { client } = session;
    const context = this.#context;
    const { forwarder, scratchOffset } = context.options;
    const u8 = this.#u8;
    const { view } = context.arena;
    const servers = this.#servers;
    const parts = this.#serverCount;
    context.counters[SPLIT]! += 1;
    const sequence = client.begin(parts, PENDING_SPLIT);
    const name = OPERATION_NAMES[operation]!;
    const hasArgument = operation === Operation.gat || operation === Operation.gats;
    for (let part = 0; part < parts; part++) {
      let target = writeAscii(u8, scratchOffset, name);
      if (hasArgument) target = this.#copyArgument(target, argumentEnd);
      for (let key = 0; key < this.#count; key++) {
        if (this.#places[key] !== part) continue;
        u8[target++] = SPACE;
        const start = this.#starts[key]!;
        const bytes = this.#ends[key]! - start;
        // Four at a time, a little too far: the scratch memory has room for that.
        for (let done = 0; done < bytes; done += 4) {
          view.setInt32(target + done, view.getInt32(start + done, true), true);
        }
        target += bytes;
      }
      u8[target++] = 13;
      u8[target++] = 10;
      forwarder.forward(
        servers[part]!,
        context.node,
        scratchOffset,
        target,
        ReplyShape.values,
        client,
        sequence,
        ReplyMode.part,
      );
    }
  }

  /** The expiry time of gat, with a space before it: the token that ends at `argumentEnd`. */
  #copyArgument(at: number, argumentEnd: number): number {
    const u8 = this.#u8;
    let from = argumentEnd;
    while (u8[from - 1] !== SPACE) from--;
    u8[at] = SPACE;
    u8.copyWithin(at + 1, from, argumentEnd);
    return at + 1 + argumentEnd - from;
  }

  #route(session: ClientSession, operation: Operation, at: number, argumentEnd: number): number {
    const { client } = session;
    const context = this.#context;
    if (!context.mayRoute(client, false)) return at;
    const count = this.#count;
    this.#countKeys(operation, count);
    const keys: Buffer[] = [];
    for (let key = 0; key < count; key++) {
      keys.push(Buffer.from(context.node.subarray(this.#starts[key]!, this.#ends[key]!)));
    }
    let argument = '';
    if (operation === Operation.gat || operation === Operation.gats) {
      let from = argumentEnd;
      while (this.#u8[from - 1] !== SPACE) from--;
      argument = context.node.toString('latin1', from, argumentEnd);
    }
    context.options.general.retrieve(client, operation, keys, argument);
    return this.#keys.at;
  }

  #placeOf(server: Destination): number {
    const servers = this.#servers;
    const count = this.#serverCount;
    for (let index = 0; index < count; index++) if (servers[index] === server) return index;
    servers[count] = server;
    this.#serverCount = count + 1;
    return count;
  }

  /** Plain memcached has no lease-get of its own; the destination puts one together from meta commands. */
  #isRaw(operation: Operation, server: Destination): boolean {
    return operation !== Operation.leaseGet || server.dialect === Dialect.larder;
  }

  #countKeys(operation: Operation, count: number): void {
    const { counters } = this.#context;
    counters[KEYS_ASKED]! += count;
    if (operation <= Operation.gets) counters[CMD_GET]! += count;
    else counters[operation === Operation.leaseGet ? CMD_LEASE : CMD_TOUCH]! += count;
  }

  #tooMany(session: ClientSession, end: number): number {
    this.#context.refuse(session.client, `CLIENT_ERROR more than ${SPLIT_KEYS_MAX} keys in one get`);
    return this.#lineEnd(end);
  }

  /** A line without keys is no command; one with a key that is none is answered by memcached's words. */
  #bad(session: ClientSession, step: KeyStep, end: number): number {
    this.#context.refuse(session.client, step === KeyStep.end ? 'ERROR' : BAD_FORMAT);
    return step === KeyStep.end ? this.#keys.at : this.#lineEnd(end);
  }

  #lineEnd(end: number): number {
    let at = this.#keys.at;
    // An over-long key leaves the place behind it; a control character in front of it.
    while (at < end && this.#u8[at] !== NEWLINE) at++;
    return at < end ? at + 1 : end;
  }
}
