/** Random requests, random turns, random cuts of the stream: every request gets its own answer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReplyShape } from '@larder/protocol';
import fc from 'fast-check';
import { RESULT_NAMES, type Reply } from '../reply.ts';
import { Operation, Request } from '../request.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { FakeLinks } from '../testing/fake-links.ts';
import { ModelServer } from '../testing/model-server.ts';
import { parseAddress } from './address.ts';
import { DESTINATION_DEFAULTS, Dialect } from './destination-options.ts';
import { Destinations } from './destinations.ts';
import type { ServerDestination } from './server-destination.ts';

const SEED = 20133;
const OPERATIONS: readonly Operation[] = [
  ...new Array<Operation>(12).fill(Operation.get),
  Operation.gets,
  Operation.set,
  Operation.set,
  Operation.add,
  Operation.delete,
  Operation.metaGet,
  Operation.metaSet,
];

interface Step {
  readonly operation: Operation;
  readonly key: string;
  readonly value: string;
  readonly isForwarded: boolean;
  readonly endsTurn: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  operation: fc.constantFrom(...OPERATIONS),
  key: fc.constantFrom('a', 'b', 'key', 'longer-key'),
  value: fc.oneof(
    fc.string({ unit: fc.constantFrom(...'xy\r\n '), maxLength: 12 }),
    fc.constantFrom('END\r\n', 'VALUE a 0 1\r\nx\r\nEND\r\n', 'z'.repeat(3000)),
  ),
  // Gets that follow each other in a turn become one line: most do.
  isForwarded: fc.nat(7).map((number) => number === 0),
  endsTurn: fc.nat(5).map((number) => number === 0),
});

/** What the server would have said to this request alone. */
function lineOf({ operation, key, value }: Step): string {
  switch (operation) {
    case Operation.get:
      return `get ${key}\r\n`;
    case Operation.gets:
      return `gets ${key}\r\n`;
    case Operation.set:
      return `set ${key} 5 0 ${value.length}\r\n${value}\r\n`;
    case Operation.add:
      return `add ${key} 5 0 ${value.length}\r\n${value}\r\n`;
    case Operation.delete:
      return `delete ${key}\r\n`;
    case Operation.metaGet:
      return `mg ${key} v c f\r\n`;
    default:
      return `ms ${key} ${value.length}\r\n${value}\r\n`;
  }
}

function shapeOf(operation: Operation): ReplyShape {
  if (operation <= Operation.gets) return ReplyShape.values;
  return operation >= Operation.metaGet ? ReplyShape.meta : ReplyShape.line;
}

/** An answer in the server's words, so that both ways of asking can be compared. */
function wordsOf(reply: Reply, { operation, key }: Step): string {
  const value = reply.hasValue ? reply.value.toString('latin1') : '';
  if (operation <= Operation.gets) {
    if (!reply.hasValue) return reply.isError ? RESULT_NAMES[reply.result]! : 'END\r\n';
    const cas = operation === Operation.gets ? ` ${reply.cas}` : '';
    return `VALUE ${key} ${reply.flags} ${value.length}${cas}\r\n${value}\r\nEND\r\n`;
  }
  if (operation === Operation.metaGet) {
    return reply.hasValue ? `VA ${value.length} ${reply.metaFlags.toString()}\r\n${value}\r\n` : 'EN\r\n';
  }
  if (operation === Operation.metaSet) return 'HD\r\n';
  return `${{ stored: 'STORED', not_stored: 'NOT_STORED', deleted: 'DELETED', miss: 'NOT_FOUND' }[RESULT_NAMES[reply.result]!]}\r\n`;
}

