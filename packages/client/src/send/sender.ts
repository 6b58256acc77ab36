/**
 * Requests other than plain gets on their way to the route handles: each takes its place in the flow-control
 * window. What a route handle answers is an outcome; the promises are only rejected when the routes cannot be opened.
 */
import { type Operation, type Reply, Request, type RouteHandle } from '@larder/routing';
import { type FlowWindow, WindowOutcome } from '../flow/window.ts';
import { windowOutcome } from './trouble.ts';

export class Sender {
  readonly #root: () => RouteHandle;
  readonly #window: FlowWindow;
  readonly #timeoutMs: number;

  /** `root` is asked for each request, because a reload replaces it; a time-out of 0 is the destinations' own. */
  constructor(root: () => RouteHandle, window: FlowWindow, timeoutMs: number) {
    this.#root = root;
    this.#window = window;
    this.#timeoutMs = timeoutMs;
  }

  /** A request for a key of the wire. */
  request(operation: Operation, key: string): Request {
    const bytes = Buffer.from(key, 'latin1');
    const request = new Request(operation, bytes, 0, bytes.length);
    request.timeoutMs = this.#timeoutMs;
    return request;
  }

  send(request: Request): Promise<Reply> {
    if (this.#window.tryEnter(1)) return this.#start(request);
    return new Promise((resolve) => this.#window.enqueue(1, () => resolve(this.#start(request))));
  }

  async #start(request: Request): Promise<Reply> {
    const window = this.#window;
    const mark = window.mark;
    let outcome: WindowOutcome = WindowOutcome.refused;
    try {
      const reply = await this.#root().route(request);
      outcome = windowOutcome(reply.result);
      return reply;
    } finally {
      window.leave(1, outcome, mark);
    }
  }
}
