/**
 * A client that speaks memcached's binary protocol, which the router does not: it gets one well-formed binary
 * response that says so, and its connection ends. Without that such a client would wait for ever, and what it sends
 * would be taken for lines.
 */
import { BINARY_HEADER_BYTES, BinaryRequest, BinaryStatus, writeBinaryHeader } from '@larder/protocol';
import { BINARY_NOTICE_MS } from '../limits.ts';
import { BINARY_REFUSED, ERRORS_LOCAL } from '../statistics/counters.ts';
import type { ClientSession } from './client-session.ts';
import type { SessionContext } from './context.ts';

const TEXT: Buffer = Buffer.from('the router speaks memcache classic and meta, not the binary protocol');

export class BinaryRefusal {
  readonly #context: SessionContext;
  readonly #request: BinaryRequest;
  #noticedAtMs = Number.NEGATIVE_INFINITY;

  constructor(context: SessionContext) {
    this.#context = context;
    this.#request = new BinaryRequest(context.arena);
  }

  /** Answers the request at `at`; false when its header has not come whole. Its connection is to be ended then. */
  answer({ client }: ClientSession, at: number, end: number): boolean {
    if (end - at < BINARY_HEADER_BYTES) return false;
    const { counters, options } = this.#context;
    counters[BINARY_REFUSED]! += 1;
    counters[ERRORS_LOCAL]! += 1;
    const request = this.#request;
    request.read(at);
    const response = Buffer.alloc(BINARY_HEADER_BYTES + TEXT.length);
    const view = new DataView(response.buffer, response.byteOffset, response.length);
    const { opcode, opaque } = request;
    writeBinaryHeader(view, 0, opcode, BinaryStatus.unknownCommand, 0, 0, TEXT.length, opaque, 0, 0);
    response.set(TEXT, BINARY_HEADER_BYTES);
    client.replyBytes(client.begin(1, 0), response);
    const nowMs = performance.now();
    if (nowMs - this.#noticedAtMs >= BINARY_NOTICE_MS) {
      this.#noticedAtMs = nowMs;
      options.notice(
        'a client speaks the binary protocol, which the router does not: it is told so and closed',
        {
          client: client.clientId,
          refused: counters[BINARY_REFUSED],
        },
      );
    }
    return true;
  }
}
