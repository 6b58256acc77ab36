/** Every limit of the wire format and its runtime, with the relations between them asserted at load. */

/** The format version that this package writes, in the upper half of an object's first word. */
export const WIRE_VERSION: number = 0;
/** An object's first word when it is a relay to another message. */
export const RELAY_WORD: number = 0xffff_0000;
export const RELAY_BYTES: number = 16;

/** The largest field number: its bit is in the last word of the longest bitmap. */
export const FIELD_NUMBER_MAX: number = 65_504;
/** Words of the longest bitmap; odd, as all that are written. */
export const BITMAP_WORDS_MAX: number = 2047;
/** Bytes that describe one field that is present, one list element, and one half of a map entry. */
export const ENTRY_BYTES: number = 8;
export const MAP_ENTRY_BYTES: number = 16;
/** Objects inside objects. */
export const DEPTH_MAX: number = 64;
/** A whole message; offsets and sizes are u32, and everything fits a 31-bit integer. */
export const MESSAGE_BYTES_MAX: number = 1 << 30;
/** What reading all of a message once may cost: this, or so many times its length, whichever is more. */
export const TRAVERSAL_BYTES_MIN: number = 64 * 1024 * 1024;
export const TRAVERSAL_FACTOR: number = 8;

/** Bytes and strings from this length on are sent by reference (papers/sosp23 5.2); to be measured per machine. */
export const REFERENCE_BYTES_MIN: number = 512;
/** References of one message above which the smallest are copied, unless a transport says otherwise. */
export const REFERENCES_MAX: number = 64;
/** The first block of an encoder's bump arena, and the size beyond which it is an error to grow. */
export const BUMP_BYTES_INITIAL: number = 4096;
export const BUMP_BYTES_MAX: number = MESSAGE_BYTES_MAX;

/** A larger block of a bump arena is not kept for the next message. */
export const BUMP_BYTES_KEPT: number = 1 << 20;
/** Messages inside a message that one reader visits, beyond what any message of that length can honestly have. */
export const RELAYS_MAX: number = 65_536;
/** An entry, a relay, and the empty object of another message. */
export const RELAYED_BYTES_MIN: number = ENTRY_BYTES + RELAY_BYTES + 8;

/** In front of every message on a stream. */
export const FRAME_HEADER_BYTES: number = 16;
/** In front of every fragment of a message in datagrams. */
export const FRAGMENT_HEADER_BYTES: number = 16;
/** A datagram's payload with its header, when the path's MTU is not known to be larger. */
export const DATAGRAM_BYTES: number = 1472;
/** References in one datagram. */
export const DATAGRAM_REFERENCES_MAX: number = 16;
/** A message in fragments. */
export const FRAGMENTS_MAX: number = 65_535;
export const REASSEMBLY_MESSAGE_BYTES_MAX: number = 64 * 1024 * 1024;
/** What all unfinished messages of one reassembler may hold, and for how long. */
export const REASSEMBLY_BYTES_MAX: number = 256 * 1024 * 1024;
export const REASSEMBLY_MESSAGES_MAX: number = 1024;
export const REASSEMBLY_TIMEOUT_MS: number = 5000;
/** A frame longer than this is gathered outside the transport's buffers. */
export const FRAME_GATHER_BYTES_MIN: number = 64 * 1024;
/**
 * A long message that takes more than this, and more than a byte rate of this many bytes per millisecond, gives its
 * memory back when others need it.
 */
export const GATHER_GRACE_MS: number = 10_000;
export const GATHER_BYTES_PER_MS_MIN: number = 64;
/** Receive buffers that views may hold before they get copies instead. */
export const HELD_BUFFERS_MAX: number = 256;

/** Methods of one connection that have not returned, above which its next requests wait. */
export const RPC_REQUESTS_MAX: number = 128;
/** How long a refused client may go on sending, so that it gets to reading why. */
export const RPC_DISCARD_MS: number = 5000;
/** Datagrams of one message that are sent at once, and the pause after them: receivers' buffers take some 90. */
export const DATAGRAM_BURST: number = 32;
export const DATAGRAM_BURST_PAUSE_MS: number = 1;

function assertRelation(holds: boolean, text: string): void {
  if (!holds) throw new Error(`wire limits: ${text}`);
}
assertRelation(FIELD_NUMBER_MAX === BITMAP_WORDS_MAX * 32, 'every field number has a bit');
assertRelation(BITMAP_WORDS_MAX < 65_536, 'a bitmap length is never taken for a relay');
assertRelation(BUMP_BYTES_INITIAL <= BUMP_BYTES_KEPT, 'an ordinary bump arena is kept');
assertRelation(MESSAGE_BYTES_MAX < 0x7fff_ffff, 'offsets are small integers');
assertRelation(REASSEMBLY_MESSAGE_BYTES_MAX <= REASSEMBLY_BYTES_MAX, 'one message may be reassembled');
assertRelation(REASSEMBLY_MESSAGE_BYTES_MAX <= MESSAGE_BYTES_MAX, 'what is reassembled may be read');
