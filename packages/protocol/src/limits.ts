/**
 * Every limit of the memcache text protocols and of UDP frames, with the relations between them asserted at
 * load. They are memcached's where memcached has one.
 */

/** A key as it stands on the line: with the `b` flag of meta commands that is its base64 form. */
export const KEY_BYTES_MAX: number = 250;
/** A command line without its terminator, for every command but the retrievals of many keys. */
export const LINE_BYTES_MAX: number = 2048;
/** A get, gets, gat, gats or lease-get line: as much as a transport keeps of one unfinished request. */
export const GET_LINE_BYTES_MAX: number = 1024 * 1024;
/** Spaces that may stand in front of a command whose line is longer than LINE_BYTES_MAX. */
export const LEADING_SPACES_MAX: number = 100;
/** Tokens of a line that is not a retrieval; what follows the last one is not looked at. */
export const TOKENS_MAX: number = 24;
/** Command, key and flags of a meta command. */
export const META_TOKENS_MAX: number = 20;
/** The opaque token of a meta command behind its letter (memcached counts the letter, its documentation does not). */
export const OPAQUE_BYTES_MAX: number = 32;
/** The length that a storage command may announce; what a store accepts is a matter of its own limit. */
export const VALUE_BYTES_MAX: number = 0x7fff_ffff - 2;
/** The longest decimal numbers on the wire. */
export const U32_DIGITS_MAX: number = 10;
export const U64_DIGITS_MAX: number = 20;
/** The longest first line of a classic reply: `LVALUE <key> <token> <flags> <bytes>\r\n`. */
export const VALUE_LINE_BYTES_MAX: number =
  7 + KEY_BYTES_MAX + 1 + U64_DIGITS_MAX + 1 + U32_DIGITS_MAX + 1 + U32_DIGITS_MAX + 2;
/** The longest first line of a meta reply: every return flag once, the key in base64. */
export const META_LINE_BYTES_MAX: number = 1024;
/** The longest line of a reply that a client accepts, statistics and error texts included. */
export const REPLY_LINE_BYTES_MAX: number = 8192;
/** The longest value that a client accepts: as much as a server can be told to store. */
export const REPLY_VALUE_BYTES_MAX: number = 1024 * 1024 * 1024;

/** Request id, sequence number, total, reserved: four big-endian u16. */
export const DATAGRAM_HEADER_BYTES: number = 8;
/** A reply datagram with its header: it fits an Ethernet frame, as memcached's do. */
export const DATAGRAM_BYTES: number = 1400;
/** What one reply datagram carries. */
export const DATAGRAM_PAYLOAD_BYTES: number = DATAGRAM_BYTES - DATAGRAM_HEADER_BYTES;
/** Datagrams of one reply that a client puts together, and bytes of one such reply. */
export const REASSEMBLY_DATAGRAMS_MAX: number = 1024;
/** Replies being put together at a time. */
export const REASSEMBLY_REPLIES_MAX: number = 1024;

function assertRelation(holds: boolean, text: string): void {
  if (!holds) throw new Error(`protocol limits: ${text}`);
}
assertRelation(
  LINE_BYTES_MAX > 2 * KEY_BYTES_MAX + META_TOKENS_MAX * 2,
  'a meta line with a base64 key fits',
);
assertRelation(
  GET_LINE_BYTES_MAX > LINE_BYTES_MAX,
  'a retrieval of many keys may be longer than other lines',
);
assertRelation(META_TOKENS_MAX <= TOKENS_MAX, 'a meta line is tokenized whole');
assertRelation(
  META_LINE_BYTES_MAX >=
    16 + Math.ceil(KEY_BYTES_MAX / 3) * 4 + OPAQUE_BYTES_MAX + META_TOKENS_MAX * (U64_DIGITS_MAX + 2),
  'a meta reply line fits its bound',
);
assertRelation(
  REPLY_LINE_BYTES_MAX >= Math.max(META_LINE_BYTES_MAX, VALUE_LINE_BYTES_MAX),
  'a client accepts the lines that a server may send',
);
assertRelation(REASSEMBLY_DATAGRAMS_MAX <= 0xffff, 'a datagram total is a u16');
