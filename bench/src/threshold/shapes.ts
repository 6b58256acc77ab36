/** What is swept (papers/sosp23 5.1, figure 5): the payload of a reply, and the number of buffers it is made of. */

export interface Shape {
  readonly payloadBytes: number;
  readonly buffers: number;
}

const PAYLOADS: readonly number[] = [512, 1024, 2048, 4096, 8192];
const BUFFERS: readonly number[] = [1, 2, 4, 8, 16, 32];
/** Smaller buffers are never worth a reference, and are not looked at. */
const BUFFER_BYTES_MIN = 64;

export const SHAPES: readonly Shape[] = PAYLOADS.flatMap((payloadBytes) =>
  BUFFERS.filter((buffers) => payloadBytes / buffers >= BUFFER_BYTES_MIN).map((buffers) => ({
    payloadBytes,
    buffers,
  })),
);

export function bufferBytes(shape: Shape): number {
  return shape.payloadBytes / shape.buffers;
}

/** The buffer sizes that occur, ascending. */
export const BUFFER_SIZES: readonly number[] = [...new Set(SHAPES.map(bufferBytes))].sort((a, b) => a - b);

/** Where replies go. */
export const TARGETS = ['nic', 'uring-tcp', 'epoll-tcp', 'uring-udp', 'epoll-udp'] as const;
export type Target = (typeof TARGETS)[number];

/** What one cell costs, in nanoseconds of the server's CPU per request, for each round. */
export interface Cell extends Shape {
  readonly copyNs: readonly number[];
  readonly referenceNs: readonly number[];
}

export interface TargetResult {
  readonly target: Target;
  readonly cells: readonly Cell[];
  /** Bytes of a field from which on a reference is cheaper; null when it is not up to the largest. */
  readonly thresholdBytes: number | null;
}
