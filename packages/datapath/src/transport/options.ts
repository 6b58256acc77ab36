/** What every transport is made with. */
import type { SecureContextOptions } from 'node:tls';
import { DatapathError } from '../errors.ts';
import {
  CHUNK_BYTES_MAX,
  CONNECTIONS_MAX,
  INPUT_BYTES_MAX,
  OUTPUT_BYTES_HIGH,
  OUTPUT_BYTES_LOW,
  RECEIVE_BUFFERS,
  SLOW_READER_BYTES_MIN,
  SLOW_READER_MS,
  ZERO_COPY_BYTES_MIN,
} from '../limits.ts';
import type { Arena } from '../memory/arena.ts';
import { BUFFER_HEADER_BYTES } from '../memory/buffer-pool.ts';
import type { SlabAllocator } from '../memory/slab-allocator.ts';
import type { TransportHandler } from './transport.ts';

export interface TransportLimits {
  readonly connectionsMax: number;
  /** The longest rest a handler may leave; also limited by the largest chunk. */
  readonly inputBytesMax: number;
  readonly outputBytesHigh: number;
  readonly outputBytesLow: number;
  /** A connection whose output makes no progress for this long is closed; fewer bytes than these are none. */
  readonly slowReaderMs: number;
  readonly slowReaderBytesMin: number;
  /** A connection that sends nothing for this long is closed; 0 for never. */
  readonly idleTimeoutMs: number;
  /** The most receive buffers provided to io_uring, when many connections are busy: a power of two. */
  readonly receiveBuffers: number;
}

/** What happens to a connection beyond `connectionsMax`. */
export const AcceptWhenFull: { readonly close: 'close'; readonly wait: 'wait' } = {
  close: 'close',
  wait: 'wait',
};
export type AcceptWhenFull = (typeof AcceptWhenFull)[keyof typeof AcceptWhenFull];

export interface TransportOptions<S> {
  readonly arena: Arena;
  /** Where receive and send buffers come from. */
  readonly allocator: SlabAllocator;
  readonly handler: TransportHandler<S>;
  /** Milliseconds on any monotonic scale; called at most once a loop turn. */
  readonly clock: () => number;
  readonly limits?: Partial<TransportLimits>;
  /** `close` (the default) refuses, with `handler.onRefuse`'s bytes; `wait` leaves them to the backlog. */
  readonly acceptWhenFull?: AcceptWhenFull;
  /** io_uring only: send referenced parts of at least `zeroCopyBytesMin` with SENDMSG_ZC. */
  readonly zeroCopy?: boolean;
  readonly zeroCopyBytesMin?: number;
  /** Given each accepted descriptor first (Linux transports); true means it was handed elsewhere. */
  readonly acceptTo?: (descriptor: number) => boolean;
}

/** How one listening socket is served. */
export interface ServeOptions {
  /** Terminates TLS with these certificates; portable transport only. */
  readonly tls?: TlsOptions;
}

/** Certificates and settings as `node:tls` takes them. */
export type TlsOptions = SecureContextOptions & {
  readonly requestCert?: boolean;
  readonly rejectUnauthorized?: boolean;
};

/** Fills in the defaults and refuses limits that contradict each other. */
export function resolveLimits(given: Partial<TransportLimits> | undefined): TransportLimits {
  const limits: TransportLimits = {
    connectionsMax: given?.connectionsMax ?? CONNECTIONS_MAX,
    inputBytesMax: Math.min(given?.inputBytesMax ?? INPUT_BYTES_MAX, CHUNK_BYTES_MAX - BUFFER_HEADER_BYTES),
    outputBytesHigh: given?.outputBytesHigh ?? OUTPUT_BYTES_HIGH,
    outputBytesLow: given?.outputBytesLow ?? Math.min(OUTPUT_BYTES_LOW, given?.outputBytesHigh ?? Infinity),
    slowReaderMs: given?.slowReaderMs ?? SLOW_READER_MS,
    slowReaderBytesMin: given?.slowReaderBytesMin ?? SLOW_READER_BYTES_MIN,
    idleTimeoutMs: given?.idleTimeoutMs ?? 0,
    receiveBuffers: given?.receiveBuffers ?? RECEIVE_BUFFERS,
  };
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isInteger(value) || value < 0) fail(`${name} is ${value}`);
  }
  if (limits.connectionsMax < 1) fail('connectionsMax is 0');
  if (limits.outputBytesLow > limits.outputBytesHigh) fail('outputBytesLow is above outputBytesHigh');
  const buffers = limits.receiveBuffers;
  if (buffers < 1 || buffers > 32_768 || (buffers & (buffers - 1)) !== 0) {
    fail(`receiveBuffers is ${buffers}, not a power of two up to 32768`);
  }
  return limits;
}

export function resolveZeroCopyBytesMin(given: number | undefined): number {
  return given ?? ZERO_COPY_BYTES_MIN;
}

function fail(text: string): never {
  throw new DatapathError('ARGUMENT', 'transport limits', text);
}
