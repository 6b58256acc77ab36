/**
 * Which transport runs: an argument, then the environment variable LARDER_TRANSPORT, then the first that the
 * machine has of uring, epoll and node. Only "not available" falls back, and only when nobody asked for one.
 */
import { DatapathError } from '../errors.ts';
import { ioUringUnavailableReason } from '../sys/io-uring.ts';
import { libcUnavailableReason } from '../sys/libc.ts';
import type { TransportOptions } from './options.ts';
import { type LoopTransport, type Transport, TransportKind } from './transport.ts';

/** The environment variable that forces a transport. */
export const TRANSPORT_VARIABLE = 'LARDER_TRANSPORT';

export interface TransportAvailability {
  readonly kind: TransportKind;
  readonly available: boolean;
  /** Why not. */
  readonly reason?: string;
}

/** Says why a transport cannot be had, or undefined. */
export type TransportProbe = (kind: TransportKind) => string | undefined;

/** In the order of preference. */
const KINDS: readonly TransportKind[] = [TransportKind.uring, TransportKind.epoll, TransportKind.node];

/** Asks the kernel. Loads koffi on Linux. */
export function probeTransport(kind: TransportKind): string | undefined {
  if (kind === TransportKind.uring) return ioUringUnavailableReason();
  return kind === TransportKind.epoll ? libcUnavailableReason() : undefined;
}

/** All transports, best first, and why those that cannot be had cannot. */
export function availableTransports(probe: TransportProbe = probeTransport): TransportAvailability[] {
  return KINDS.map((kind) => {
    const reason = probe(kind);
    return reason === undefined ? { kind, available: true } : { kind, available: false, reason };
  });
}

/**
 * The transport to use. Throws `ARGUMENT` for an unknown name and `UNAVAILABLE`, with the reason, for one that
 * was asked for and cannot be had.
 */
export function selectTransport(
  requested?: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
  probe: TransportProbe = probeTransport,
): TransportKind {
  const name = requested ?? (environment[TRANSPORT_VARIABLE] || undefined);
  if (name === undefined) {
    return KINDS.find((kind) => probe(kind) === undefined) ?? TransportKind.node;
  }
  const kind = KINDS.find((candidate) => candidate === name);
  const source = requested === undefined ? TRANSPORT_VARIABLE : 'transport';
  if (kind === undefined) {
    throw new DatapathError('ARGUMENT', source, `${JSON.stringify(name)} is none of ${KINDS.join(', ')}`);
  }
  const reason = probe(kind);
  if (reason !== undefined) throw new DatapathError('UNAVAILABLE', source, `${kind}: ${reason}`);
  return kind;
}

/** What makes a transport, once its code is loaded. */
export type TransportFactory<S> = (options: TransportOptions<S>) => Transport<S>;
export type LoopTransportFactory<S> = (options: TransportOptions<S>) => LoopTransport<S>;

/** Loads the code of one kind, and nothing of the others; the result makes transports of that kind. */
export function loadTransport<S>(kind: 'uring' | 'epoll'): Promise<LoopTransportFactory<S>>;
export function loadTransport<S>(kind: TransportKind): Promise<TransportFactory<S>>;
export async function loadTransport<S>(kind: TransportKind): Promise<TransportFactory<S>> {
  if (kind === TransportKind.uring) {
    const { UringTransport } = await import('./uring.ts');
    return (options) => new UringTransport<S>(options);
  }
  if (kind === TransportKind.epoll) {
    const { EpollTransport } = await import('./epoll.ts');
    return (options) => new EpollTransport<S>(options);
  }
  const { NodeTransport } = await import('./node.ts');
  return (options) => new NodeTransport<S>(options);
}

/** Makes a transport of a kind that is available. Call it on the thread that will run it. */
export function createTransport<S>(
  kind: 'uring' | 'epoll',
  options: TransportOptions<S>,
): Promise<LoopTransport<S>>;
export function createTransport<S>(kind: TransportKind, options: TransportOptions<S>): Promise<Transport<S>>;
export async function createTransport<S>(
  kind: TransportKind,
  options: TransportOptions<S>,
): Promise<Transport<S>> {
  const make = await loadTransport<S>(kind);
  return make(options);
}
