/**
 * The C library, called through koffi. Nothing native is loaded until the first call of `libc()`, so that
 * importing this package does nothing.
 *
 * Addresses and lengths are plain numbers (`size_t`, `intptr_t`): every address of a user process is below
 * 2^47 and therefore exact. A call that may be made once per request takes numbers only, because koffi then
 * converts nothing and allocates nothing.
 */
import { createRequire } from 'node:module';
import { endianness } from 'node:os';
import { DatapathError } from '../errors.ts';
import { systemError } from './errno.ts';

/** Where a call wants a pointer to a few bytes that JavaScript holds. */
export type Bytes = Uint8Array | null;

export interface Libc {
  mmap(address: number, bytes: number, protection: number, flags: number, fd: number, offset: number): number;
  munmap(address: number, bytes: number): number;
  madvise(address: number, bytes: number, advice: number): number;
  memfd_create(name: string, flags: number): number;
  ftruncate(fd: number, bytes: number): number;
  flock(fd: number, operation: number): number;
  close(fd: number): number;
  read(fd: number, address: number, bytes: number): number;
  write(fd: number, address: number, bytes: number): number;
  socket(family: number, type: number, protocol: number): number;
  bind(fd: number, address: Bytes, bytes: number): number;
  listen(fd: number, backlog: number): number;
  accept4(fd: number, address: number, bytes: number, flags: number): number;
  connect(fd: number, address: Bytes, bytes: number): number;
  shutdown(fd: number, how: number): number;
  setsockopt(fd: number, level: number, option: number, value: Bytes, bytes: number): number;
  getsockopt(fd: number, level: number, option: number, value: Bytes, bytes: Bytes): number;
  getsockname(fd: number, address: Bytes, bytes: Bytes): number;
  getpeername(fd: number, address: Bytes, bytes: Bytes): number;
  recv(fd: number, address: number, bytes: number, flags: number): number;
  send(fd: number, address: number, bytes: number, flags: number): number;
  sendmsg(fd: number, header: number, flags: number): number;
  recvmmsg(fd: number, headers: number, count: number, flags: number, timeout: number): number;
  sendmmsg(fd: number, headers: number, count: number, flags: number): number;
  epoll_create1(flags: number): number;
  epoll_ctl(epoll: number, operation: number, fd: number, event: number): number;
  epoll_wait(epoll: number, events: number, count: number, timeoutMs: number): number;
  eventfd(initial: number, flags: number): number;
  prctl(option: number, value: number): number;
  /** `syscall` with a pointer as its third argument: io_uring_setup(entries, params). */
  syscallSetup(number: number, entries: number, params: Bytes): number;
  /** io_uring_register(fd, opcode, argument, count). */
  syscallRegister(number: number, fd: number, opcode: number, argument: Bytes, count: number): number;
  /** io_uring_enter(fd, submit, complete, flags, argument, bytes). */
  syscallEnter(
    number: number,
    fd: number,
    submit: number,
    complete: number,
    flags: number,
    argument: number,
    bytes: number,
  ): number;
}

interface Native {
  readonly libc: Libc;
  /** glibc only. */
  readonly trim: ((pad: number) => number) | undefined;
  errno(): number;
  view(address: number, bytes: number): ArrayBuffer;
}

