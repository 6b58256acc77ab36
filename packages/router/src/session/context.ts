/** What all parts of a worker's request loop share. */
import type { Arena } from '@larder/datapath';
import { ByteScanner, LineTokens } from '@larder/protocol';
import { type Destination, NO_BYTES, Operation, Request } from '@larder/routing';
import type { Client } from '../forwarding/client.ts';
import type { Forwarder } from '../forwarding/forwarder.ts';
import type { GeneralPath } from '../general/general-path.ts';
import { ERRORS_LOCAL } from '../statistics/counters.ts';

/** The tree of route handles as the raw path sees it. */
export interface DirectRoutes {
  direct(request: Request): Destination | undefined;
}

export interface SessionOptions {
  readonly arena: Arena;
  readonly routes: DirectRoutes;
  readonly forwarder: Forwarder;
  readonly general: GeneralPath;
  readonly counters: Float64Array;
  readonly valueBytesMax: number;
  readonly flushEnabled: boolean;
  readonly version: string;
  /** What an operator should know about a client. */
  readonly notice: (text: string, fields: object) => void;
  /** Arena memory of SCRATCH_BYTES, KEY_SCRATCH_BYTES and DATAGRAM_SCRATCH_BYTES. */
  readonly scratchOffset: number;
}

/** A composed request that is longer goes through the route handles or a buffer of its own. */
export const SCRATCH_BYTES: number = 96 * 1024;
/** Where a binary key is decoded to, behind the scratch memory. */
export const KEY_SCRATCH_BYTES: number = 512;
/** Where the rest of a datagram is run from, behind both. */
export const DATAGRAM_SCRATCH_BYTES: number = 66 * 1024;

const SLASH = 47;
const UNDERSCORES = 0x5f5f; // "__"
const BARS = 0x7c7c7c7c;

export class SessionContext {
  readonly options: SessionOptions;
  readonly arena: Arena;
  readonly u8: Uint8Array;
  readonly node: Buffer;
  readonly counters: Float64Array;
  readonly keyScratchOffset: number;
  readonly datagramOffset: number;
  readonly tokens: LineTokens;
  readonly scanner: ByteScanner;
  readonly #routes: DirectRoutes;
  readonly #view: DataView;
  readonly #question: Request = new Request(Operation.get, NO_BYTES, 0, 0);

  constructor(options: SessionOptions) {
    this.options = options;
    this.arena = options.arena;
    this.u8 = options.arena.u8;
    this.node = options.arena.node;
    this.counters = options.counters;
    this.keyScratchOffset = options.scratchOffset + SCRATCH_BYTES;
    this.datagramOffset = this.keyScratchOffset + KEY_SCRATCH_BYTES;
    this.tokens = new LineTokens(options.arena);
    this.scanner = new ByteScanner(options.arena);
    this.#routes = options.routes;
    this.#view = options.arena.view;
  }

  /**
   * The server that a request goes to as it is, or undefined when it has to go through the route handles: keys
   * with a routing prefix, whose name must be put back into the reply, and the router's own keys included.
   */
  destinationOf(
    client: Client,
    operation: Operation,
    keyStart: number,
    keyEnd: number,
  ): Destination | undefined {
    if (this.u8[keyStart] === SLASH || this.isAdminKey(keyStart)) return undefined;
    const question = this.#question;
    question.operation = operation;
    question.clientId = client.clientId;
    // A key without a bar has no part that does not count.
    question.setKey(this.node, keyStart, keyEnd, this.#hasBar(keyStart, keyEnd) ? -1 : keyEnd);
    const destination = this.#routes.direct(question);
    if (destination === undefined) return undefined;
    const { keepRoutingPrefix, tls } = destination.options;
    return keepRoutingPrefix || tls !== undefined || destination.options.credentials !== undefined
      ? undefined
      : destination;
  }

  /** Looks for `|`, four bytes at a time; may look at what stands behind the key. */
  #hasBar(keyStart: number, keyEnd: number): boolean {
    const view = this.#view;
    for (let at = keyStart; at < keyEnd; at += 4) {
      const word = view.getInt32(at, true) ^ BARS;
      if (((word - 0x01010101) & ~word & 0x80808080) !== 0) return true;
    }
    return false;
  }

  /** Whether a key may be one of `__mcrouter__.`'s. */
  isAdminKey(keyStart: number): boolean {
    return this.#view.getUint16(keyStart, true) === UNDERSCORES;
  }

  /**
   * Whether a request may be forwarded now: what goes through the route handles takes its own time, so that
   * nothing that depends on it may overtake it.
   */
  mayForward(client: Client, isWrite: boolean): boolean {
    if (client.generalPending === 0) return true;
    return !isWrite && client.generalWritesPending === 0;
  }

  /** The same for a request through the route handles. */
  mayRoute(client: Client, isWrite: boolean): boolean {
    return isWrite ? client.pending === 0 : client.writesPending === 0;
  }

  /** Answers a request by a line of the router's own, in the client's order. */
  answer(client: Client, text: string): void {
    client.reply(client.begin(1, 0), text);
  }

  /** Refuses a request by an error line (without its end). */
  refuse(client: Client, line: string): void {
    this.counters[ERRORS_LOCAL]! += 1;
    this.answer(client, `${line}\r\n`);
  }
}
