/**
 * Names of errno values, and the error that a failed system call becomes.
 */
import { constants } from 'node:os';
import { DatapathError } from '../errors.ts';

const NAMES: readonly string[] = errnoNames();

function errnoNames(): string[] {
  const names: string[] = [];
  for (const [name, value] of Object.entries(constants.errno)) names[value] ??= name;
  return names;
}

/** `EADDRINUSE` for 98 (on Linux); `ERRNO_<number>` for a value without a name. Accepts negative results too. */
export function errnoName(errno: number): string {
  const value = Math.abs(errno);
  return NAMES[value] ?? `ERRNO_${value}`;
}

/** The error of a system call that set `errno`: its code is the errno's name. */
export function systemError(errno: number, call: string, context: string): DatapathError {
  return new DatapathError(errnoName(errno), call, context);
}

/** The errno values that code compares with; Linux numbers. */
export const Errno: {
  readonly EPERM: 1;
  readonly ENOENT: 2;
  readonly EINTR: 4;
  readonly EIO: 5;
  readonly EBADF: 9;
  readonly EAGAIN: 11;
  readonly ENOMEM: 12;
  readonly EACCES: 13;
  readonly EEXIST: 17;
  readonly EBUSY: 16;
  readonly EINVAL: 22;
  readonly EMSGSIZE: 90;
  readonly ENFILE: 23;
  readonly EMFILE: 24;
  readonly EPIPE: 32;
  readonly ENOSYS: 38;
  readonly ETIME: 62;
  readonly EOPNOTSUPP: 95;
  readonly EADDRINUSE: 98;
  readonly ECONNABORTED: 103;
  readonly ECONNRESET: 104;
  readonly ENOBUFS: 105;
  readonly ECONNREFUSED: 111;
  readonly EINPROGRESS: 115;
  readonly ECANCELED: 125;
} = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EEXIST: 17,
  EBUSY: 16,
  EINVAL: 22,
  EMSGSIZE: 90,
  ENFILE: 23,
  EMFILE: 24,
  EPIPE: 32,
  ENOSYS: 38,
  ETIME: 62,
  EOPNOTSUPP: 95,
  EADDRINUSE: 98,
  ECONNABORTED: 103,
  ECONNRESET: 104,
  ENOBUFS: 105,
  ECONNREFUSED: 111,
  EINPROGRESS: 115,
  ECANCELED: 125,
};
