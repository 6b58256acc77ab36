/**
 * What a request costs between the transport's buffer and the reply's: `node -C larder-source session.bench.ts [filter]`.
 *
 * One batch is a receive buffer full of requests; the output starts over with each batch, as if it had been
 * sent. Prints nanoseconds per key, the best and the median of several rounds.
 */
import type { Connection } from '@larder/datapath';
import type { Session } from './session.ts';
import { SessionHarness } from './testing/session-harness.ts';

const ROUNDS = 9;
const ROUND_MS = 300;
const KEYS = 10_000;
const RECEIVE_BYTES = 15_000;

/** As small as an output can be: 256 KiB that are never full. */
class BenchOutput {
  session!: Session;
  readonly id: number = 1;
  readonly kind: 'tcp' = 'tcp' as const;
  readonly isCongested: boolean = false;
  cursor: number;
  limit: number;
  readonly #harness: SessionHarness;
  readonly #start: number;

  constructor(harness: SessionHarness) {
    this.#harness = harness;
    const network = harness.store.networkAllocator();
    this.#start = network.allocate(network.classFor(900_000)) + 64;
    this.cursor = this.#start;
    this.limit = this.#start + 900_000;
  }
  restart(): void {
    this.cursor = this.#start;
  }
  reserve(bytes: number): number {
    return this.cursor + bytes <= this.limit ? this.cursor : 0;
  }
  copy(offset: number, bytes: number): void {
    this.#harness.arena.u8.copyWithin(this.cursor, offset, offset + bytes);
    this.cursor += bytes;
  }
  reference(_offset: number, _bytes: number, owner: number): void {
    this.#harness.store.release(owner);
  }
  writeBytes(): void {}
  writeLatin1(text: string): void {
    this.cursor += this.#harness.arena.node.write(text, this.cursor, 'latin1');
  }
  end(): void {}
}

function keyOf(index: number): string {
  return `bench:key:${String(index % KEYS).padStart(8, '0')}`;
}

function measure(
  name: string,
  keysPerRequest: number,
  request: (index: number) => string,
  valueBytes: number,
): void {
  const harness = new SessionHarness({ store: { memoryBytes: 256 << 20 } });
  const client = harness.connect();
  const value = 'v'.repeat(valueBytes);
  for (let index = 0; index < KEYS; index++) {
    client.ask(`set ${keyOf(index)} 0 0 ${valueBytes} noreply\r\n${value}\r\n`);
  }
  for (let round = 0; round < 3; round++) {
    for (let index = 0; index < KEYS; index++) client.ask(`get ${keyOf(index)}\r\n`);
  }
  harness.advance(0);
  const output = new BenchOutput(harness);
  const connection = output as unknown as Connection<Session>;
  harness.handler.onConnect(connection);
  const batches: { start: number; end: number; keys: number }[] = [];
  for (let batch = 0, index = 0; batch < 40; batch++) {
    let text = '';
    let keys = 0;
    for (let next = request(index); text.length + next.length < RECEIVE_BYTES; next = request(index)) {
      text += next;
      index += keysPerRequest;
      keys += keysPerRequest;
    }
    const start = harness.pool.take();
    harness.arena.node.write(text, start, 'latin1');
    batches.push({ start, end: start + text.length, keys });
  }
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    let keys = 0;
    const begin = performance.now();
    let now = begin;
    while (now - begin < ROUND_MS) {
      for (const batch of batches) {
        output.restart();
        const consumed = harness.handler.onData(connection, batch.start, batch.end);
        if (consumed !== batch.end) throw new Error(`${name}: ${batch.end - consumed} bytes left`);
        keys += batch.keys;
      }
      now = performance.now();
    }
    rounds.push(((now - begin) * 1e6) / keys);
  }
  rounds.sort((a, b) => a - b);
  console.log(
    `${name.padEnd(24)} ${rounds[0]!.toFixed(1)} ns best, ${rounds[ROUNDS >> 1]!.toFixed(1)} ns median, per key`,
  );
}

function multiget(name: string, count: number): (index: number) => string {
  return (index) =>
    `${name} ${Array.from({ length: count }, (_, offset) => keyOf(index + offset * 7)).join(' ')}\r\n`;
}

const value32 = 'v'.repeat(32);
const cases: [string, number, (index: number) => string, number][] = [
  ['get 32 B', 1, (index) => `get ${keyOf(index * 31)}\r\n`, 32],
  ['get miss', 1, (index) => `get nothing:here:${index}\r\n`, 32],
  ['multiget of 10', 10, multiget('get', 10), 32],
  ['multiget of 50', 50, multiget('get', 50), 32],
  ['get 1 KB', 1, (index) => `get ${keyOf(index * 31)}\r\n`, 1024],
  ['set 32 B', 1, (index) => `set ${keyOf(index * 31)} 0 0 32\r\n${value32}\r\n`, 32],
  ['set 32 B noreply', 1, (index) => `set ${keyOf(index * 31)} 0 0 32 noreply\r\n${value32}\r\n`, 32],
  ['mg v', 1, (index) => `mg ${keyOf(index * 31)} v\r\n`, 32],
  ['ms 32 B', 1, (index) => `ms ${keyOf(index * 31)} 32\r\n${value32}\r\n`, 32],
  ['gets', 1, (index) => `gets ${keyOf(index * 31)}\r\n`, 32],
  ['delete', 1, (index) => `delete nothing:here:${index}\r\n`, 32],
];
const filter = process.argv[2] ?? '';
for (const [name, keys, request, bytes] of cases)
  if (name.includes(filter)) measure(name, keys, request, bytes);
