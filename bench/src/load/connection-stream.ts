/**
 * One stream of requests over TCP or Unix-socket connections of a datapath transport.
 *
 * Closed loop: a connection has `depth` requests in flight, written together; when the last is answered the
 * next batch follows. Open loop: requests go out when they are due, round robin over the connections, and
 * their latency counts from when they were due, also if they had to wait for room.
 */
import type { Connection } from '@larder/datapath';
import { BenchError } from '../errors.ts';
import { OPEN_LOOP_DEPTH } from '../limits.ts';
import { Arrivals } from '../random/arrivals.ts';
import { Random } from '../random/random.ts';
import type { KeySpace } from './key-space.ts';
import type { StreamPlan } from './plan.ts';
import { GET, ReplyReader } from './reply-reader.ts';
import { RequestSource } from './request-source.ts';

/** Values of at least this size are sent from where they are. */
const REFERENCE_BYTES_MIN = 1024;
const CR_LF = 0x0a0d;
/** Values belong to nobody: they are never changed. */
const NO_OWNER = 0;

export class LoadSession {
  readonly stream: ConnectionStream;
  readonly connection: Connection<LoadSession>;
  readonly reader: ReplyReader;

  constructor(stream: ConnectionStream, connection: Connection<LoadSession>) {
    this.stream = stream;
    this.connection = connection;
    this.reader = stream.makeReader();
  }
}

export class ConnectionStream {
  readonly source: RequestSource;
  readonly sessions: LoadSession[] = [];
  readonly #plan: StreamPlan;
  readonly #space: KeySpace;
  readonly #view: DataView;
  readonly #arrivals: Arrivals | undefined;
  readonly #inFlightMax: number;
  #turn = 0;
  #isStopped = false;

  constructor(space: KeySpace, plan: StreamPlan, seed: number) {
    this.source = new RequestSource(space, plan, seed);
    this.#plan = plan;
    this.#space = space;
    this.#view = space.arena.view;
    const { loop } = plan;
    this.#inFlightMax = loop.kind === 'open' ? OPEN_LOOP_DEPTH : plan.depth;
    if (loop.kind === 'open') {
      this.#arrivals = new Arrivals(loop.arrivals, loop.ratePerSecond, new Random(seed + 1));
    }
  }

  get isOpenLoop(): boolean {
    return this.#arrivals !== undefined;
  }

  /** Whether the stream has as many answers as its plan wants. */
  get isFilled(): boolean {
    return this.#plan.requests > 0 && this.source.answeredTotal >= this.#plan.requests;
  }

  get outstanding(): number {
    let sum = 0;
    for (const session of this.sessions) sum += session.reader.outstanding;
    return sum;
  }

  makeReader(): ReplyReader {
    return new ReplyReader(
      this.#space,
      this.source,
      this.#inFlightMax,
      this.#plan.keysPerGet,
      this.#plan.missesAllowed,
      this.#plan.anyOrder === true,
    );
  }

  /** All connections are there: begin to ask. */
  start(nowMs: number): void {
    this.#arrivals?.start(nowMs);
    if (this.#arrivals === undefined) for (const session of this.sessions) this.#sendBatch(session, nowMs);
  }

  /** Sends nothing more. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Received bytes of a session; returns up to where they were consumed. */
  receive(session: LoadSession, start: number, end: number, nowMs: number): number {
    this.source.nowMs = nowMs;
    const done = session.reader.read(start, end);
    if (session.reader.outstanding === 0 && this.#arrivals === undefined) this.#sendBatch(session, nowMs);
    return done;
  }

  /** Open loop: writes what is due by now; it leaves with the transport's next turn. */
  sendDue(nowMs: number): void {
    const arrivals = this.#arrivals;
    if (arrivals === undefined || this.#isStopped) return;
    while (arrivals.nextMs <= nowMs) {
      const session = this.#sessionWithRoom();
      // No room anywhere: the request stays due, and its wait is part of its latency.
      if (session === undefined) return;
      this.#send(session, arrivals.nextMs);
      arrivals.advance();
    }
  }

  #sessionWithRoom(): LoadSession | undefined {
    const { sessions } = this;
    for (let tried = 0; tried < sessions.length; tried++) {
      this.#turn = this.#turn + 1 < sessions.length ? this.#turn + 1 : 0;
      const session = sessions[this.#turn]!;
      if (session.reader.outstanding < this.#inFlightMax) return session;
    }
    return undefined;
  }

  #sendBatch(session: LoadSession, nowMs: number): void {
    if (this.#isStopped || this.isFilled) return;
    for (let index = this.#plan.depth; index > 0; index--) this.#send(session, nowMs);
  }

  #send(session: LoadSession, dueMs: number): void {
    const { source } = this;
    const { reader } = session;
    const operation = source.nextOperation();
    const count = operation === GET ? this.#plan.keysPerGet : 1;
    const first = reader.keyNext;
    for (let index = 0; index < count; index++) {
      reader.keys[(first + index) & reader.keyMask] = source.nextKey();
    }
    if (operation === GET) this.#writeGet(session, first, count);
    else this.#writeSet(session, reader.keys[first]!);
    reader.expect(operation, count, dueMs);
  }

  #writeGet(session: LoadSession, first: number, count: number): void {
    const { connection, reader } = session;
    const at = reserve(connection, this.#space.getBytes(count));
    connection.cursor = this.#space.composeGet(at, reader.keys, first, reader.keyMask, count);
  }

  #writeSet(session: LoadSession, key: number): void {
    const { connection } = session;
    const space = this.#space;
    const bytes = space.valueBytes[key]!;
    const value = space.valueOffset(key);
    if (bytes >= REFERENCE_BYTES_MIN) {
      const at = reserve(connection, space.setHeadBytes());
      connection.cursor = space.composeSetHead(at, key);
      connection.reference(value, bytes, NO_OWNER);
      const tail = reserve(connection, 2);
      this.#view.setInt16(tail, CR_LF, true);
      connection.cursor = tail + 2;
      return;
    }
    const at = reserve(connection, space.setHeadBytes() + bytes + 2);
    const data = space.composeSetHead(at, key);
    space.copy(data, value, bytes);
    this.#view.setInt16(data + bytes, CR_LF, true);
    connection.cursor = data + bytes + 2;
  }
}

function reserve(connection: Connection<LoadSession>, bytes: number): number {
  const at = connection.reserve(bytes);
  if (at === 0) throw new BenchError('LOAD', 'no send buffer left: too much in flight');
  return at;
}
