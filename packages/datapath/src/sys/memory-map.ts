/**
 * Memory mapped through libc: anonymous, in a file, or of a descriptor, seen as ArrayBuffers that do not own
 * it. A mapping has an address that the kernel can be given, may be larger than 4 GiB, and may be viewed by
 * any thread of the process; pages that are not touched cost no memory.
 *
 * V8 treats every view as foreign memory without an owner, so the same address may be viewed many times, in
 * one thread or in several. Nothing is unmapped when a view is collected.
 */
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readFileSync, statfsSync } from 'node:fs';
import { DatapathError } from '../errors.ts';
import { systemError } from './errno.ts';
import { checked, errno, libc, viewAddress } from './libc.ts';

const PROT_READ_WRITE = 3;
const MAP_SHARED = 0x01;
const MAP_PRIVATE = 0x02;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;
const MAP_HUGETLB = 0x40000;
const MADV_DONTNEED = 4;
const MADV_HUGEPAGE = 14;
const MADV_COLLAPSE = 25;
const MFD_CLOEXEC = 1;
const LOCK_EX_NB = 2 | 4;
const HUGE_PAGE_BYTES = 2 * 1024 * 1024;
const TRANSPARENT_HUGE_PAGES = '/sys/kernel/mm/transparent_hugepage/enabled';

export interface MappedMemory {
  readonly buffer: ArrayBuffer;
  readonly address: number;
  /** Bytes of address space taken: those of the buffer, rounded up to huge pages where there are any. */
  readonly mappedBytes: number;
}

export interface AnonymousMemory extends MappedMemory {
  /** Whether the kernel backs it with huge pages: reserved ones, or transparent ones where it finds them. */
  readonly hugePages: boolean;
}

export interface FileMemory extends MappedMemory {
  /** Keeps the file locked against a second process; closed by `unmap`. */
  readonly descriptor: number;
  /** Whether the file was missing or empty before. */
  readonly created: boolean;
}

/** Maps zeroed memory of this process. */
export function mapAnonymous(bytes: number, options: { readonly hugePages?: boolean } = {}): AnonymousMemory {
  const context = `${bytes} bytes`;
  const flags = MAP_PRIVATE | MAP_ANONYMOUS;
  if (options.hugePages !== true) {
    const address = map(bytes, flags | MAP_NORESERVE, -1, context);
    return { buffer: viewMemory(address, bytes), address, mappedBytes: bytes, hugePages: false };
  }
  // Without MAP_NORESERVE the kernel refuses now what it could otherwise only refuse by killing the process.
  const whole = Math.ceil(bytes / HUGE_PAGE_BYTES) * HUGE_PAGE_BYTES;
  const reserved = libc().mmap(0, whole, PROT_READ_WRITE, flags | MAP_HUGETLB, -1, 0);
  if (reserved !== -1) {
    return { buffer: viewMemory(reserved, bytes), address: reserved, mappedBytes: whole, hugePages: true };
  }

  const address = mapHugeAligned(whole, flags | MAP_NORESERVE, context);
  const advised = libc().madvise(address, whole, MADV_HUGEPAGE) === 0;
  return {
    buffer: viewMemory(address, bytes),
    address,
    mappedBytes: whole,
    hugePages: advised && transparentHugePagesAllowed(),
  };
}

/**
 * Tells the kernel that zeroed memory is not needed for now. Anonymous memory is freed, and zero again when it is
 * touched; a file keeps what is in it. Advice: a kernel that does not take it changes nothing.
 */
export function adviseUnused(address: number, bytes: number): void {
  libc().madvise(address, bytes, MADV_DONTNEED);
}

/**
 * Puts shared memory into huge pages now, whatever the system's setting for them is; all who map it then have them.
 * Ordinary pages stay where there are none, or where the kernel is older than 6.1. Returns whether all of it is huge.
 */
export function collapseToHugePages(memory: MappedMemory, offset: number, bytes: number): boolean {
  const view = new Uint8Array(memory.buffer);
  const start = Math.ceil((memory.address + offset) / HUGE_PAGE_BYTES) * HUGE_PAGE_BYTES;
  const end = Math.floor((memory.address + offset + bytes) / HUGE_PAGE_BYTES) * HUGE_PAGE_BYTES;
  // The kernel passes over what has no page at all; a page each is enough, and least to be moved.
  for (let address = start; address < end; address += HUGE_PAGE_BYTES) {
    Atomics.or(view, address - memory.address, 0);
  }
  return start < end && libc().madvise(start, end - start, MADV_COLLAPSE) === 0;
}

