/**
 * A load for an echo server: sends messages, looks at every answer, and says how many there were and how long they
 * took. It is one thread, so that a server that answers more than one thread asks is not shown by it; `npm run bench`
 * of the repository measures that, by the server's CPU time.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { resolveAddress, type TransportKind } from '@larder/datapath';
import { chooseTransport } from '@larder/host';
import { Memory } from '@larder/wire';
import { EchoError } from '../errors.ts';
import { DATAGRAM_TIMEOUT_MS, LOAD_MEMORY_BYTES, STALL_MS } from '../limits.ts';
import { loadSerializer } from '../serializers/registry.ts';
import { makeAllocator, startTransport } from '../transport-thread.ts';
import { DatagramLoad } from './datagram-load.ts';
import { LoadMessages } from './messages.ts';
import { type EchoLoadOptions, type EchoLoadSettings, resolveLoadOptions } from './options.ts';
import { StreamLoad } from './stream-load.ts';
import { type EchoLatency, Tally } from './tally.ts';

const LOOK_EVERY_MS = 20;

export interface EchoLoadResult {
  readonly serializer: string;
  readonly protocol: 'tcp' | 'udp';
  /** Of the load; `node` for UDP. */
  readonly transport: TransportKind;
  /** Bytes of one encoded message, of the load's first. */
  readonly messageBytes: number;
  /** Of the measured time. */
  readonly seconds: number;
  /** Answers with the right content, with another, and (UDP) requests without one. */
  readonly echoes: number;
  readonly wrong: number;
  readonly lost: number;
  readonly requestsPerSecond: number;
  /** Of all the right answers. */
  readonly bytesPerSecond: number;
  readonly latencyMs: EchoLatency;
}

/** What both kinds of load are to the one who runs them. */
interface Load {
  readonly failed: Promise<never>;
  readonly unanswered: number;
  finish(): void;
}

/**
 * Runs a load. Rejects with an `EchoError`: `OPTION`, `MISSING_PACKAGE`, an errno name, `CLOSED` when the server ends
 * a connection (as it does when its serializer is another one), `STALLED` when it stops answering.
 */
export async function runEchoLoad(options: EchoLoadOptions): Promise<EchoLoadResult> {
  const settings = resolveLoadOptions(options);
  const { signal } = options;
  try {
    const serializer = await loadSerializer(settings.serializer);
    const messages = new LoadMessages(serializer, settings);
    return settings.udp
      ? await overDatagrams(settings, messages, signal)
      : await overStreams(settings, messages, signal);
  } catch (error) {
    throw EchoError.from(error);
  }
}

async function overStreams(
  settings: EchoLoadSettings,
  messages: LoadMessages,
  signal: AbortSignal | undefined,
): Promise<EchoLoadResult> {
  const { port, connections, inFlight } = settings;
  const kind = chooseTransport(settings.transport);
  const host = await literal(settings.host, port);
  const allocator = makeAllocator(kind, LOAD_MEMORY_BYTES);
  const tally = new Tally();
  const target = `${settings.host}:${port}`;
  const load = new StreamLoad(Memory.ofArena(allocator.arena), messages, tally, inFlight, target);
  const { transport, ended } = await startTransport(kind, allocator, load, async (made) => {
    for (let index = 0; index < connections; index++) load.connect(made, host, port);
  });
  try {
    const seconds = await measure(load, tally, settings, signal);
    return resultOf(settings, kind, messages, tally, seconds);
  } finally {
    load.close();
    transport.stop();
    await ended;
  }
}

async function overDatagrams(
  settings: EchoLoadSettings,
  messages: LoadMessages,
  signal: AbortSignal | undefined,
): Promise<EchoLoadResult> {
  const { port, connections, inFlight } = settings;
  const host = await literal(settings.host, port);
  const tally = new Tally();
  const load = new DatagramLoad(messages, tally, inFlight, `${settings.host}:${port}`);
  try {
    await load.open(host, port, connections);
    const seconds = await measure(load, tally, settings, signal);
    return resultOf(settings, 'node', messages, tally, seconds);
  } finally {
    load.close();
  }
}

async function literal(host: string, port: number): Promise<string> {
  const address = await resolveAddress({ kind: 'tcp', host, port });
  return address.kind === 'tcp' ? address.host : host;
}

/** Warms up, counts, and lets what is under way come back. Returns the seconds that were counted. */
async function measure(
  load: Load,
  tally: Tally,
  { seconds, warmUpSeconds, udp }: EchoLoadSettings,
  signal: AbortSignal | undefined,
): Promise<number> {
  await watch(load, tally, warmUpSeconds * 1000, signal);
  tally.begin();
  const begin = performance.now();
  await watch(load, tally, seconds * 1000, signal);
  const counted = (performance.now() - begin) / 1000;
  tally.end();
  load.finish();
  const giveUpAt = performance.now() + (udp ? DATAGRAM_TIMEOUT_MS : STALL_MS);
  while (load.unanswered > 0 && performance.now() < giveUpAt) {
    await Promise.race([delay(LOOK_EVERY_MS), load.failed]);
  }
  return counted;
}

/** Waits, and makes sure that something is answered meanwhile. */
async function watch(
  load: Load,
  tally: Tally,
  durationMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const endMs = performance.now() + durationMs;
  let seen = tally.seen;
  let movedMs = performance.now();
  for (let nowMs = movedMs; nowMs < endMs && signal?.aborted !== true; nowMs = performance.now()) {
    await Promise.race([delay(Math.min(LOOK_EVERY_MS, Math.ceil(endMs - nowMs))), load.failed]);
    if (tally.seen !== seen) {
      seen = tally.seen;
      movedMs = performance.now();
    } else if (performance.now() - movedMs > STALL_MS) {
      throw new EchoError('STALLED', `no answer for ${STALL_MS / 1000} s; does it serve this --serializer?`);
    }
  }
}

function resultOf(
  settings: EchoLoadSettings,
  transport: TransportKind,
  messages: LoadMessages,
  tally: Tally,
  seconds: number,
): EchoLoadResult {
  return {
    serializer: settings.serializer,
    protocol: settings.udp ? 'udp' : 'tcp',
    transport,
    messageBytes: messages.encoded[0]!.length,
    seconds,
    echoes: tally.answered,
    wrong: tally.wrong,
    lost: tally.lost,
    requestsPerSecond: tally.answered / seconds,
    bytesPerSecond: tally.bytes / seconds,
    latencyMs: tally.latency(),
  };
}
