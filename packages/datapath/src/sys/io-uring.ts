/**
 * One io_uring: its submission and completion rings, mapped, filled and read from here.
 *
 * ```
 *   submission (16 words)   [0: opcode, flags, ioprio][1: fd][2,3: off][4,5: addr][6: len][7: op flags]
 *                           [8,9: user data][10: buffer group][11: file index][12..15: 0]
 *   completion (4 words)    [0,1: user data][2: result][3: flags]
 * ```
 *
 * The thread that made the ring is the only one that may use it. Completions wait in the kernel until
 * `enter` (DEFER_TASKRUN), so nothing appears behind the reader's back.
 */
import { DatapathError } from '../errors.ts';
import { Errno, errnoName, systemError } from './errno.ts';
import * as io from './io-uring-constants.ts';
import { errno, type Libc, libc, libcUnavailableReason } from './libc.ts';
import { type MappedMemory, mapAnonymous, mapDescriptor, unmap } from './memory-map.ts';
import { putAddress } from './messages.ts';

const PARAMETER_WORDS = 30;
const SUBMISSION_WORDS = 16;
const SUBMISSION_BYTES = 64;
const COMPLETION_WORDS = 4;
const COMPLETION_BYTES = 16;
/** `struct io_uring_getevents_arg` and, behind it, the timeout it points to. */
const WAIT_ARGUMENT_BYTES = 24;
/** In the argument of a waiting `enter`: microseconds for which several completions are waited for. */
const MIN_WAIT_WORD = 3;
const WAIT_TIMEOUT_WORD = 8;
/** Behind those: where a descriptor lies that is to be registered. */
const FILE_WORD = 16;

const SETUP_FLAGS: number =
  io.IORING_SETUP_CQSIZE |
  io.IORING_SETUP_CLAMP |
  io.IORING_SETUP_SUBMIT_ALL |
  io.IORING_SETUP_SINGLE_ISSUER |
  io.IORING_SETUP_DEFER_TASKRUN;

const FEATURES_NEEDED: number =
  io.IORING_FEAT_SINGLE_MMAP |
  io.IORING_FEAT_NODROP |
  io.IORING_FEAT_SUBMIT_STABLE |
  io.IORING_FEAT_EXT_ARG |
  io.IORING_FEAT_CQE_SKIP;

/** Why io_uring, as this package uses it, cannot be had here; undefined when it can. */
export function ioUringUnavailableReason(): string | undefined {
  const reason = libcUnavailableReason();
  if (reason !== undefined) return reason;
  const parameters = new Uint32Array(PARAMETER_WORDS);
  parameters[1] = 16;
  parameters[2] = SETUP_FLAGS;
  const descriptor = setup(8, parameters);
  if (descriptor < 0) return setupRefusal(errno());
  libc().close(descriptor);
  if ((parameters[5]! & FEATURES_NEEDED) !== FEATURES_NEEDED)
    return 'this kernel lacks needed features (6.1 has them)';
  return undefined;
}

function setupRefusal(value: number): string {
  const name = errnoName(value);
  if (value === Errno.ENOSYS) return `${name}: this kernel has no io_uring`;
  if (value === Errno.EPERM || value === Errno.EACCES) {
    return `${name}: io_uring is refused here (a container's seccomp profile, or kernel.io_uring_disabled)`;
  }
  if (value === Errno.EINVAL) return `${name}: this kernel lacks needed features (6.1 has them)`;
  throw systemError(value, 'io_uring_setup', '');
}

function setup(entries: number, parameters: Uint32Array): number {
  return libc().syscallSetup(io.SYS_IO_URING_SETUP, entries, new Uint8Array(parameters.buffer));
}

export class IoUring {
  readonly descriptor: number;
  /** The rings as words; completions are read from here: see `completion`. */
  readonly words: Int32Array;
  /** The submissions as words. */
  readonly submissions: Int32Array;
  readonly submissionEntries: number;
  readonly #libc: Libc;
  readonly #rings: MappedMemory;
  readonly #submissionMemory: MappedMemory;
  readonly #wait: MappedMemory;
  readonly #waitWords: Int32Array;
  readonly #submissionHead: number;
  readonly #submissionTail: number;
  readonly #submissionMask: number;
  readonly #submissionFlags: number;
  readonly #completionHead: number;
  readonly #completionTail: number;
  readonly #completionMask: number;
  readonly #completionBase: number;
  readonly #features: number;
  /** What `enter` is called with: the registered index of this ring where the kernel gives one. */
  #enterDescriptor: number;
  #enterFlags = 0;
  #tail: number;
  #pending = 0;
  #isClosed = false;
  /** Calls of io_uring_enter. */
  systemCalls = 0;
  /** How many completions an `enter` waits for during its first microseconds: see `gather`. */
  #gatherCount = 1;

