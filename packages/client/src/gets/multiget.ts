/** One multiget on its way to one server: its request, and what becomes of the reply. */
import { ReplyShape } from '@larder/protocol';
import type { Destination, ForwardSink, Result } from '@larder/routing';
import { type FlowWindow, WindowOutcome } from '../flow/window.ts';
import { windowOutcome } from '../send/trouble.ts';
import type { GetSettler } from './get-settler.ts';
import type { PendingGet } from './pending-get.ts';
import { ReplyValues } from './reply-values.ts';

const reader: ReplyValues = new ReplyValues();

/** `get k1 k2 …\r\n`; notes where each key lies. */
export function composeMultiget(gets: readonly PendingGet[]): Buffer {
  let text = 'get';
  for (const get of gets) {
    get.start = text.length + 1;
    text += ` ${get.wireKey}`;
  }
  return Buffer.from(`${text}\r\n`, 'latin1');
}

export class Multiget implements ForwardSink {
  readonly #gets: readonly PendingGet[];
  readonly #request: Buffer;
  readonly #window: FlowWindow;
  readonly #settler: GetSettler;
  /** 0 for the destination's own. */
  readonly #timeoutMs: number;
  #mark: number = 0;
  #destination: Destination | undefined;

  /** Room for the keys has been taken in the window. */
  constructor(
    gets: readonly PendingGet[],
    request: Buffer,
    window: FlowWindow,
    settler: GetSettler,
    timeoutMs: number,
  ) {
    this.#timeoutMs = timeoutMs;
    this.#gets = gets;
    this.#request = request;
    this.#window = window;
    this.#settler = settler;
  }

  send(destination: Destination): void {
    this.#mark = this.#window.mark;
    this.#destination = destination;
    const request = this.#request;
    const { values } = ReplyShape;
    const refused = destination.forward(request, 0, request.length, values, this, 0, this.#timeoutMs);
    if (refused !== undefined) this.onFailure(0, refused);
  }

  onBytes(_tag: number, bytes: Buffer, start: number, end: number): void {
    this.#window.leave(this.#gets.length, WindowOutcome.answered, this.#mark);
    reader.read(this.#gets, this.#request, bytes, start, end, this.#settler);
  }

  onFailure(_tag: number, result: Result): void {
    this.#window.leave(this.#gets.length, windowOutcome(result), this.#mark);
    this.#settler.onFailure(this.#gets, result, this.#destination?.label ?? '');
  }
}
