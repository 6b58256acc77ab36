/**
 * What a transport itself costs: a server that answers every line with the same 60 bytes, under requests of
 * 50 connections. Prints requests per second of the server's CPU time, for each transport and, side by side,
 * for any other program that answers the same requests.
 *
 *   node -C larder-source src/transport/echo.bench.ts [--seconds 3] [--depth 1] [--rounds 3] [--value 60]
 *        [--reference] [--connections 50] [--peer 'command with {port}'] [kind ...]
 *
 * The server is pinned to core 0 and the load to core 1 where there is `taskset`.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Connection } from './connection.ts';
import { openListener } from './listener.ts';
import { availableTransports, createTransport, loadTransport } from './select.ts';
import { makeMemory, TestHandler } from './testing/harness.ts';
import { CloseReason, type LoopTransport, type TransportHandler, TransportKind } from './transport.ts';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '3' },
    depth: { type: 'string', default: '1' },
    value: { type: 'string', default: '60' },
    connections: { type: 'string', default: '50' },
    reference: { type: 'boolean', default: false },
    peer: { type: 'string' },
    serve: { type: 'string' },
  },
});

const LINE_FEED = 10;
const REQUEST = 'get foobar1\r\n';
/** Linux counts CPU time in these. */
const TICKS_PER_SECOND = 100;

/** Answers each line with the same bytes. */
class AnswerHandler implements TransportHandler<undefined> {
  readonly #u8: Uint8Array;
  readonly #answer: number;
  readonly #bytes: number;
  readonly #isReference: boolean;

  constructor(u8: Uint8Array, answer: number, bytes: number, isReference: boolean) {
    this.#u8 = u8;
    this.#answer = answer;
    this.#bytes = bytes;
    this.#isReference = isReference;
  }

  onConnect(): void {}

