/** Every limit of the router beside those of `@larder/host`, with the relations between them asserted at load. */
import { SEND_BUFFER_BYTES } from '@larder/datapath';
import { GET_LINE_BYTES_MAX } from '@larder/protocol';

const KIB = 1024;
const MIB = 1024 * KIB;

export const DEFAULT_CONNECTIONS: number = 4_096;
/** A value that is longer is refused; what the servers accept is their own affair. */
export const VALUE_BYTES_MAX: number = 128 * MIB;
export const DEFAULT_VALUE_BYTES: number = 8 * MIB;

/** Requests of one client that may wait for their replies; more are read when some are answered. A power of two. */
export const CLIENT_PENDING_MAX: number = 4_096;
/** Bytes of replies that one client may have under way, as far as its replies so far can tell. */
export const CLIENT_REPLY_BYTES_MAX: number = 4 * MIB;
/** What a reply is taken for before the first one is known, and requests that are always let through. */
export const REPLY_BYTES_GUESS: number = 64 * KIB;
export const CLIENT_PENDING_MIN: number = 8;
/** Leases won by meta gets of one client whose servers are remembered; then the oldest is forgotten. */
export const LEASES_PER_CLIENT_MAX: number = 1_024;
/** Keys of one get. */
export const SPLIT_KEYS_MAX: number = 16_384;
/** A data block up to here waits in the transport until it is whole; a longer one is collected in a buffer. */
export const CARRIED_BYTES_MAX: number = 32 * KIB;
/** Memory for a collected block at first; more as it arrives. */
export const COLLECTED_BYTES_FIRST: number = MIB;
/** Chunks that hold back a reply: the first one, the next, and all behind these. */
export const CHUNK_BYTES_FIRST: number = KIB;
export const CHUNK_BYTES_SECOND: number = 4 * KIB;
/** Chunks of the first size that are kept for the next reply. */
export const CHUNKS_KEPT: number = 256;
/** As large as a send buffer, so that both use memory of one slab class: pages never change their class. */
export const CHUNK_BYTES_LAST: number = SEND_BUFFER_BYTES;
/** Parts of a held reply from this size on are sent from where they lie. */
export const REFERENCE_BYTES_MIN: number = 4 * KIB;

/** How often Node's own event loop gets a turn, whatever else there is to do. */
export const EVENT_LOOP_MS: number = 20;
/** Memory of one worker for network buffers, chunks and held replies; what is not used costs nothing. */
export const WORKER_MEMORY_BYTES: number = 1024 * MIB;
/**
 * What all clients of a worker may have waiting for them together: output that they do not read, replies whose turn
 * has not come, data blocks that have not come whole. Beyond, those with most of it are closed.
 */
export const CLIENTS_WAITING_BYTES_MAX: number = 256 * MIB;
/** That is looked at whenever so many bytes have been received. */
export const CLIENTS_LOOK_BYTES: number = 8 * MIB;
/** Values of replies that are being put together from route handles, of one worker; beyond, requests fail. */
export const GATHERED_BYTES_MAX: number = 256 * MIB;
/** UDP requests that one worker may have under way; more are dropped, as datagrams may be. */
export const UDP_PENDING_MAX: number = 1_024;
/** Lease tokens that are remembered because another server than the configured one issued them. */
export const LEASE_TOKENS_MAX: number = 65_536;
/** Servers that have rows of their own in the statistics. */
export const DESTINATIONS_MAX: number = 1_024;
/** What waits in the spool is counted at most this often. */
export const SPOOL_LOOK_MS: number = 1_000;
/** A log line about clients that speak the binary protocol comes at most this often, with their number. */
export const BINARY_NOTICE_MS: number = 10_000;
/** How often the main thread ticks: uptime, statistics. */
export const TICK_MS: number = 1_000;

function assertRelation(holds: boolean, text: string): void {
  if (!holds) throw new Error(`router limits: ${text}`);
}
const isPowerOfTwo = (value: number): boolean => (value & (value - 1)) === 0;
assertRelation(CLIENT_PENDING_MIN < CLIENT_PENDING_MAX, 'some requests may always be under way');
assertRelation(isPowerOfTwo(CLIENT_PENDING_MAX), 'what a client waits for is indexed by a mask');
assertRelation(CARRIED_BYTES_MAX < GET_LINE_BYTES_MAX, 'a carried block fits what a transport keeps');
assertRelation(
  3 * CLIENTS_WAITING_BYTES_MAX + 128 * MIB <= WORKER_MEMORY_BYTES,
  'what waits may lie in any of three classes of chunks, and there is room for reading all the same',
);