  constructor(submissionEntries: number, completionEntries: number) {
    const parameters = new Uint32Array(PARAMETER_WORDS);
    parameters[1] = completionEntries;
    parameters[2] = SETUP_FLAGS;
    this.#libc = libc();
    this.descriptor = setup(submissionEntries, parameters);
    if (this.descriptor < 0) {
      const value = errno();
      throw new DatapathError(errnoName(value), 'io_uring_setup', setupRefusal(value));
    }
    const entries = parameters[0]!;
    const ringBytes = Math.max(
      parameters[16]! + entries * 4,
      parameters[25]! + parameters[1]! * COMPLETION_BYTES,
    );
    this.#features = parameters[5]!;
    this.submissionEntries = entries;
    this.#rings = mapDescriptor(this.descriptor, ringBytes, 'io_uring rings', io.IORING_OFF_SQ_RING);
    this.#submissionMemory = mapDescriptor(
      this.descriptor,
      entries * SUBMISSION_BYTES,
      'io_uring submissions',
      io.IORING_OFF_SQES,
    );
    this.words = new Int32Array(this.#rings.buffer, 0, Math.floor(ringBytes / 4));
    this.submissions = new Int32Array(this.#submissionMemory.buffer);
    this.#submissionHead = parameters[10]! / 4;
    this.#submissionTail = parameters[11]! / 4;
    this.#submissionMask = entries - 1;
    this.#submissionFlags = parameters[14]! / 4;
    this.#completionHead = parameters[20]! / 4;
    this.#completionTail = parameters[21]! / 4;
    this.#completionMask = parameters[1]! - 1;
    this.#completionBase = parameters[25]! / 4;
    // Submission n is always at place n of the array.
    for (let index = 0; index < entries; index++) this.words[parameters[16]! / 4 + index] = index;
    this.#tail = this.words[this.#submissionTail]!;
    this.#wait = mapAnonymous(4096);
    this.#waitWords = new Int32Array(this.#wait.buffer);
    putAddress(this.#waitWords, 4, this.#wait.address + WAIT_TIMEOUT_WORD * 4);
    this.#enterDescriptor = this.descriptor;
    this.#registerDescriptor();
  }

  /** Submissions that were prepared and not yet given to the kernel. */
  get pending(): number {
    return this.#pending;
  }

  get room(): number {
    return this.submissionEntries - this.#pending;
  }

  /** Whether completions wait in the kernel because the ring was full. */
  get isOverflown(): boolean {
    return (this.words[this.#submissionFlags]! & io.IORING_SQ_CQ_OVERFLOW) !== 0;
  }

  /** Whether the kernel has taken everything that was prepared before the last `enter`. */
  get isSubmitted(): boolean {
    return this.words[this.#submissionHead] === this.#tail;
  }

  /**
   * Prepares a submission: the caller made sure that there is `room`. Returns the index of its first word,
   * for what these arguments do not say. `head` is opcode | flags << 8 | ioprio << 16.
   */
  prepare(
    head: number,
    descriptor: number,
    address: number,
    length: number,
    operationFlags: number,
    userLow: number,
    userHigh: number,
  ): number {
    const words = this.submissions;
    const index = (this.#tail & this.#submissionMask) * SUBMISSION_WORDS;
    const low = address >>> 0;
    words[index] = head;
    words[index + 1] = descriptor;
    words[index + 2] = 0;
    words[index + 3] = 0;
    words[index + 4] = low;
    words[index + 5] = (address - low) / 4_294_967_296;
    words[index + 6] = length;
    words[index + 7] = operationFlags;
    words[index + 8] = userLow;
    words[index + 9] = userHigh;
    words[index + 10] = 0;
    words[index + 11] = 0;
    words[index + 12] = 0;
    words[index + 13] = 0;
    this.#tail = (this.#tail + 1) | 0;
    this.#pending++;
    return index;
  }

  /**
   * From now on an `enter` that waits at all waits up to `microseconds` for `count` completions, and only then is
   * content with one. False when the kernel cannot do that; nothing changes then.
   */
  gather(count: number, microseconds: number): boolean {
    if ((this.#features & io.IORING_FEAT_MIN_TIMEOUT) === 0) return false;
    this.#gatherCount = Math.max(1, count);
    this.#waitWords[MIN_WAIT_WORD] = count > 1 ? microseconds : 0;
    return true;
  }

  /**
   * Gives all prepared submissions to the kernel and waits until `complete` completions are there or
   * `timeoutMs` has passed (-1: for ever). 0 completions still collects those that are ready.
   */
  enter(complete: number, timeoutMs: number): void {
    const submit = this.#pending;
    this.words[this.#submissionTail] = this.#tail;
    this.systemCalls++;
    let result: number;
    if (timeoutMs <= 0) {
      result = this.#libc.syscallEnter(
        io.SYS_IO_URING_ENTER,
        this.#enterDescriptor,
        submit,
        timeoutMs === 0 ? 0 : complete,
        this.#enterFlags,
        0,
        0,
      );
    } else {
      putAddress(this.#waitWords, WAIT_TIMEOUT_WORD, Math.floor(timeoutMs / 1000));
      putAddress(this.#waitWords, WAIT_TIMEOUT_WORD + 2, Math.floor((timeoutMs % 1000) * 1e6));
      result = this.#libc.syscallEnter(
        io.SYS_IO_URING_ENTER,
        this.#enterDescriptor,
        submit,
        Math.max(complete, this.#gatherCount),
        this.#enterFlags | io.IORING_ENTER_EXT_ARG,
        this.#wait.address,
        WAIT_ARGUMENT_BYTES,
      );
    }
    if (result < 0) this.#entered(errno());
    this.#pending = (this.#tail - this.words[this.#submissionHead]!) | 0;
  }

  /** What a failed `enter` means: interrupted, late or busy come right with the next call. */
  #entered(value: number): void {
    if (value === Errno.EINTR || value === Errno.ETIME) return;
    // The kernel is short of memory or wants completions to be read first; what it did not take stays pending.
    if (value === Errno.EAGAIN || value === Errno.EBUSY) return;
    throw systemError(value, 'io_uring_enter', `${this.#pending} submissions`);
  }

  /** Number of the first completion that was not read. */
  completionHead(): number {
    return this.words[this.#completionHead]!;
  }

  /** Number behind the last completion there is. */
  completionTail(): number {
    return Atomics.load(this.words, this.#completionTail);
  }

  /** Index in `words` of a completion's first word. */
  completion(number: number): number {
    return this.#completionBase + (number & this.#completionMask) * COMPLETION_WORDS;
  }

  /** Gives completions up to this number back to the kernel. */
  setCompletionHead(number: number): void {
    this.words[this.#completionHead] = number;
  }

  /** Calls io_uring_register; throws on failure. */
  register(opcode: number, argument: Uint8Array | null, count: number, context: string): number {
    const result = this.#libc.syscallRegister(
      io.SYS_IO_URING_REGISTER,
      this.descriptor,
      opcode,
      argument,
      count,
    );
    if (result < 0) throw systemError(errno(), 'io_uring_register', context);
    return result;
  }

  /** Registers a ring of provided buffers: `entries` × 16 zeroed bytes at a page-aligned address. */
  registerBufferRing(address: number, entries: number, group: number): void {
    const argument = new Int32Array(10);
    putAddress(argument, 0, address);
    argument[2] = entries;
    argument[3] = group;
    this.register(io.IORING_REGISTER_PBUF_RING, new Uint8Array(argument.buffer), 1, 'buffer ring');
  }

  /**
   * Makes a table of `count` places for files, which operations can then name by their place. False when the kernel
   * gives none (its limit is that of open descriptors), or is older than 6.14: a file that leaves the table was then
   * held until all operations submitted before had ended, so that a peer would not hear of a close while any other
   * connection's receive was armed.
   */
  registerFiles(count: number): boolean {
    if ((this.#features & io.IORING_FEAT_RW_ATTR) === 0) return false;
    const argument = new Int32Array(8);
    argument[0] = count;
    argument[1] = io.IORING_RSRC_REGISTER_SPARSE;
    const bytes = new Uint8Array(argument.buffer);
    const operation = io.IORING_REGISTER_FILES2;
    return (
      this.#libc.syscallRegister(io.SYS_IO_URING_REGISTER, this.descriptor, operation, bytes, bytes.length) >=
      0
    );
  }

  /** Puts a file into a place of the table, or empties it for -1. False when the kernel refuses. */
  updateFile(place: number, descriptor: number): boolean {
    this.#waitWords[FILE_WORD] = descriptor;
    const argument = new Int32Array(4);
    argument[0] = place;
    putAddress(argument, 2, this.#wait.address + FILE_WORD * 4);
    const bytes = new Uint8Array(argument.buffer);
    const operation = io.IORING_REGISTER_FILES_UPDATE;
    return this.#libc.syscallRegister(io.SYS_IO_URING_REGISTER, this.descriptor, operation, bytes, 1) === 1;
  }

  /** Whether the kernel knows an operation. */
  supports(opcode: number): boolean {
    const probe = new Uint8Array(16 + 256 * 8);
    this.register(io.IORING_REGISTER_PROBE, probe, 256, 'probe');
    return opcode <= probe[0]! && (probe[16 + opcode * 8 + 2]! & 1) !== 0;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#enterDescriptor !== this.descriptor) {
      const update = new Int32Array(4);
      update[0] = this.#enterDescriptor;
      this.register(io.IORING_UNREGISTER_RING_FDS, new Uint8Array(update.buffer), 1, 'ring descriptor');
    }
    unmap(this.#rings);
    unmap(this.#submissionMemory);
    unmap(this.#wait);
    this.#libc.close(this.descriptor);
  }

  /** Lets `enter` name the ring by an index, which spares the kernel a look-up of the descriptor. */
  #registerDescriptor(): void {
    this.#enterFlags = io.IORING_ENTER_GETEVENTS;
    const update = new Int32Array(4);
    update[0] = -1;
    update[2] = this.descriptor;
    const result = this.#libc.syscallRegister(
      io.SYS_IO_URING_REGISTER,
      this.descriptor,
      io.IORING_REGISTER_RING_FDS,
      new Uint8Array(update.buffer),
      1,
    );
    if (result !== 1) return;
    this.#enterDescriptor = update[0]!;
    this.#enterFlags |= io.IORING_ENTER_REGISTERED_RING;
  }
}
