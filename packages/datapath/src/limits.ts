/**
 * Every limit of the datapath, with the relations between them asserted at load.
 */

export const KIB: number = 1024;
export const MIB: number = 1024 * KIB;

/** The unit in which slab classes get memory (papers/nsdi13 6.2). */
export const PAGE_BYTES: number = MIB;
/** The smallest and the largest chunk of a slab class. */
export const CHUNK_BYTES_MIN: number = 64;
export const CHUNK_BYTES_MAX: number = PAGE_BYTES;
/** Classes of one allocator; a class index fits one byte of the page table. */
export const SLAB_CLASSES_MAX: number = 255;
/** Growth from one slab class to the next (papers/nsdi13 6.2). */
export const SLAB_GROWTH: number = 1.07;
/** Chunks are aligned to this; references are stored in units of it. */
export const ALIGN_BYTES: number = 8;
/** A reference is a u32 in units of ALIGN_BYTES, so an arena has at most this many bytes. */
export const ARENA_BYTES_MAX: number = 0x1_0000_0000 * ALIGN_BYTES;

/** Bytes of one receive buffer, and of one send buffer for copied parts. */
export const RECEIVE_BUFFER_BYTES: number = 16 * KIB;
export const SEND_BUFFER_BYTES: number = 16 * KIB;
/** The longest rest that a handler may leave unconsumed before the connection is closed. */
export const INPUT_BYTES_MAX: number = MIB;
/** Output queued on one connection above which its input is no longer read, and below which it is again. */
export const OUTPUT_BYTES_HIGH: number = 4 * MIB;
export const OUTPUT_BYTES_LOW: number = MIB;
/**
 * A connection that made no progress reading its output for this long is closed. Less than so many bytes is none:
 * who takes a byte now and then would otherwise keep what its output refers to for ever.
 */
export const SLOW_READER_MS: number = 60_000;
export const SLOW_READER_BYTES_MIN: number = 64 * KIB;
/** Connections of one transport. */
export const CONNECTIONS_MAX: number = 65_536;
/**
 * Scatter-gather entries of one send, as many as the kernel takes (UIO_MAXIOV): what is over waits for the next turn,
 * which costs more than all the entries.
 */
export const SCATTER_GATHER_ENTRIES_MAX: number = 1024;
/** A datagram, in and out. */
export const DATAGRAM_BYTES_MAX: number = 65_507;
/** Datagrams received or sent by one system call. */
export const DATAGRAM_BATCH: number = 64;
/** Replies sent by one system call: a request may have several. */
export const DATAGRAM_REPLY_BATCH: number = 256;
/** Scatter-gather entries of one such batch: a few references a reply. */
export const DATAGRAM_REPLY_ENTRIES: number = 2048;
/** Datagrams of one length to one peer that the kernel gets as one message (its UDP_MAX_SEGMENTS). */
export const DATAGRAM_SEGMENTS_MAX: number = 64;
/** Scatter-gather entries of one datagram. */
export const DATAGRAM_ENTRIES_MAX: number = 64;
/** One buffer of the receiving batch, which the longest datagram fits. */
export const DATAGRAM_RECEIVE_BYTES: number = 64 * KIB;
/** Batches of one socket received in a row before other connections get their turn. */
export const DATAGRAM_BATCHES_PER_TURN: number = 16;

/** Provided receive buffers of the io_uring transport: at first, and at most (a power of two). */
export const RECEIVE_BUFFERS_INITIAL: number = 64;
export const RECEIVE_BUFFERS: number = 1024;
/** Bytes read by one system call on the epoll and the portable transport. */
export const RECEIVE_CALL_BYTES: number = 64 * KIB;
/** Unused send buffers that a transport keeps for itself. */
export const POOLED_BUFFERS: number = 1024;
/** Entries of the io_uring submission ring, and of its completion ring. */
export const SUBMISSION_ENTRIES: number = 2048;
export const COMPLETION_ENTRIES: number = 16_384;
/** Memory for the message headers and iovecs of one submission. */
export const MESSAGE_SCRATCH_BYTES: number = 256 * KIB;
/** Events taken from epoll by one call. */
export const EPOLL_EVENTS: number = 512;
/** Referenced bytes from which a zero-copy send is tried, when it is on (it pays above about 10 KB). */
export const ZERO_COPY_BYTES_MIN: number = 16 * KIB;
/** Output that the portable transport hands to Node in one go; its progress is seen in steps of this. */
export const NODE_WRITE_BYTES: number = 256 * KIB;
/** How often idle, slow and lingering connections are looked for. */
export const SWEEP_INTERVAL_MS: number = 250;
/** How long a connection closed by this side waits for its peer to close too. */
export const LINGER_MS: number = 2000;
/** How long `stop` waits for output to leave unless told otherwise. */
export const STOP_FLUSH_MS: number = 1000;
/** Connections waiting to be accepted. */
export const LISTEN_BACKLOG: number = 1024;

