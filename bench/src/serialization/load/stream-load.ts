/**
 * Requests over TCP connections: `depth` of them written together on each, and the next as many when the last is
 * answered, so that every server gets the same batches however fast it is. Replies are counted by their frames;
 * their bytes are not looked at.
 */
import type { CloseReason, Connection, LoopTransport, TransportHandler } from '@larder/datapath';
import { BenchError } from '../../errors.ts';
import type { PremadeRequests } from '../requests/premade.ts';
import { FRAME_BYTES } from '../server/reply-output.ts';
import type { Pace } from './closed-or-open.ts';

const CONNECT_MS_MAX = 3000;
const TURN_MS = 5;
/** Requests in flight on one connection of an open loop. */
const OPEN_LOOP_DEPTH = 64;

class Session {
  readonly connection: Connection<Session>;
  /** Bytes of the reply that is being received which have not come yet. */
  left = 0;
  /** Due times of the requests in flight, in their order, and where the oldest is. */
  readonly due: number[] = [];
  oldest = 0;
  inFlight = 0;

  constructor(connection: Connection<Session>) {
    this.connection = connection;
  }
}

/** The handler of all connections of the load's transport; one run at a time. */
export class StreamLoad implements TransportHandler<Session> {
  readonly #view: DataView;
  #transport: LoopTransport<Session> | undefined;
  #sessions: Session[] = [];
  #requests: PremadeRequests | undefined;
  #pace: Pace | undefined;
  #depth = 0;
  #next = 0;
  #turn = 0;
  #connected = 0;
  #closed = 0;
  #nowMs = 0;
  #isStopped = true;
  #isClosing = false;
  #failure: BenchError | undefined;

  constructor(view: DataView) {
    this.#view = view;
  }

  set transport(transport: LoopTransport<Session>) {
    this.#transport = transport;
  }

  open(port: number, connections: number, requests: PremadeRequests): void {
    this.#sessions = [];
    this.#requests = requests;
    this.#connected = 0;
    this.#closed = 0;
    this.#isClosing = false;
    this.#failure = undefined;
    for (let count = 0; count < connections; count++) {
      const connection = this.#transport!.connect({ kind: 'tcp', host: '127.0.0.1', port });
      const session = new Session(connection);
      connection.session = session;
      this.#sessions.push(session);
    }
    this.#turnUntil(() => this.#connected === connections, 'connect');
  }

  /** Begins to ask, with `depth` requests in flight on each connection of a closed loop. */
  start(pace: Pace, depth: number, nowMs: number): void {
    this.#pace = pace;
    this.#depth = depth;
    this.#isStopped = false;
    this.#nowMs = nowMs;
    pace.start(nowMs);
    if (pace.isOpenLoop) return;
    for (const session of this.#sessions) this.#send(session, depth, nowMs);
  }

  /** One turn of the loop. */
  turn(nowMs: number): void {
    const pace = this.#pace!;
    this.#nowMs = nowMs;
    if (pace.isOpenLoop && !this.#isStopped) {
      for (;;) {
        // A request that finds too many in flight waits, and its wait is counted: it is due all the same.
        const session = this.#sessions[this.#turn]!;
        if (session.inFlight >= OPEN_LOOP_DEPTH) break;
        const due = pace.takeDue(nowMs);
        if (due < 0) break;
        this.#send(session, 1, due);
        this.#turn = (this.#turn + 1) % this.#sessions.length;
      }
    }
    this.#transport!.turn(pace.isOpenLoop ? 0 : TURN_MS);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Sends nothing more, waits for what is in flight, and closes. */
  close(): void {
    this.#isStopped = true;
    try {
      this.#turnUntil(() => this.#sessions.every((session) => session.inFlight === 0), 'be answered');
    } finally {
      this.#isClosing = true;
      for (const session of this.#sessions) session.connection.destroy();
      this.#turnUntil(() => this.#closed === this.#sessions.length, 'close');
    }
  }

  #turnUntil(condition: () => boolean, what: string): void {
    const giveUpAt = performance.now() + CONNECT_MS_MAX;
    while (!condition()) {
      this.#nowMs = performance.now();
      this.#transport!.turn(TURN_MS);
      if (this.#failure !== undefined) throw this.#failure;
      if (performance.now() > giveUpAt) throw new BenchError('LOAD', `waited in vain to ${what}`);
    }
  }

  #send(session: Session, count: number, dueMs: number): void {
    const requests = this.#requests!;
    for (let sent = 0; sent < count; sent++) {
      session.connection.copy(requests.offsetOf(this.#next), requests.bytesOf(this.#next));
      this.#next = this.#next + 1 === requests.count ? 0 : this.#next + 1;
      session.due.push(dueMs);
    }
    session.inFlight += count;
  }

  onConnect(_connection: Connection<Session>): void {
    this.#connected++;
  }

  onData({ session }: Connection<Session>, start: number, end: number): number {
    let at = start;
    let answered = 0;
    while (at < end) {
      if (session.left === 0) {
        if (end - at < FRAME_BYTES) break;
        session.left = FRAME_BYTES + this.#view.getUint32(at, true);
      }
      const taken = Math.min(session.left, end - at);
      at += taken;
      session.left -= taken;
      if (session.left === 0) answered++;
    }
    if (answered > 0) this.#answered(session, answered);
    return at;
  }

  #answered(session: Session, count: number): void {
    const pace = this.#pace!;
    const nowMs = pace.isOpenLoop ? performance.now() : this.#nowMs;
    for (let index = 0; index < count; index++) pace.done(session.due[session.oldest++]!, nowMs);
    session.inFlight -= count;
    if (session.oldest > 4096) {
      session.due.splice(0, session.oldest);
      session.oldest = 0;
    }
    if (session.inFlight === 0 && !pace.isOpenLoop && !this.#isStopped) {
      this.#send(session, this.#depth, nowMs);
    }
  }

  onClose(_connection: Connection<Session>, reason: CloseReason, error?: Error): void {
    this.#closed++;
    if (this.#isClosing) return;
    this.#failure ??= new BenchError('LOAD', `a connection was closed (${reason}) ${error?.message ?? ''}`);
  }

  onRelease(_owner: number): void {
    // Requests are copied.
  }
}
