/**
 * Forwarded gets and the stubs of leases: plain memcached shows a plain get the stub as an empty value (upstream's
 * gap, docs/protocol/leases.md), and what is passed on as bytes should be told the truth as well. A reply that
 * holds an empty value without client flags, which is rare, is held back until each of those was asked about.
 *
 * ```
 *   VALUE a 0 3 … │ VALUE b 0 0 │ END      mg b v f c ─▶ VA 0 … Z: a stub
 *                 └─ left out ──┘
 * ```
 */
import { ReplyItem, ReplyReader } from '@larder/protocol';
import type { Reply } from '../reply.ts';
import { Operation, Request } from '../request.ts';
import type { ForwardSink } from './destination.ts';

interface Doubtful {
  readonly start: number;
  readonly end: number;
  isStub: boolean;
}

/** Asks about [start, end) of `bytes`, a whole reply; `ask` is given one get for each doubtful value. */
export function filterStubs(
  bytes: Buffer,
  start: number,
  end: number,
  sink: ForwardSink,
  tag: number,
  ask: (request: Request, resolve: (reply: Reply) => void) => void,
): void {
  const reply = Buffer.from(bytes.subarray(start, end));
  const doubtful: Doubtful[] = [];
  const requests: Request[] = [];
  const reader = new ReplyReader();
  for (let at = 0; at < reply.length; ) {
    const consumed = reader.read(reply, at, reply.length);
    if (consumed <= 0) break;
    if (reader.kind === ReplyItem.value && reader.valueStart === reader.valueEnd && reader.flags === 0) {
      doubtful.push({ start: at, end: at + consumed, isStub: false });
      requests.push(new Request(Operation.get, reply, reader.keyStart, reader.keyEnd));
    }
    at += consumed;
  }
  let left = doubtful.length;
  let failure: Reply | undefined;
  const answered = (index: number, answer: Reply): void => {
    if (answer.isError) failure = answer;
    doubtful[index]!.isStub = !answer.isError && !answer.hasValue;
    left--;
    if (left > 0) return;
    if (failure !== undefined) sink.onFailure(tag, failure.result);
    else {
      const kept = without(reply, doubtful);
      sink.onBytes(tag, kept, 0, kept.length);
    }
  };
  for (const [index, request] of requests.entries()) ask(request, (answer) => answered(index, answer));
}

function without(reply: Buffer, doubtful: readonly Doubtful[]): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (const { start, end, isStub } of doubtful) {
    if (!isStub) continue;
    parts.push(reply.subarray(at, start));
    at = end;
  }
  parts.push(reply.subarray(at));
  return Buffer.concat(parts);
}
