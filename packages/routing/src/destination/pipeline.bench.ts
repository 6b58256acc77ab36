/**
 * What a destination costs beside the system calls: a request and its reply as bytes (the router's way) and as
 * objects (the client's), in batches as large as a turn brings them.
 *
 * `node -C larder-source src/destination/pipeline.bench.ts`
 */
import { ReplyShape } from '@larder/protocol';
import { systemClock } from '../clock.ts';
import type { Reply } from '../reply.ts';
import { Operation, Request } from '../request.ts';
import { parseAddress } from './address.ts';
import { DESTINATION_DEFAULTS, Dialect } from './destination-options.ts';
import { Destinations } from './destinations.ts';
import type { Link, LinkHandler } from './link.ts';

const BATCH = 32;
const REQUESTS = 1_000_000;
const ROUNDS = 3;
const VALUE_BYTES = 200;
const OUTPUT_BYTES = 1 << 20;

/** A link that forgets what is written. */
class SinkLink implements Link {
  readonly queuedBytes: number = 0;
  readonly output: Buffer = Buffer.alloc(OUTPUT_BYTES);
  #at: number = 0;

  reserve(bytes: number): number {
    if (this.#at + bytes > OUTPUT_BYTES) this.#at = 0;
    return this.#at;
  }

  commit(bytes: number): void {
    this.#at += bytes;
  }

  retract(bytes: number): boolean {
    this.#at -= bytes;
    return true;
  }

  write(bytes: Buffer, start: number, end: number): void {
    bytes.copy(this.output, this.reserve(end - start), start, end);
    this.commit(end - start);
  }

  writeOwned(): void {}

  close(): void {}
}

let handler: LinkHandler | undefined;
const links = {
  open: (_address: unknown, _options: unknown, opened: LinkHandler): Link => {
    handler = opened;
    return new SinkLink();
  },
};
const destination = new Destinations({ clock: systemClock, random: Math.random, links }).get(
  parseAddress('10.0.0.1:11211').address,
  { ...DESTINATION_DEFAULTS, dialect: Dialect.larder },
);
const keys = Array.from({ length: BATCH }, (_, index) => `user:${1_000_000 + index}:profile:main`);
const valueReply = (key: string): string => `VALUE ${key} 0 ${VALUE_BYTES}\r\n${'x'.repeat(VALUE_BYTES)}\r\n`;
const single = Buffer.from(keys.map((key) => `${valueReply(key)}END\r\n`).join(''));
const multiple = Buffer.from(`${keys.map(valueReply).join('')}END\r\n`);

function report(name: string, run: () => number): void {
  const times: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = performance.now();
    const answered = run();
    times.push((((performance.now() - startedAt) * 1e6) / answered).toFixed(0));
  }
  console.log(`${name.padEnd(24)} ${times.join(', ')} ns per request and reply`);
}

report('bytes, forwarded', () => {
  let answered = 0;
  const sink = { onBytes: (): void => void answered++, onFailure: (): void => {} };
  const lines = keys.map((key) => Buffer.from(`get ${key}\r\n`));
  while (answered < REQUESTS) {
    for (const line of lines) destination.forward(line, 0, line.length, ReplyShape.values, sink, 0);
    handler?.onData(single, 0, single.length, false);
  }
  return answered;
});
report('objects, submitted', () => {
  let bytes = 0;
  let answered = 0;
  const sink = {
    onReply: (_tag: number, reply: Reply): void => {
      answered++;
      bytes += reply.valueBytes;
    },
  };
  while (answered < REQUESTS) {
    for (const key of keys) destination.submit(Request.of(Operation.get, key), sink, 0);
    handler?.onData(multiple, 0, multiple.length, false);
  }
  if (bytes !== answered * VALUE_BYTES) throw new Error(`${bytes} bytes of ${answered} values`);
  return answered;
});
destination.close();
