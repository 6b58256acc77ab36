/**
 * epoll with numbers only: events are written and read through one block of mapped memory.
 *
 * ```
 *   struct epoll_event on x86-64   [u32 events][u32 data low][u32 data high]           12 bytes, packed
 *   elsewhere                      [u32 events][-][u32 data low][u32 data high]        16 bytes
 * ```
 */
import { Errno, systemError } from './errno.ts';
import { checked, errno, type Libc, libc } from './libc.ts';
import { type AnonymousMemory, mapAnonymous, unmap } from './memory-map.ts';

export const EPOLLIN: number = 0x1;
export const EPOLLOUT: number = 0x4;
export const EPOLLERR: number = 0x8;
export const EPOLLHUP: number = 0x10;

const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;
const EVENT_WORDS = process.arch === 'x64' ? 3 : 4;
const DATA_WORD = EVENT_WORDS - 2;

export class Epoll {
  readonly #libc: Libc;
  readonly #memory: AnonymousMemory;
  readonly #words: Int32Array;
  readonly #descriptor: number;
  readonly #eventsMax: number;
  /** The event that `epoll_ctl` reads lies behind those that `epoll_wait` writes. */
  readonly #controlWord: number;
  readonly #controlAddress: number;

  constructor(eventsMax: number) {
    this.#libc = libc();
    this.#eventsMax = eventsMax;
    this.#memory = mapAnonymous((eventsMax + 1) * EVENT_WORDS * 4);
    this.#words = new Int32Array(this.#memory.buffer);
    this.#controlWord = eventsMax * EVENT_WORDS;
    this.#controlAddress = this.#memory.address + this.#controlWord * 4;
    this.#descriptor = checked(this.#libc.epoll_create1(EPOLL_CLOEXEC), 'epoll_create1', '');
  }

  /** Watches a descriptor; its events come back with the two data words. */
  add(descriptor: number, events: number, dataLow: number, dataHigh: number): void {
    this.#control(EPOLL_CTL_ADD, descriptor, events, dataLow, dataHigh);
  }

  modify(descriptor: number, events: number, dataLow: number, dataHigh: number): void {
    this.#control(EPOLL_CTL_MOD, descriptor, events, dataLow, dataHigh);
  }

  remove(descriptor: number): void {
    this.#control(EPOLL_CTL_DEL, descriptor, 0, 0, 0);
  }

  /** Waits for events (-1: for ever): how many there are now, 0 also when a signal came. */
  wait(timeoutMs: number): number {
    const count = this.#libc.epoll_wait(
      this.#descriptor,
      this.#memory.address,
      this.#eventsMax,
      Math.ceil(timeoutMs),
    );
    if (count >= 0) return count;
    const value = errno();
    if (value === Errno.EINTR) return 0;
    throw systemError(value, 'epoll_wait', '');
  }

  events(index: number): number {
    return this.#words[index * EVENT_WORDS]!;
  }

  dataLow(index: number): number {
    return this.#words[index * EVENT_WORDS + DATA_WORD]!;
  }

  dataHigh(index: number): number {
    return this.#words[index * EVENT_WORDS + DATA_WORD + 1]!;
  }

  close(): void {
    this.#libc.close(this.#descriptor);
    unmap(this.#memory);
  }

  #control(operation: number, descriptor: number, events: number, dataLow: number, dataHigh: number): void {
    this.#words[this.#controlWord] = events;
    this.#words[this.#controlWord + DATA_WORD] = dataLow;
    this.#words[this.#controlWord + DATA_WORD + 1] = dataHigh;
    checked(
      this.#libc.epoll_ctl(this.#descriptor, operation, descriptor, this.#controlAddress),
      'epoll_ctl',
      `operation ${operation}, descriptor ${descriptor}`,
    );
  }
}