/** Descriptors in the ring of the simulated NIC (a power of two), and packets under way until it completes some. */
export const NIC_RING_DESCRIPTORS: number = 4096;
export const NIC_COMPLETION_LAG: number = 64;
/** Packets that it completes at once. */
export const NIC_COMPLETION_BATCH: number = 32;

/** From this size on a reference is sent instead of a copy, where nothing was measured. */
export const COPY_THRESHOLD_DEFAULT: number = 8 * KIB;
/** What a calibration may decide. */
export const COPY_THRESHOLD_MIN: number = 512;
export const COPY_THRESHOLD_MAX: number = 64 * KIB;
/** Memory that is this many times slower or faster, in so many looks in a row, is a reason to calibrate again… */
export const PRESSURE_CHANGE: number = 1.5;
export const PRESSURE_LOOKS: number = 3;
/** …but not more often than this. */
export const PRESSURE_PAUSE_MS: number = 30_000;

function assertRelation(holds: boolean, text: string): void {
  if (!holds) throw new Error(`datapath limits: ${text}`);
}
assertRelation(PAGE_BYTES % CHUNK_BYTES_MAX === 0, 'a page holds a whole number of the largest chunks');
assertRelation(CHUNK_BYTES_MIN % ALIGN_BYTES === 0, 'the smallest chunk is aligned');
assertRelation(OUTPUT_BYTES_LOW < OUTPUT_BYTES_HIGH, 'output is resumed below the mark where it was paused');
assertRelation(SLOW_READER_BYTES_MIN < OUTPUT_BYTES_LOW, 'who lets a connection drain has made progress');
assertRelation(INPUT_BYTES_MAX >= RECEIVE_BUFFER_BYTES, 'a full receive buffer may be kept');
assertRelation(SCATTER_GATHER_ENTRIES_MAX <= 1024, 'one send fits UIO_MAXIOV');
assertRelation((RECEIVE_BUFFERS & (RECEIVE_BUFFERS - 1)) === 0, 'the buffer ring has a power of two entries');
assertRelation(COMPLETION_ENTRIES >= 2 * SUBMISSION_ENTRIES, 'the completions of one submission fit');
assertRelation(
  MESSAGE_SCRATCH_BYTES >= 16 * (SCATTER_GATHER_ENTRIES_MAX + 4),
  'the headers of at least one message fit',
);
assertRelation(
  DATAGRAM_REPLY_ENTRIES >= DATAGRAM_REPLY_BATCH + DATAGRAM_ENTRIES_MAX,
  'a full batch of replies without references fits, and one with as many as there may be',
);
assertRelation(RECEIVE_CALL_BYTES <= INPUT_BYTES_MAX, 'what one call received may be kept');
assertRelation(DATAGRAM_RECEIVE_BYTES >= DATAGRAM_BYTES_MAX, 'a receive buffer holds any datagram');
assertRelation((NIC_RING_DESCRIPTORS & (NIC_RING_DESCRIPTORS - 1)) === 0, 'the ring is indexed by a mask');
assertRelation(
  NIC_RING_DESCRIPTORS >= 2 * (NIC_COMPLETION_LAG + NIC_COMPLETION_BATCH),
  'packets of a few parts do not wait for the ring',
);
assertRelation(
  COPY_THRESHOLD_MIN <= COPY_THRESHOLD_DEFAULT && COPY_THRESHOLD_DEFAULT <= COPY_THRESHOLD_MAX,
  'the default threshold is one that a calibration may find',
);