  onData(connection: Connection<undefined>, start: number, end: number): number {
    const u8 = this.#u8;
    let from = start;
    for (let at = start; at < end; at++) {
      if (u8[at] !== LINE_FEED) continue;
      if (this.#isReference) {
        connection.reference(this.#answer, this.#bytes - 5, 0);
        connection.copy(this.#answer + this.#bytes - 5, 5);
      } else {
        connection.copy(this.#answer, this.#bytes);
      }
      from = at + 1;
    }
    return from;
  }

  onClose(): void {}
  onRelease(): void {}
}

async function serve(kind: TransportKind): Promise<void> {
  const allocator = makeMemory(kind, 256 * 1024 ** 2);
  const bytes = Number(flags.value);
  const answer = allocator.allocate(allocator.classFor(bytes + 64)) + 64;
  allocator.arena.u8.fill(120, answer, answer + bytes);
  const handler = new AnswerHandler(allocator.arena.u8, answer, bytes, flags.reference);
  const socket = await openListener(kind, { kind: 'tcp', host: '127.0.0.1', port: 0 });
  const transport = await createTransport<undefined>(kind, {
    arena: allocator.arena,
    allocator,
    handler,
    clock: () => performance.now(),
  });
  await transport.serve(socket);
  process.stdout.write(`port ${socket.port}\n`);
  await transport.run();
}

interface Peer {
  readonly name: string;
  readonly process: ChildProcess;
  readonly port: number;
}

function pinned(core: number, command: string[]): [string, string[]] {
  try {
    execFileSync('taskset', ['-V'], { stdio: 'ignore' });
    return ['taskset', ['-c', String(core), ...command]];
  } catch {
    return [command[0]!, command.slice(1)];
  }
}

async function startOwn(kind: string): Promise<Peer> {
  const args = ['--serve', kind, '--value', flags.value, ...(flags.reference ? ['--reference'] : [])];
  const [file, rest] = pinned(0, [process.execPath, ...process.execArgv, import.meta.filename, ...args]);
  const child = spawn(file, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout!, 'data')) as [Buffer];
  return { name: kind, process: child, port: Number(line.toString().split(' ')[1]) };
}

async function startPeer(command: string): Promise<Peer> {
  const probe = await openListener(TransportKind.node, { kind: 'tcp', host: '127.0.0.1', port: 0 });
  const words = command.replaceAll('{port}', String(probe.port)).split(' ');
  const [file, rest] = pinned(0, words);
  const child = spawn(file, rest, { stdio: 'ignore' });
  for (let attempt = 0; attempt < 100; attempt++) {
    await sleep(50);
    const socket = connect(probe.port, '127.0.0.1');
    const isUp = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    if (!isUp) continue;
    // The same item as ours, where the peer stores items.
    const value = 'x'.repeat(Math.max(1, Number(flags.value) - 28));
    socket.write(`set foobar1 0 0 ${value.length}\r\n${value}\r\n`);
    await once(socket, 'data');
    socket.destroy();
    return {
      name: words.find((word) => word.includes('cache')) ?? words[0]!,
      process: child,
      port: probe.port,
    };
  }
  throw new Error(`${command} does not answer`);
}

function cpuTicks(processId: number): number {
  const fields = readFileSync(`/proc/${processId}/stat`, 'latin1').split(') ')[1]!.split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/** Keeps `depth` requests in flight on every connection; counts answers that end a line group. */
class LoadHandler extends TestHandler<{ left: number }> {
  answers = 0;
  readonly #u8: Uint8Array;
  readonly #request: string;
  readonly #depth: number;

  constructor(u8: Uint8Array, depth: number) {
    super();
    this.#u8 = u8;
    this.#depth = depth;
    this.#request = REQUEST.repeat(depth);
  }

  override onConnect(connection: Connection<{ left: number }>): void {
    connection.session = { left: this.#depth * answerBytes };
    connection.writeLatin1(this.#request);
  }

  override onData(connection: Connection<{ left: number }>, start: number, end: number): number {
    const session = connection.session;
    session.left -= end - start;
    if (session.left < 0 || this.#u8[start] === undefined) throw new Error('more bytes than expected');
    if (session.left === 0) {
      session.left = this.#depth * answerBytes;
      this.answers += this.#depth;
      connection.writeLatin1(this.#request);
    }
    return end;
  }

  override onClose(_connection: Connection<{ left: number }>, reason: CloseReason, error?: Error): void {
    if (reason !== CloseReason.local && reason !== CloseReason.shutdown) throw error ?? new Error(reason);
  }
}

let answerBytes = 0;

/** The length of one answer, asked once. */
async function measureAnswer(port: number): Promise<number> {
  const socket = connect(port, '127.0.0.1');
  socket.write(REQUEST);
  let bytes = 0;
  socket.on('data', (part) => {
    bytes += part.length;
  });
  await sleep(200);
  socket.destroy();
  return bytes;
}

interface Result {
  readonly perSecond: number;
  readonly perCpuSecond: number;
}

async function measure(peer: Peer, seconds: number): Promise<Result> {
  answerBytes = await measureAnswer(peer.port);
  const kind = availableTransports()[0]!.available ? TransportKind.uring : TransportKind.epoll;
  const allocator = makeMemory(kind, 64 * 1024 ** 2);
  const handler = new LoadHandler(allocator.arena.u8, Number(flags.depth));
  const make = await loadTransport<{ left: number }>(kind);
  const load: LoopTransport<{ left: number }> = make({
    arena: allocator.arena,
    allocator,
    handler,
    clock: () => performance.now(),
  });
  for (let count = 0; count < Number(flags.connections); count++) {
    load.connect({ kind: 'tcp', host: '127.0.0.1', port: peer.port });
  }
  const runUntil = (end: number): void => {
    while (performance.now() < end) load.turn(100);
  };
  runUntil(performance.now() + 700);
  const before = { answers: handler.answers, ticks: cpuTicks(peer.process.pid!), at: performance.now() };
  runUntil(before.at + seconds * 1000);
  const answers = handler.answers - before.answers;
  const cpuSeconds = (cpuTicks(peer.process.pid!) - before.ticks) / TICKS_PER_SECOND;
  const elapsed = (performance.now() - before.at) / 1000;
  load.stop(0);
  while (load.turn(10));
  return { perSecond: answers / elapsed, perCpuSecond: answers / cpuSeconds };
}

async function main(): Promise<void> {
  const kinds = positionals.length > 0 ? positionals : ['uring', 'epoll'];
  try {
    execFileSync('taskset', ['-cp', '1', String(process.pid)], { stdio: 'ignore' });
  } catch {
    console.log('no taskset: nothing is pinned');
  }
  const peers: Peer[] = [];
  process.once('exit', () => {
    for (const peer of peers) peer.process.kill('SIGKILL');
  });
  for (const kind of kinds) peers.push(await startOwn(kind));
  if (flags.peer !== undefined) {
    for (const command of flags.peer.split(',')) peers.push(await startPeer(command));
  }
  for (let round = 0; round < Number(flags.rounds); round++) {
    for (const peer of peers) {
      const result = await measure(peer, Number(flags.seconds));
      const rate = (value: number): string => `${(value / 1000).toFixed(0).padStart(6)} k`;
      console.log(
        `${peer.name.padEnd(20)} ${rate(result.perSecond)}/s ${rate(result.perCpuSecond)} per CPU second`,
      );
    }
  }
  process.exit();
}

if (flags.serve !== undefined) await serve(flags.serve as TransportKind);
else await main();
