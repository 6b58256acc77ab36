/**
 * How much CPU time a process has used, all its threads (io_uring's kernel workers included), from /proc.
 *
 * `task/<tid>/schedstat` counts nanoseconds but forgets threads that ended; `stat` counts clock ticks of
 * 10 ms and remembers them. The first is used unless a thread ended between the two readings.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { BenchError } from '../errors.ts';

/** Linux gives user space 100 ticks a second whatever the kernel's own rate is. */
const TICKS_PER_SECOND = 100;
/** Fields of /proc/<pid>/stat after the command's closing parenthesis. */
const USER_TICKS_FIELD = 11;
const SYSTEM_TICKS_FIELD = 12;

export interface CpuReading {
  /** Nanoseconds on a CPU, by thread. */
  readonly threads: ReadonlyMap<string, number>;
  readonly ticks: number;
  /** Nanoseconds in which a thread was ready to run but something else ran, over all threads. */
  readonly waited: number;
}

export function readCpuTime(pid: number): CpuReading {
  const threads = new Map<string, number>();
  let waited = 0;
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const text = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1');
      const [ran, waitedToRun] = text.split(' ');
      threads.set(thread, Number(ran));
      waited += Number(waitedToRun);
    }
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { threads, waited, ticks: Number(fields[USER_TICKS_FIELD]) + Number(fields[SYSTEM_TICKS_FIELD]) };
  } catch (cause) {
    throw new BenchError('SERVER', `cannot read the CPU time of process ${pid}: has it ended?`, { cause });
  }
}

/** Seconds of CPU between two readings of one process. */
export function cpuSecondsBetween(before: CpuReading, after: CpuReading): number {
  let nanoseconds = 0;
  for (const [thread, value] of before.threads) {
    if (!after.threads.has(thread)) return (after.ticks - before.ticks) / TICKS_PER_SECOND;
    nanoseconds -= value;
  }
  for (const value of after.threads.values()) nanoseconds += value;
  return nanoseconds / 1e9;
}

/** Resident memory of a process in bytes. */
export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(status);
  if (match === null) throw new BenchError('SERVER', `process ${pid} has no resident memory: has it ended?`);
  return Number(match[1]) * 1024;
}
