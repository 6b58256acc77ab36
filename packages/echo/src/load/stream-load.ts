/** Requests over TCP connections of a datapath transport: as many in flight on each as asked for, the next at once. */
import type { CloseReason, Connection, Transport, TransportHandler } from '@larder/datapath';
import { FRAME_HEADER_BYTES, FrameReader, type Memory, type Message, putFrameHeader } from '@larder/wire';
import { EchoError } from '../errors.ts';
import { InFlight } from './in-flight.ts';
import type { LoadMessages } from './messages.ts';
import type { Tally } from './tally.ts';

/** The type of every request, which the server returns. */
const TYPE = 1;

interface Session {
  readonly reader: FrameReader;
  readonly flight: InFlight;
}

export class StreamLoad implements TransportHandler<Session> {
  /** Rejects when a connection fails. */
  readonly failed: Promise<never>;
  readonly #fail: (error: EchoError) => void;
  readonly #memory: Memory;
  readonly #messages: LoadMessages;
  readonly #tally: Tally;
  readonly #inFlight: number;
  readonly #target: string;
  readonly #sessions = new Set<Connection<Session>>();
  #nowMs = 0;
  #isSending = true;
  #isClosing = false;

  constructor(memory: Memory, messages: LoadMessages, tally: Tally, inFlight: number, target: string) {
    const { promise, reject } = Promise.withResolvers<never>();
    this.failed = promise;
    // Whoever waits for it hears of it; a failure while nobody does is no crash.
    promise.catch(() => {});
    this.#fail = reject;
    this.#memory = memory;
    this.#messages = messages;
    this.#tally = tally;
    this.#inFlight = inFlight;
    this.#target = target;
  }

  connect(transport: Transport<Session>, host: string, port: number): void {
    transport.connect({ kind: 'tcp', host, port });
  }

  /** Requests that have no answer yet. */
  get unanswered(): number {
    let count = 0;
    for (const { session } of this.#sessions) count += session.flight.count;
    return count;
  }

  /** Sends nothing more. */
  finish(): void {
    this.#isSending = false;
  }

  close(): void {
    this.#isClosing = true;
    for (const connection of this.#sessions) connection.destroy();
  }

  onConnect(connection: Connection<Session>): void {
    const flight = new InFlight(this.#inFlight);
    const reader = new FrameReader(this.#memory, (message, type, id) => {
      this.#answered(connection, message, type, id);
      return !connection.isCongested;
    });
    connection.session = { reader, flight };
    this.#sessions.add(connection);
    this.#nowMs = performance.now();
    for (let slot = 0; slot < flight.slots; slot++) this.#send(connection, slot);
  }

  onData(connection: Connection<Session>, start: number, end: number): number {
    this.#nowMs = performance.now();
    try {
      return connection.session.reader.push(start, end);
    } catch (cause) {
      this.#fail(new EchoError('CLOSED', `${this.#target} sent what is no frame`, { cause }));
      connection.destroy();
      return end;
    }
  }

  #answered(connection: Connection<Session>, message: Message, type: number, id: number): void {
    const { flight } = connection.session;
    const slot = flight.find(id);
    if (slot < 0) {
      this.#tally.answer(false, 0, 0);
      return;
    }
    const isRight = type === TYPE && this.#messages.isEcho(flight.message(slot), message.toUint8Array());
    this.#tally.answer(isRight, message.bytes, this.#nowMs - flight.sentMs(slot));
    flight.end(slot);
    if (this.#isSending) this.#send(connection, slot);
  }

  #send(connection: Connection<Session>, slot: number): void {
    const index = this.#messages.next();
    const bytes = this.#messages.encoded[index]!;
    const at = connection.reserve(FRAME_HEADER_BYTES);
    if (at === 0) return;
    const id = connection.session.flight.begin(slot, index, this.#nowMs);
    putFrameHeader(this.#memory.view, at, bytes.length, TYPE, id);
    connection.cursor = at + FRAME_HEADER_BYTES;
    connection.writeBytes(bytes);
  }

  onClose(connection: Connection<Session>, reason: CloseReason, error?: Error): void {
    const isConnected = this.#sessions.delete(connection);
    if (this.#isClosing) return;
    if (!isConnected) {
      const { code } = EchoError.from(error);
      this.#fail(new EchoError(code, `cannot connect to ${this.#target}: ${code}`, { cause: error }));
      return;
    }
    this.#fail(
      new EchoError(
        'CLOSED',
        `${this.#target} closed a connection (${reason}); does it serve this --serializer?`,
        { cause: error },
      ),
    );
  }

  onRelease(): void {
    // Requests are copied.
  }
}
