/** Every limit and default of the echo server and its load, with the relations between them asserted at load. */

import { COPY_THRESHOLD_DEFAULT } from '@larder/datapath';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Memory of a server, and of a load: receive and send buffers, and what is copied. */
export const SERVER_MEMORY_BYTES: number = 128 * MIB;
export const LOAD_MEMORY_BYTES: number = 64 * MIB;
export const CONNECTIONS_MAX: number = 1024;

/** Messages inside messages, as in Larder's own format. */
export const TREE_DEPTH_MAX: number = 64;
/**
 * A message of another serializer: a hostile one of this size may become some hundred megabytes of objects before
 * its library finds out.
 */
export const PEER_MESSAGE_BYTES_MAX: number = 4 * MIB;

/** From this size on, bytes are referred to instead of copied: where that is cheaper over kernel sockets. */
export const REFERENCE_BYTES_MIN: number = COPY_THRESHOLD_DEFAULT;

/** The load. The default message is the one of papers/sosp23 2.2: a list of two buffers of 2048 bytes. */
export const DEFAULT_FIELD_BYTES: number = 2048;
export const DEFAULT_FIELDS: number = 2;
export const FIELDS_MAX: number = 4096;
export const DEFAULT_SECONDS: number = 5;
export const DEFAULT_WARM_UP_SECONDS: number = 0.5;
export const SECONDS_MIN: number = 0.01;
export const SECONDS_MAX: number = 24 * 3600;
export const DEFAULT_IN_FLIGHT: number = 16;
export const IN_FLIGHT_MAX: number = 4096;
export const DEFAULT_CONNECTIONS: number = 1;
export const LOAD_CONNECTIONS_MAX: number = 256;
/** Levels of the tree of messages: 2 to the power of this minus 1 of them. */
export const LEVELS_MAX: number = 10;
/** The payload of one message. */
export const LOAD_MESSAGE_BYTES_MAX: number = 2 * MIB;
/** Different messages that the load sends in turn, so that a reply to another request is noticed. */
export const MESSAGE_VARIANTS: number = 8;

/** A server that answers nothing for this long has failed; a datagram is lost after this. */
export const STALL_MS: number = 3000;
export const DATAGRAM_TIMEOUT_MS: number = 500;

function assertRelation(holds: boolean, text: string): void {
  if (!holds) throw new Error(`echo limits: ${text}`);
}
// Base64 makes four bytes of three, and every field has a head.
assertRelation(LOAD_MESSAGE_BYTES_MAX * 1.5 <= PEER_MESSAGE_BYTES_MAX, "the load's messages are answered");
assertRelation(LEVELS_MAX <= TREE_DEPTH_MAX, "the load's trees are answered");
assertRelation(DATAGRAM_TIMEOUT_MS < STALL_MS, 'a lost datagram is no stall');
