import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena, MIB, PageTable, SlabAllocator, SlabClasses } from '@larder/datapath';
import fc from 'fast-check';
import { ChunkChains } from './chunk-chain.ts';
import { Client, PENDING_SILENT, PENDING_SPLIT } from './client.ts';
import type { PeerOutput } from './peer-output.ts';

const SEED = 20_130_405;
const SOURCE = 256 * 1024;

class TextOutput implements PeerOutput {
  readonly isCongested: boolean = false;
  text = '';
  isOwed = false;
  readonly #arena: Arena;
  readonly #allocator: SlabAllocator;

  constructor(arena: Arena, allocator: SlabAllocator) {
    this.#arena = arena;
    this.#allocator = allocator;
  }

  owe(isOwed: boolean): void {
    this.isOwed = isOwed;
  }

  copy(offset: number, bytes: number): void {
    this.text += this.#arena.node.toString('latin1', offset, offset + bytes);
  }

  reference(offset: number, bytes: number, owner: number): void {
    this.copy(offset, bytes);
    this.#allocator.release(owner);
  }

  writeBytes(bytes: Uint8Array): void {
    this.text += Buffer.from(bytes).toString('latin1');
  }

  writeLatin1(text: string): void {
    this.text += text;
  }
}

interface SetUp {
  readonly client: Client;
  readonly output: TextOutput;
  readonly allocator: SlabAllocator;
  readonly arena: Arena;
  readonly chains: ChunkChains;
  readonly drained: () => number;
}

function setUp(): SetUp {
  const arena = Arena.portable(32 * MIB);
  const allocator = new SlabAllocator(new PageTable(arena, 64, 1), 64 * 1024, 1, new SlabClasses());
  allocator.setPageLimit(31);
  const output = new TextOutput(arena, allocator);
  const chains = new ChunkChains(arena, allocator);
  let drains = 0;
  const client = new Client(
    output,
    chains,
    () => 'somebody',
    () => {
      drains++;
    },
  );
  return { client, output, allocator, arena, chains, drained: () => drains };
}

interface Planned {
  readonly parts: readonly number[];
  readonly isSilent: boolean;
  readonly fails: boolean;
}

const plannedRequest: fc.Arbitrary<Planned> = fc.record({
  parts: fc.array(fc.constantFrom(0, 1, 30, 5_000, 300_000), { minLength: 1, maxLength: 4 }),
  isSilent: fc.boolean(),
  fails: fc.boolean(),
});

/** What a client has to see: every request's bytes in the order of the requests, parts of one in any order. */
function check(requests: readonly Planned[], order: readonly number[]): void {
  const { client, output, allocator, arena, chains } = setUp();
  const letter = (request: number, part: number): number => 97 + ((request * 4 + part) % 26);
  const steps = requests.flatMap(({ parts }, request) =>
    parts.map((bytes, part) => ({ request, part, bytes })),
  );
  const shuffled = steps.map((step, index) => ({ step, at: order[index % order.length]! * 1000 + index }));
  shuffled.sort((a, b) => a.at - b.at);
  const sequences = requests.map(({ parts, isSilent }) =>
    client.begin(parts.length, (parts.length > 1 ? PENDING_SPLIT : 0) | (isSilent ? PENDING_SILENT : 0)),
  );
  const arrived: string[][] = requests.map(() => []);
  for (const { step } of shuffled) {
    const { request, part, bytes } = step;
    const sequence = sequences[request]!;
    arena.u8.fill(letter(request, part), SOURCE, SOURCE + bytes);
    if (bytes > 0) client.write(sequence, SOURCE, bytes);
    arrived[request]!.push(String.fromCharCode(letter(request, part)).repeat(bytes));
    if (requests[request]!.fails && part === 0) client.fail(sequence, 'SERVER_ERROR no');
    else client.finish(sequence);
  }
  let expected = '';
  for (const [request, { parts, isSilent, fails }] of requests.entries()) {
    if (isSilent) continue;
    expected += arrived[request]!.join('');
    if (fails) expected += 'SERVER_ERROR no\r\n';
    else if (parts.length > 1) expected += 'END\r\n';
  }
  assert.equal(output.text, expected);
  assert.equal(client.pending, 0);
  assert.equal(output.isOwed, false);
  chains.drain();
  assert.equal(allocator.chunksInUse(), 0, 'held replies give their memory back');
}

test(`replies leave in the order of the requests, however they come (seed ${SEED})`, () => {
  const inputs = [
    fc.array(plannedRequest, { minLength: 1, maxLength: 20 }),
    fc.array(fc.nat(100), { minLength: 1 }),
  ] as const;
  fc.assert(
    fc.property(...inputs, (requests, order) => check(requests, order)),
    { seed: SEED, numRuns: 60 },
  );
});

test('a closed client drops replies and gives held ones back', () => {
  const { client, output, allocator, chains } = setUp();
  const first = client.begin(1, 0);
  const second = client.begin(1, 0);
  client.write(second, SOURCE, 1000);
  assert.ok(allocator.chunksInUse() > 0);
  client.close();
  chains.drain();
  assert.equal(allocator.chunksInUse(), 0);
  client.write(first, SOURCE, 10);
  client.finish(first);
  client.reply(second, 'late\r\n');
  assert.equal(output.text, '');
  assert.equal(client.pending, 0);
});

test('who is blocked or ending hears when nothing is pending any more', () => {
  const { client, drained } = setUp();
  const first = client.begin(1, 0);
  const second = client.begin(1, 0);
  client.isBlocked = true;
  client.finish(second);
  assert.equal(drained(), 0);
  client.finish(first);
  assert.equal(drained(), 1);
});

test('a client with large replies may have few requests under way', () => {
  const { client } = setUp();
  assert.equal(client.isFull, false);
  for (let count = 0; count < 20; count++) {
    const sequence = client.begin(1, 0);
    client.write(sequence, SOURCE, 500_000);
    client.finish(sequence);
  }
  for (let count = 0; count < 8; count++) client.begin(1, 0);
  assert.equal(client.isFull, false, 'eight are always let through');
  client.begin(1, 0);
  assert.equal(client.isFull, true);
});