/** Transparent huge pages need an aligned start; maps one page more and gives the ends back. */
function mapHugeAligned(bytes: number, flags: number, context: string): number {
  const start = map(bytes + HUGE_PAGE_BYTES, flags, -1, context);
  const aligned = Math.ceil(start / HUGE_PAGE_BYTES) * HUGE_PAGE_BYTES;
  if (aligned > start) libc().munmap(start, aligned - start);
  const rest = start + HUGE_PAGE_BYTES - aligned;
  if (rest > 0) libc().munmap(aligned + bytes, rest);
  return aligned;
}

function transparentHugePagesAllowed(): boolean {
  try {
    return !readFileSync(TRANSPARENT_HUGE_PAGES, 'latin1').includes('[never]');
  } catch {
    return false;
  }
}

/**
 * Maps a file shared with whoever maps it later. It is created with that size when it is missing or empty; a
 * file of another size is refused with `ARGUMENT`, a file that another process has mapped with `EAGAIN`, and
 * one that its file system has no room for with `ENOSPC` (the kernel would otherwise kill the process when a
 * page is touched).
 */
export function mapFile(path: string, bytes: number): FileMemory {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  } catch (error) {
    throw DatapathError.from(error, 'open');
  }
  try {
    checked(libc().flock(descriptor, LOCK_EX_NB), 'flock', `${path} is in use by another process`);
    const status = fstatSync(descriptor);
    const created = status.size === 0;
    if (!created && status.size !== bytes) {
      throw new DatapathError('ARGUMENT', 'mapFile', `${path} has ${status.size} bytes, not ${bytes}`);
    }
    const space = statfsSync(path);
    if (space.bavail * space.bsize + status.blocks * 512 < bytes) {
      throw new DatapathError('ENOSPC', 'mapFile', `${path}: no room for ${bytes} bytes`);
    }
    if (created) ftruncateSync(descriptor, bytes);
    const memory = mapDescriptor(descriptor, bytes, path);
    return { ...memory, descriptor, created };
  } catch (error) {
    closeSync(descriptor);
    throw DatapathError.from(error, 'mapFile');
  }
}

/** Maps the first bytes of what a descriptor stands for (a file, a memfd, an io_uring), shared. */
export function mapDescriptor(descriptor: number, bytes: number, context: string, offset = 0): MappedMemory {
  const address = map(bytes, MAP_SHARED, descriptor, context, offset);
  return { buffer: viewMemory(address, bytes), address, mappedBytes: bytes };
}

/** The same where huge pages can be, for `collapseToHugePages`. */
export function mapDescriptorAligned(descriptor: number, bytes: number, context: string): MappedMemory {
  const whole = Math.ceil(bytes / HUGE_PAGE_BYTES) * HUGE_PAGE_BYTES;
  const address = mapHugeAligned(whole, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, context);
  map(bytes, MAP_SHARED | MAP_FIXED, descriptor, context, 0, address);
  return { buffer: viewMemory(address, bytes), address, mappedBytes: whole };
}

/** A nameless file in memory of that size, closed by whoever asked for it. */
export function memfd(name: string, bytes: number): number {
  const descriptor = checked(libc().memfd_create(name, MFD_CLOEXEC), 'memfd_create', name);
  if (libc().ftruncate(descriptor, bytes) !== 0) {
    const failure = systemError(errno(), 'ftruncate', `${name}, ${bytes} bytes`);
    libc().close(descriptor);
    throw failure;
  }
  return descriptor;
}

/** Memory that is mapped in this process already, seen from this thread. */
export function viewMemory(address: number, bytes: number): ArrayBuffer {
  if (!Number.isSafeInteger(address) || address <= 0 || !Number.isSafeInteger(bytes) || bytes <= 0) {
    throw new DatapathError('ARGUMENT', 'viewMemory', `${bytes} bytes at ${address}`);
  }
  return viewAddress(address, bytes);
}

/**
 * Unmaps. The given view becomes empty; views of other threads must no longer be used, reading them would
 * end the process.
 */
export function unmap(memory: MappedMemory & { readonly descriptor?: number }): void {
  if (memory.buffer.byteLength === 0) return;
  // Detaches the view, so that a later access throws or reads nothing instead of touching unmapped memory.
  memory.buffer.transfer(0);
  checked(libc().munmap(memory.address, memory.mappedBytes), 'munmap', `${memory.mappedBytes} bytes`);
  if (memory.descriptor !== undefined) closeSync(memory.descriptor);
}

function map(
  bytes: number,
  flags: number,
  descriptor: number,
  context: string,
  offset = 0,
  where = 0,
): number {
  const address = libc().mmap(where, bytes, PROT_READ_WRITE, flags, descriptor, offset);
  if (address === -1) throw systemError(errno(), 'mmap', context);
  return address;
}
