/** Numbers of io_uring's interface (linux/io_uring.h) that this package uses. */

/** Operations. */
export const IORING_OP_POLL_ADD: number = 6;
export const IORING_OP_SENDMSG: number = 9;
export const IORING_OP_TIMEOUT: number = 11;
export const IORING_OP_ACCEPT: number = 13;
export const IORING_OP_ASYNC_CANCEL: number = 14;
export const IORING_OP_CONNECT: number = 16;
export const IORING_OP_CLOSE: number = 19;
export const IORING_OP_READ: number = 22;
export const IORING_OP_SEND: number = 26;
export const IORING_OP_RECV: number = 27;
export const IORING_OP_SHUTDOWN: number = 34;
export const IORING_OP_SEND_ZC: number = 47;
export const IORING_OP_SENDMSG_ZC: number = 48;

/** Flags of any submission, in its second byte. */
export const IOSQE_FIXED_FILE: number = 1;
export const IOSQE_BUFFER_SELECT: number = 1 << 5;
export const IOSQE_CQE_SKIP_SUCCESS: number = 1 << 6;

/** Flags of one operation, in its `ioprio` or length. */
export const IORING_ACCEPT_MULTISHOT: number = 1;
export const IORING_RECV_MULTISHOT: number = 1 << 1;
export const IORING_SEND_ZC_REPORT_USAGE: number = 1 << 3;
export const IORING_POLL_ADD_MULTI: number = 1;
export const IORING_ASYNC_CANCEL_ALL: number = 1;
export const IORING_ASYNC_CANCEL_FD: number = 1 << 1;

/** Flags of a completion; a provided buffer's number is above `IORING_CQE_BUFFER_SHIFT`. */
export const IORING_CQE_F_BUFFER: number = 1;
export const IORING_CQE_F_MORE: number = 1 << 1;
export const IORING_CQE_F_NOTIF: number = 1 << 3;
export const IORING_CQE_BUFFER_SHIFT: number = 16;
/** In the result of a zero-copy notification: the kernel copied after all. */
export const IORING_NOTIF_USAGE_ZC_COPIED: number = 1 << 31;

/** Flags of setup. */
export const IORING_SETUP_CQSIZE: number = 1 << 3;
export const IORING_SETUP_CLAMP: number = 1 << 4;
export const IORING_SETUP_SUBMIT_ALL: number = 1 << 7;
export const IORING_SETUP_SINGLE_ISSUER: number = 1 << 12;
export const IORING_SETUP_DEFER_TASKRUN: number = 1 << 13;

/** What the kernel says it can do. */
export const IORING_FEAT_SINGLE_MMAP: number = 1 << 0;
export const IORING_FEAT_NODROP: number = 1 << 1;
export const IORING_FEAT_SUBMIT_STABLE: number = 1 << 2;
export const IORING_FEAT_EXT_ARG: number = 1 << 8;
export const IORING_FEAT_CQE_SKIP: number = 1 << 11;
/** Linux 6.12: an enter may wait a little for several completions before one is enough. */
export const IORING_FEAT_MIN_TIMEOUT: number = 1 << 15;
/** Came with 6.14; files registered in a table are released one by one since 6.13. */
export const IORING_FEAT_RW_ATTR: number = 1 << 16;

/** Flags of enter, and of the submission ring as the kernel sets them. */
export const IORING_ENTER_GETEVENTS: number = 1;
export const IORING_ENTER_EXT_ARG: number = 1 << 3;
export const IORING_ENTER_REGISTERED_RING: number = 1 << 4;
export const IORING_SQ_CQ_OVERFLOW: number = 1 << 1;

/** Operations of register. */
export const IORING_REGISTER_FILES_UPDATE: number = 6;
export const IORING_REGISTER_PROBE: number = 8;
export const IORING_REGISTER_FILES2: number = 13;
export const IORING_REGISTER_RING_FDS: number = 20;
export const IORING_UNREGISTER_RING_FDS: number = 21;
export const IORING_REGISTER_PBUF_RING: number = 22;
export const IORING_UNREGISTER_PBUF_RING: number = 23;

/** Flag of `IORING_REGISTER_FILES2`: a table without files yet. */
export const IORING_RSRC_REGISTER_SPARSE: number = 1;

/** Where the rings are mapped. */
export const IORING_OFF_SQ_RING: number = 0;
export const IORING_OFF_SQES: number = 0x1000_0000;

/** System call numbers, the same on every architecture. */
export const SYS_IO_URING_SETUP: number = 425;
export const SYS_IO_URING_ENTER: number = 426;
export const SYS_IO_URING_REGISTER: number = 427;