/** Declared as C; `bytes` stands for a pointer to bytes that JavaScript holds. */
const SIGNATURES: Readonly<Record<keyof Libc, string>> = {
  mmap: 'intptr_t mmap(size_t, size_t, int, int, int, intptr_t)',
  munmap: 'int munmap(size_t, size_t)',
  madvise: 'int madvise(size_t, size_t, int)',
  memfd_create: 'int memfd_create(const char *, uint)',
  ftruncate: 'int ftruncate(int, intptr_t)',
  flock: 'int flock(int, int)',
  close: 'int close(int)',
  read: 'intptr_t read(int, size_t, size_t)',
  write: 'intptr_t write(int, size_t, size_t)',
  socket: 'int socket(int, int, int)',
  bind: 'int bind(int, const uint8_t *, uint)',
  listen: 'int listen(int, int)',
  accept4: 'int accept4(int, size_t, size_t, int)',
  connect: 'int connect(int, const uint8_t *, uint)',
  shutdown: 'int shutdown(int, int)',
  setsockopt: 'int setsockopt(int, int, int, const uint8_t *, uint)',
  getsockopt: 'int getsockopt(int, int, int, _Out_ uint8_t *, _Inout_ uint8_t *)',
  getsockname: 'int getsockname(int, _Out_ uint8_t *, _Inout_ uint8_t *)',
  getpeername: 'int getpeername(int, _Out_ uint8_t *, _Inout_ uint8_t *)',
  recv: 'intptr_t recv(int, size_t, size_t, int)',
  send: 'intptr_t send(int, size_t, size_t, int)',
  sendmsg: 'intptr_t sendmsg(int, size_t, int)',
  recvmmsg: 'int recvmmsg(int, size_t, uint, int, size_t)',
  sendmmsg: 'int sendmmsg(int, size_t, uint, int)',
  epoll_create1: 'int epoll_create1(int)',
  epoll_ctl: 'int epoll_ctl(int, int, int, size_t)',
  epoll_wait: 'int epoll_wait(int, size_t, int, int)',
  eventfd: 'int eventfd(uint, int)',
  prctl: 'int prctl(int, size_t)',
  syscallSetup: 'intptr_t syscall(intptr_t, intptr_t, uint8_t *)',
  syscallRegister: 'intptr_t syscall(intptr_t, intptr_t, intptr_t, uint8_t *, intptr_t)',
  syscallEnter: 'intptr_t syscall(intptr_t, intptr_t, intptr_t, intptr_t, intptr_t, intptr_t, intptr_t)',
};

/** Machines whose structures and constants the code in `sys/` knows. */
const ARCHITECTURES: readonly string[] = ['x64', 'arm64'];

let native: Native | undefined;

/** Why the C library cannot be called here, or undefined when it can. Loads koffi when it may work. */
export function libcUnavailableReason(): string | undefined {
  if (process.platform !== 'linux') return `needs Linux, this is ${process.platform}`;
  if (!ARCHITECTURES.includes(process.arch) || endianness() !== 'LE') return `no support for ${process.arch}`;
  try {
    load();
    return undefined;
  } catch (error) {
    return `koffi cannot be loaded: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function load(): Native {
  if (native !== undefined) return native;
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
  // A null name means the symbols of this process, which has the C library loaded, whichever it is.
  const library = koffi.load(null);
  const functions: Partial<Record<keyof Libc, unknown>> = {};
  for (const name of Object.keys(SIGNATURES) as (keyof Libc)[]) {
    functions[name] = library.func(SIGNATURES[name]);
  }
  native = {
    libc: functions as unknown as Libc,
    trim: optional(library, 'int malloc_trim(size_t)'),
    errno: () => koffi.errno(),
    view: (address, bytes) => koffi.view(address, bytes),
  };
  return native;
}

/** A function that not every C library has. */
function optional(
  library: ReturnType<typeof import('koffi').load>,
  signature: string,
): ((argument: number) => number) | undefined {
  try {
    return library.func(signature) as unknown as (argument: number) => number;
  } catch {
    return undefined;
  }
}

function loaded(): Native {
  if (native !== undefined) return native;
  const reason = libcUnavailableReason();
  if (reason !== undefined || native === undefined)
    throw new DatapathError('UNAVAILABLE', 'libc', reason ?? '');
  return native;
}

/** The C library's functions. Throws `UNAVAILABLE` where it cannot be called. */
export function libc(): Libc {
  return loaded().libc;
}

/** The errno of the last call of this thread. */
export function errno(): number {
  return loaded().errno();
}

/** The result, or the error that the call set when the result is negative. */
export function checked(result: number, call: string, context: string): number {
  if (result < 0) throw systemError(errno(), call, context);
  return result;
}

/**
 * Gives memory that this process has freed, but its C library keeps, back to the system. Does nothing where
 * the C library is not loaded or cannot do it (only glibc can).
 */
export function releaseFreedMemory(): void {
  native?.trim?.(0);
}

/** Memory at an address, as an ArrayBuffer that does not own it. */
export function viewAddress(address: number, bytes: number): ArrayBuffer {
  return loaded().view(address, bytes);
}