function ask(destination: ServerDestination, each: Step, tag: number, answers: string[]): void {
  if (each.isForwarded) {
    const bytes = Buffer.from(lineOf(each), 'latin1');
    const sink = {
      onBytes: (at: number, reply: Buffer, start: number, end: number): void => {
        answers[at] = reply.toString('latin1', start, end);
      },
      onFailure: (): void => assert.fail('a forward failed'),
    };
    assert.equal(destination.forward(bytes, 0, bytes.length, shapeOf(each.operation), sink, tag), undefined);
    return;
  }
  const request = Request.of(each.operation, each.key);
  request.value = Buffer.from(each.value, 'latin1');
  request.flags = 5;
  if (each.operation === Operation.metaGet) request.metaFlags = Buffer.from('v c f');
  destination.submit(
    request,
    {
      onReply: (at, reply) => {
        // Read later, when the input memory has been used again.
        queueMicrotask(() => {
          answers[at] = wordsOf(reply, each);
        });
      },
    },
    tag,
  );
}

test('every request gets its own answer, whatever is joined and however the replies are cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }),
      fc.array(fc.nat(40)),
      fc.boolean(),
      async (steps, cuts, isReversed) => {
        const links = new FakeLinks();
        const destinations = new Destinations({ clock: new FakeClock(), random: Math.random, links });
        const options = { ...DESTINATION_DEFAULTS, dialect: Dialect.larder };
        const destination = destinations.get(parseAddress('10.0.0.1:1').address, options);
        const server = new ModelServer(isReversed);
        const answers: string[] = [];
        let waiting = '';
        let cut = 0;
        const deliver = (isAll: boolean): void => {
          for (let rounds = 0; waiting !== '' && (isAll || rounds < 2); rounds++) {
            const bytes = 1 + (cuts.length > 0 ? cuts[cut++ % cuts.length]! : 7);
            links.last.reply(waiting.slice(0, bytes));
            waiting = waiting.slice(bytes);
          }
        };
        for (const [index, each] of steps.entries()) {
          ask(destination, each, index, answers);
          if (!each.endsTurn) continue;
          waiting += server.answer(links.last.sent());
          deliver(false);
          await Promise.resolve();
        }
        waiting += server.answer(links.last.sent());
        deliver(true);
        await Promise.resolve();
        const model = new ModelServer();
        const expected = steps.map((each) => model.answer(lineOf(each)));
        assert.deepEqual(answers, expected);
        assert.equal(destination.statistics.outstanding, 0);
      },
    ),
    { seed: SEED, numRuns: 400 },
  );
});

test('random bytes from a server end its connection with an error, and never the process', () => {
  const pieces = fc.constantFrom(
    'VALUE a 0 1\r\nx\r\n',
    'END\r\n',
    'STORED\r\n',
    'VA 1\r\n',
    '\r\n',
    'SERVER_ERROR x\r\n',
    'NOT_FOUND_HOT\r\n',
    'LVALUE a 1 0 0\r\n\r\n',
    '\0',
    '9',
  );
  fc.assert(
    fc.property(
      fc.array(fc.oneof(pieces, fc.string({ maxLength: 6 })), { maxLength: 12 }),
      fc.boolean(),
      (parts, isSentFirst) => {
        const links = new FakeLinks();
        const destinations = new Destinations({ clock: new FakeClock(), random: Math.random, links });
        const destination = destinations.get(parseAddress('10.0.0.1:1').address, {
          ...DESTINATION_DEFAULTS,
          dialect: Dialect.larder,
          failuresUntilTko: 1000,
        });
        let answered = 0;
        const sink = { onReply: (): void => void answered++ };
        const operations = [
          Operation.get,
          Operation.get,
          Operation.set,
          Operation.leaseGet,
          Operation.stats,
          Operation.metaGet,
        ];
        for (const part of parts) {
          for (const operation of operations) destination.submit(Request.of(operation, 'a'), sink, 0);
          if (isSentFirst) links.last.sent();
          links.last.open();
          links.last.reply(part);
        }
        destination.close();
        assert.equal(answered, parts.length * operations.length);
        assert.equal(destination.statistics.outstanding, 0);
      },
    ),
    { seed: SEED, numRuns: 500 },
  );
});
