/**
 * Where sampled request durations go. One batch of requests in SAMPLE_EVERY_BATCHES is timed, request by
 * request, so that the clock costs next to nothing and the histogram still sees every kind of request.
 */

/** The kinds of requests that have a histogram of their own, and their number in `record`. */
export const CommandKind: {
  readonly get: 0;
  readonly set: 1;
  readonly delete: 2;
  readonly arithmetic: 3;
  readonly touch: 4;
  readonly lease: 5;
  readonly metaGet: 6;
  readonly metaSet: 7;
  readonly metaDelete: 8;
  readonly metaArithmetic: 9;
  readonly other: 10;
  /** The typed protocol's. */
  readonly rpcGet: 11;
  readonly rpcSet: 12;
  readonly rpcDelete: 13;
  readonly rpcLease: 14;
  readonly rpcOther: 15;
} = {
  get: 0,
  set: 1,
  delete: 2,
  arithmetic: 3,
  touch: 4,
  lease: 5,
  metaGet: 6,
  metaSet: 7,
  metaDelete: 8,
  metaArithmetic: 9,
  other: 10,
  rpcGet: 11,
  rpcSet: 12,
  rpcDelete: 13,
  rpcLease: 14,
  rpcOther: 15,
};
export type CommandKind = (typeof CommandKind)[keyof typeof CommandKind];

/** The name of a kind is at its number; those of the typed protocol begin with RPC_PREFIX. */
export const COMMAND_KIND_NAMES: readonly string[] = [
  'get',
  'set',
  'delete',
  'arithmetic',
  'touch',
  'lease',
  'meta_get',
  'meta_set',
  'meta_delete',
  'meta_arithmetic',
  'other',
  'rpc_get',
  'rpc_set',
  'rpc_delete',
  'rpc_lease',
  'rpc_other',
];

/** In front of the names of what the typed protocol counts and measures. */
export const RPC_PREFIX: string = 'rpc_';

/** One batch in this many is timed. */
export const SAMPLE_EVERY_BATCHES: number = 32;

export interface LatencyRecorder {
  /** A monotonic clock, in nanoseconds. */
  now(): number;
  record(kind: CommandKind, nanoseconds: number): void;
}
