/** eventfd: a counter that one thread adds to and another waits for. */
import { checked, libc } from './libc.ts';

const EFD_CLOEXEC = 0o2000000;

/** Bytes that are written to and read from it at a time. */
export const EVENT_FD_BYTES: number = 8;

/** A new eventfd whose reads wait until something was added. */
export function openEventFd(): number {
  return checked(libc().eventfd(0, EFD_CLOEXEC), 'eventfd', '');
}
