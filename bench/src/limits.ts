/**
 * Every limit of the benchmarks, with the relations between them asserted at load.
 */

const KIB = 1024;
const MIB = 1024 * KIB;

/** The protocol's longest key, and the shortest that holds a letter and ten digits. */
export const KEY_BYTES_MAX: number = 250;
export const KEY_BYTES_MIN: number = 11;
/** The largest value that a plan may ask for. */
export const VALUE_BYTES_MAX: number = 8 * MIB;
/** Values start anywhere in this many bytes of the text they are cut from. */
export const VALUE_STARTS: number = 64 * KIB;
/** Keys of one plan. */
export const KEYS_MAX: number = 20_000_000;
/** Keys drawn in advance; a run walks through them in a circle. A power of two. */
export const DRAWS: number = 1 << 20;
/** Keys of one get. */
export const MULTIGET_MAX: number = 400;
/** Requests in flight on one connection of a closed loop. */
export const DEPTH_MAX: number = 1_024;
/** Requests in flight on one connection of an open loop; later ones wait and their wait is counted. A power of two. */
export const OPEN_LOOP_DEPTH: number = 1_024;
export const CONNECTIONS_MAX: number = 4_096;
/** Datagrams that one UDP stream may have under way. */
export const DATAGRAMS_OUTSTANDING_MAX: number = 4_096;
/** An unanswered datagram is given up, counted as lost, and replaced after this. */
export const DATAGRAM_TIMEOUT_MS: number = 100;

/** Latencies are kept in this unit, to the precision below, up to the maximum. */
export const LATENCY_UNIT_NS: number = 100;
export const LATENCY_DIGITS: number = 3;
export const LATENCY_MAX_SECONDS: number = 60;

/** How long a server may take to accept connections, and to end when told to. */
export const SERVER_READY_MS: number = 30_000;
export const SERVER_STOP_MS: number = 5_000;
/**
 * When the load generator itself was away from its sockets for longer (something else ran on its CPU), the
 * requests of an open loop that were under way then are counted as disturbed.
 */
export const OWN_ABSENCE_MS: number = 1;
/** A run that has no reply at all for this long has failed. */
export const RUN_STALL_MS: number = 10_000;

function assertRelation(holds: boolean, text: string): void {
  if (!holds) throw new Error(`bench limits: ${text}`);
}
assertRelation((DRAWS & (DRAWS - 1)) === 0, 'draws are indexed by a mask');
assertRelation((OPEN_LOOP_DEPTH & (OPEN_LOOP_DEPTH - 1)) === 0, 'requests in flight are indexed by a mask');
assertRelation(
  MULTIGET_MAX * (KEY_BYTES_MIN + 1) < 16 * KIB,
  'a multiget of short keys fits one send buffer',
);
assertRelation((LATENCY_MAX_SECONDS * 1e9) / LATENCY_UNIT_NS < 2 ** 31, 'latencies are 32-bit numbers');
